#include <fmt/format.h>

#include <algorithm>

#include "capture/cooked.hpp"
#include "capture/interface.hpp"
#include "capture/live.hpp"
#include "cli/commands.hpp"
#include "cli/expression.hpp"
#include "cli/signals.hpp"
#include "cli/sink.hpp"

namespace weir::cli {
namespace {

using capture::Interface;
using capture::Live;

Result<Interface> interface_of(const CaptureCommand& command) {
  if (!command.interface) {
    return fail(Code::Name, {}, "an interface to capture on is missing: -i IFACE", capture::known_interfaces());
  }
  auto on = capture::find_interface(*command.interface);
  if (on && on->cooked && command.link_type == "LINUX_SLL") on->dlt = capture::dlt_sll;
  if (on && on->cooked && command.link_type == "LINUX_SLL2") on->dlt = capture::dlt_sll2;
  return on;
}

/// What its packets are; an error when -y said otherwise. Live says what is wrong with an interface that has none.
Result<LinkTypeInfo> link_type_of(const CaptureCommand& command, const Interface& on) {
  const auto found = find_link_type(on.dlt.value_or(1)).value();
  if (!command.link_type || !on.dlt || *command.link_type == found.name) return found;
  return fail(Code::LinkType, {}, fmt::format("{} has link type {}, not {}", on.name, found.name, *command.link_type));
}

Options options_for(const CaptureCommand& command, const Interface& on, const LinkTypeInfo& link_type) {
  Options options = command.options;
  options.link_type = link_type.name;
  options.linux_ext = true;
  options.cooked = on.cooked;
  if (!options.netmask) options.netmask = on.netmask;
  return options;
}

/// With Live::Settings::needs_header, where only so it can be had.
struct Compiled {
  Filter filter;
  std::optional<Diagnostic> needs_header;
};
Result<Compiled> compile_for(const std::string& text, Options options) {
  auto filter = compile(text, options);
  if (filter) return Compiled{std::move(*filter), std::nullopt};
  if (!options.cooked) return std::unexpected(filter.error());
  options.cooked = options.linux_ext = false;
  auto for_packets = compile(text, options);
  if (!for_packets) return std::unexpected(for_packets.error());
  return Compiled{std::move(*for_packets), filter.error()};
}

void tell_of_start(const Interface& on, const LinkTypeInfo& link_type, const Live& live) {
  if (const auto& why = live.filtered_here()) {
    print_warning("the filter runs in this process, which sees all packets and may lose some when there are many", *why);
  }
  if (const auto part = live.small_ring()) {
    print_note(fmt::format("the kernel had memory for {:.0f}% of the usual number of waiting packets; some may be lost", *part * 100));
  }
  print_note(fmt::format("listening on {}, link type {} ({}), snapshot length {} bytes; Ctrl-C ends", on.name, link_type.name,
                         link_type.description, live.format().snaplen));
}

/// As tcpdump counts, and in its words.
void tell_of_end(std::uint64_t captured, Live& live) {
  const auto counted = live.counters();
  print_text(fmt::format("{} captured\n{} received {} filter\n{} dropped by kernel\n", packets(captured),
                         packets(counted.received), live.filtered_here() ? "before the" : "by", packets(counted.dropped)));
}

void tell_of_change(Live::Event event, const Interface& on) {
  if (event == Live::Event::WentDown) print_note(fmt::format("{} went down; waiting until it is up again", on.name));
  if (event == Live::Event::CameUp) print_note(fmt::format("{} is up again", on.name));
}

/// Puts those that are there into the sink; whether more may be wanted.
Result<bool> take_packets(Live& live, Sink& sink, std::uint64_t& captured, std::uint64_t limit) {
  while (captured < limit) {
    if (interrupted()) live.stop();
    const auto record = live.next();
    if (!record) return true;
    if (auto put = sink.put(*record); !put) return std::unexpected(put.error());
    ++captured;
  }
  return false;
}

/// Until the limit, a signal, or an error.
Result<void> capture_packets(Live& live, const Interface& on, Sink& sink, std::uint64_t& captured, std::uint64_t limit) {
  while (true) {
    const auto more = take_packets(live, sink, captured, limit);
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    sink.flush();
    const auto event = live.wait(interruption());
    if (!event) return std::unexpected(event.error());
    if (*event == Live::Event::End) return {};
    tell_of_change(*event, on);
  }
}

/// Gives the file its name. Where it could not be written on, hours of capture are not thrown away for it.
Result<void> finish(Sink& sink) {
  auto finished = sink.finish();
  if (finished) return finished;
  if (const auto name = sink.salvage()) finished.error().hint = fmt::format("what was written before that is in {}", *name);
  return finished;
}

}  // namespace

Status run(const CaptureCommand& command) {
  if (command.output && !capture::OutputFile::is_standard_output(*command.output)) outlive_readers();
  const auto text = text_of(command.expression);
  if (!text) return report(text.error());
  const auto on = interface_of(command);
  if (!on) return report(on.error());
  const auto link_type = link_type_of(command, *on);
  if (!link_type) return report(link_type.error());
  const auto compiled = compile_for(text->text, options_for(command, *on, *link_type));
  if (!compiled) return report(compiled.error(), *text);
  report_warnings(compiled->filter.warnings(), *text);

  const Live::Settings settings = {command.options.snaplen, command.promiscuous, compiled->needs_header};
  auto live = Live::begin(*on, settings, compiled->filter);
  if (!live) return report(live.error());
  if (const auto ready = finish_on_signals(); !ready) return report(ready.error());
  auto sink = Sink::open(command.output, true, live->format());
  if (!sink) return report(sink.error());
  on_second_signal(Unfinished::Keep, sink->temporary());
  tell_of_start(*on, *link_type, *live);

  std::uint64_t captured = 0;
  const auto done = capture_packets(*live, *on, *sink, captured, command.limit);
  const auto finished = finish(*sink);
  on_second_signal(Unfinished::Keep, "");
  tell_of_end(captured, *live);
  if (!finished) return report(finished.error());
  return done ? Done : report(done.error());
}

}  // namespace weir::cli
