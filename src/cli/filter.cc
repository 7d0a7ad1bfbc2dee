#include <fmt/format.h>

#include <algorithm>

#include "capture/savefile.hpp"
#include "cli/commands.hpp"
#include "cli/expression.hpp"
#include "cli/progress.hpp"
#include "cli/signals.hpp"
#include "cli/sink.hpp"
#include "cli/text_output.hpp"

namespace weir::cli {
namespace {

using capture::Format;

/// How far it went, and what stopped it before the end of the input.
struct Outcome {
  std::uint64_t read = 0;
  std::uint64_t kept = 0;
  std::optional<std::string> stopped;
};

/// Nothing: there may be more packets, or the input ended as it should.
std::optional<std::string> what_stopped(const Result<std::optional<capture::Record>>& record) {
  if (interrupted()) return "interrupted";
  return record ? std::nullopt : std::optional(record.error().message);
}

/// The error is one of the output; what is wrong with the input is in Outcome.
Result<Outcome> filter_packets(capture::Reader& reader, const Filter& filter, Sink& sink, std::uint64_t limit) {
  Outcome outcome;
  ProgressLine line(!sink.shows_lines());
  const auto progress = [&] { return Progress{reader.bytes_read(), reader.size(), outcome.read, outcome.kept}; };
  reader.before_wait([&] {
    sink.flush();
    line.update(progress);
  });
  while (outcome.kept < limit) {
    const auto record = reader.next();
    outcome.stopped = what_stopped(record);
    if (outcome.stopped || !*record) break;
    if (++outcome.read % 1024 == 0) line.update(progress);
    if (!filter.match({.bytes = (*record)->bytes, .length = (*record)->length})) continue;
    ++outcome.kept;
    if (auto put = sink.put(**record); !put) return std::unexpected(put.error());
  }
  reader.before_wait({});
  return outcome;
}

std::string packets(std::uint64_t n) { return fmt::format("{} packet{}", n, n == 1 ? "" : "s"); }

std::string name_of(const FilterCommand& command) { return command.input == "-" ? "standard input" : command.input; }

/// What the packets of the file are; an error when nothing is known of them, or -y said otherwise.
Result<LinkTypeInfo> link_type_of(const FilterCommand& command, const Format& format) {
  const auto found = find_link_type(format.dlt);
  if (!found) {
    return fail(Code::Unsupported, {}, fmt::format("{} has the unknown link type {}", name_of(command), format.dlt));
  }
  if (!command.link_type) return *found;
  const auto all = link_types();
  const auto expected = std::ranges::find(all, *command.link_type, &LinkTypeInfo::name);
  if (expected != all.end() && expected->dlt == format.dlt) return *expected;
  return fail(Code::LinkType, {},
              fmt::format("{} has link type {}, not {}", name_of(command), found->name, *command.link_type));
}

Options options_for(const FilterCommand& command, const LinkTypeInfo& link_type, const Format& format) {
  Options options = command.options;
  options.link_type = link_type.name;
  options.snaplen = format.snaplen;
  options.savefile =
      format.byte_order == std::endian::native ? Options::Savefile::Native : Options::Savefile::Swapped;
  return options;
}

Status report_stop(const FilterCommand& command, const Outcome& outcome) {
  const auto where = command.output && *command.output != "-" ? fmt::format(", now in {}", *command.output) : "";
  return report({.code = Code::Input,
                 .span = {},
                 .message = fmt::format("{}: {}", name_of(command), *outcome.stopped),
                 .hint = fmt::format("{} could be read before that, {} of them matched{}", packets(outcome.read),
                                     outcome.kept, where)});
}

}  // namespace

Status run(const FilterCommand& command) {
  if (command.output && !capture::OutputFile::is_standard_output(*command.output)) outlive_readers();
  const auto text = text_of(command.expression);
  if (!text) return report(text.error());
  auto reader = capture::Reader::open(command.input);
  if (!reader) return report(reader.error());
  const auto link_type = link_type_of(command, reader->format());
  if (!link_type) return report(link_type.error());
  const auto filter = compile(text->text, options_for(command, *link_type, reader->format()));
  if (!filter) return report(filter.error(), *text);
  report_warnings(filter->warnings(), *text);

  if (const auto ready = finish_on_signals(); !ready) return report(ready.error());
  auto sink = Sink::open(command.output, !command.count, reader->format());
  if (!sink) return report(sink.error());
  on_second_signal(Unfinished::Remove, sink->temporary());
  reader->stop_at(interruption());
  const auto outcome = filter_packets(*reader, *filter, *sink, command.limit);
  if (!outcome) return report(outcome.error());
  if (const auto finished = sink->finish(); !finished) return report(finished.error());
  on_second_signal(Unfinished::Remove, "");
  Status status = command.count ? write_text("-", packets(outcome->kept) + "\n") : Done;
  if (outcome->stopped) status = report_stop(command, *outcome);
  return status;
}

}  // namespace weir::cli
