#include "weir/run.hpp"

#include <fmt/format.h>

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "capture/savefile.hpp"
#include "cli/commands.hpp"
#include "cli/expression.hpp"

namespace weir::cli {
namespace {

/// The digits of a word that is nothing but hexadecimal digits, with blanks and colons between them or not.
std::optional<std::string> hexadecimal_digits(std::string_view word) {
  std::string digits;
  for (const char c : word) {
    if (std::isxdigit(static_cast<unsigned char>(c))) digits += c;
    else if (c != ' ' && c != ':' && c != '\n' && c != '\t') return std::nullopt;
  }
  return digits;
}

std::optional<std::vector<std::uint8_t>> bytes_of(std::string_view word) {
  const auto given = hexadecimal_digits(word);
  if (!given || given->size() % 2 != 0) return std::nullopt;
  const std::string& digits = *given;
  std::vector<std::uint8_t> bytes;
  for (std::size_t at = 0; at < digits.size(); at += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(digits.substr(at, 2), nullptr, 16)));
  return bytes;
}

/// Runs the program on packets and prints a line for each.
class Runner {
 public:
  Runner(const RunCommand& command, Runnable& program) : command_(command), program_(program) {}

  void run(std::span<const std::uint8_t> bytes, std::uint32_t length) {
    ++count_;
    const auto print_line = [](const std::string& line) { std::fputs((visible(line) + "\n").c_str(), stdout); };
    const Packet packet{bytes, length, command_.metadata};
    const RunOutcome r = program_.run(packet, command_.run, command_.trace ? std::function<void(const std::string&)>(print_line) : nullptr);
    if (r.stopped) print_line(fmt::format("packet {}: stopped after {}: {}", count_, instructions(r.steps), r.stopped->message));
    else print_line(fmt::format("packet {}: {} ({:#x}), {}", count_, static_cast<std::int64_t>(r.value), r.value, instructions(r.steps)));
    stopped_ |= r.stopped.has_value();
  }

  std::uint64_t count() const { return count_; }
  bool has_stopped() const { return stopped_; }

 private:
  static std::string instructions(std::uint64_t n) { return fmt::format("{} instruction{}", n, n == 1 ? "" : "s"); }

  const RunCommand& command_;
  Runnable& program_;
  std::uint64_t count_ = 0;
  bool stopped_ = false;
};

/// An expression is compiled for the link type of the first savefile, unless -y says which.
Result<Options> options_for(const RunCommand& command, const std::optional<capture::Reader>& first) {
  Options options = command.options;
  if (!first) return options;
  const auto link_type = find_link_type(first->format().dlt);
  if (!link_type) return fail(Code::Unsupported, {}, fmt::format("the savefile has the unknown link type {}", first->format().dlt));
  options.link_type = link_type->name;
  options.savefile = first->format().byte_order == std::endian::native ? Options::Savefile::Native : Options::Savefile::Swapped;
  return options;
}

Result<Runnable> compile_to_run(const RunCommand& command, const FilterText& text, const std::optional<capture::Reader>& first) {
  auto options = options_for(command, first);
  if (!options) return std::unexpected(options.error());
  const auto filter = compile(text.text, *options);
  if (!filter) return std::unexpected(filter.error());
  report_warnings(filter->warnings(), text);
  return Runnable::of(*filter, command.hook);
}

Result<Runnable> load(const RunCommand& command, const FilterText& text, const std::optional<capture::Reader>& first) {
  if (command.ebpf) return Runnable::ebpf(text.text, command.hook, command.program);
  if (command.cbpf) return Runnable::cbpf(text.text);
  return compile_to_run(command, text, first);
}

Result<void> run_all(Runner& runner, capture::Reader& reader) {
  for (;;) {
    const auto record = reader.next();
    if (!record) return std::unexpected(record.error());
    if (!*record) return {};
    runner.run((*record)->bytes, (*record)->length);
  }
}

/// Nothing for bytes in hexadecimal.
Result<std::vector<std::optional<capture::Reader>>> open_packets(const std::vector<std::string>& words) {
  std::vector<std::optional<capture::Reader>> readers;
  for (const std::string& word : words) {
    readers.emplace_back();
    if (bytes_of(word)) continue;
    auto reader = capture::Reader::open(word);
    if (!reader) {
      reader.error().hint = hexadecimal_digits(word) ? "if these are bytes in hexadecimal, half of one is missing: each has two digits"
                                                     : "a packet is given as bytes in hexadecimal, or as a savefile";
      return std::unexpected(reader.error());
    }
    readers.back() = std::move(*reader);
  }
  return readers;
}

}  // namespace

Status run(const RunCommand& command) {
  const auto& file = command.ebpf ? command.ebpf : command.cbpf;
  const auto text = text_of(file ? Expression{.words = {}, .file = file} : command.expression);
  if (!text) return report(text.error());
  auto readers = open_packets(command.packets);
  if (!readers) return report(readers.error());
  auto program = load(command, *text, readers->front());
  if (!program) return report(program.error(), *text);
  if (const auto refusal = program->check())
    print_warning("a kernel would not take the program; here each step is looked at instead", *refusal);

  Runner runner(command, *program);
  for (std::size_t i = 0; i < readers->size(); ++i) {
    if (!(*readers)[i]) {
      const auto bytes = *bytes_of(command.packets[i]);
      runner.run(bytes, static_cast<std::uint32_t>(bytes.size()));
    } else if (const auto done = run_all(runner, *(*readers)[i]); !done) {
      return report(done.error());
    }
  }
  if (std::fflush(stdout) != 0)
    return report({.code = Code::System,
                   .span = {},
                   .message = fmt::format("cannot write standard output: {}", std::strerror(errno)),
                   .hint = {}});
  return runner.has_stopped() ? CouldNot : Done;
}

}  // namespace weir::cli
