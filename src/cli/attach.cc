#include "weir/attach.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "capture/interface.hpp"
#include "cli/commands.hpp"
#include "cli/expression.hpp"
#include "cli/signals.hpp"

namespace weir::cli {
namespace {

bool is_tracing(Hook hook) { return hook == Hook::Tracing || hook == Hook::TracingBtf; }

/// What the filter sees there. Where the stack has taken VLAN tags out of packets, they are metadata.
Result<Options> options_for(const AttachCommand& command) {
  Options options = command.options;
  const Hook hook = command.attach.hook;
  options.linux_ext = hook != Hook::Xdp && hook != Hook::Cgroup;
  if (hook == Hook::Cgroup) options.link_type = "RAW";
  if (hook == Hook::Cgroup || is_tracing(hook)) return options;
  const auto on = capture::find_interface(command.where);
  if (!on) return std::unexpected(on.error());
  if (on->index == 0) return fail(Code::Name, {}, "a program is attached to one interface, not to all of them");
  const auto link_type = on->dlt ? find_link_type(*on->dlt) : std::nullopt;
  if (!link_type || on->cooked)
    return fail(Code::Unsupported, {}, fmt::format("weir does not know what the packets of {} begin with", on->name));
  options.link_type = link_type->name;
  if (!options.netmask) options.netmask = on->netmask;
  return options;
}

/// Without the blanks around it, of which one is the \r of lines that end with two.
std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const std::size_t begin = std::min(text.find_first_not_of(blanks), text.size());
  return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

void remove(Attachment& attachment, std::string_view address) {
  const auto removed = attachment.remove(address);
  if (!removed) (void)report(removed.error());
  else if (!*removed) print_note(fmt::format("{} is not in the list", address));
}

/// `add ADDRESS` or `remove ADDRESS`. What is wrong with a line ends nothing.
void obey(Attachment& attachment, std::string_view line) {
  line = trimmed(line);
  const std::string_view word = line.substr(0, line.find_first_of(" \t")), address = trimmed(line.substr(word.size()));
  if (line.empty()) return;
  if (word != "add" && word != "remove") return print_error(fmt::format("'{}' is neither `add ADDRESS` nor `remove ADDRESS`", line));
  if (address.empty()) return print_error(fmt::format("'{0}' wants an address: `{0} ADDRESS`", word));
  if (word == "remove") return remove(attachment, address);
  if (const auto added = attachment.add(address); !added) (void)report(added.error());
}

/// Lines of standard input, as they come.
class Lines {
 public:
  /// Obeys those that are complete; false at the end of the input, where the last one need not be.
  bool read(Attachment& attachment) {
    std::array<char, 4096> part;
    const ssize_t got = ::read(STDIN_FILENO, part.data(), part.size());
    if (got < 0 && errno == EINTR) return true;
    if (got == 0) obey(attachment, text_);
    if (got <= 0) return false;
    text_.append(part.data(), static_cast<std::size_t>(got));
    for (std::size_t end; (end = text_.find('\n')) != text_.npos; text_.erase(0, end + 1))
      obey(attachment, std::string_view(text_).substr(0, end));
    return true;
  }

 private:
  std::string text_;
};

/// Until a signal comes. The end of the input ends nothing.
void wait(Attachment& attachment, bool live) {
  Lines lines;
  while (!interrupted()) {
    std::array<pollfd, 2> ready = {{{interruption(), POLLIN, 0}, {live ? STDIN_FILENO : -1, POLLIN, 0}}};
    (void)::poll(ready.data(), ready.size(), -1);
    if (ready[1].revents && !lines.read(attachment)) live = false;
  }
}

void tell_of_end(const Attachment& attachment) {
  const auto counts = attachment.counts();
  if (counts) print_text(fmt::format("{} matched\n{} did not\n", packets(counts->accepted), packets(counts->rejected)));
}

}  // namespace

Status run(const AttachCommand& command) {
  const auto text = text_of(command.expression);
  if (!text) return report(text.error());
  const auto options = options_for(command);
  if (!options) return report(options.error());
  const auto filter = compile(text->text, *options);
  if (!filter) return report(filter.error(), *text);
  report_warnings(filter->warnings(), *text);
  AttachOptions how = command.attach;
  how.count = how.pin.empty();
  if (const auto ready = finish_on_signals(); !ready) return report(ready.error());
  auto attached = filter->attach(command.where, how);
  if (!attached) return report(attached.error(), *text);
  if (!how.pin.empty()) {
    print_note(fmt::format("{}; it stays until {} is removed", attached->description(), how.pin));
    return Done;
  }
  print_note(fmt::format("{}; Ctrl-C ends", attached->description()));
  wait(*attached, how.live);
  tell_of_end(*attached);
  return Done;
}

}  // namespace weir::cli
