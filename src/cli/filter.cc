#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "capture/savefile.hpp"
#include "cli/commands.hpp"
#include "cli/expression.hpp"
#include "cli/inputs.hpp"
#include "cli/progress.hpp"
#include "cli/signals.hpp"
#include "cli/sink.hpp"
#include "cli/text_output.hpp"
#include "cli/verdicts.hpp"

namespace weir::cli {
namespace {

using capture::Format;

/// How far it went with one input, and what stopped it before the end of it.
struct Outcome {
  std::uint64_t read = 0;
  std::uint64_t kept = 0;
  std::optional<std::string> stopped;
};

/// The filter, in the byte order of each input: where packets begin with a number in that order, it makes a difference.
class Filters {
 public:
  Filters(std::string text, Options options) : text_(std::move(text)), options_(std::move(options)) {}

  Result<const Filter*> get(std::endian order) {
    const bool native = order == std::endian::native;
    std::optional<Filter>& place = native ? native_ : swapped_;
    if (!place) {
      options_.savefile = native ? Options::Savefile::Native : Options::Savefile::Swapped;
      auto filter = compile(text_, options_);
      if (!filter) return std::unexpected(filter.error());
      place = std::move(*filter);
    }
    return &*place;
  }

 private:
  std::string text_;
  Options options_;
  std::optional<Filter> native_, swapped_;
};

/// Takes inputs one behind the other to where their packets go.
class Work {
 public:
  Work(const FilterCommand& command, Inputs& inputs, Filters& filters, Sink& sink)
      : command_(command), inputs_(inputs), filters_(filters), sink_(sink), line_(!sink.shows_lines()) {}

  /// The error is one of the output or of the filter; what is wrong with the input is in Outcome.
  Result<Outcome> take(std::size_t input);
  /// Whether there is nothing more to do.
  bool is_done() const { return interrupted() || kept_ >= command_.limit; }
  std::uint64_t kept() const { return kept_; }

 private:
  Result<void> take_packets(capture::Reader& reader, const Filter& filter, Outcome& outcome);
  Result<bool> take_batch(capture::Reader& reader, const Filter& filter, Outcome& outcome);
  void show_progress(const capture::Reader& reader, std::uint64_t read);

  const FilterCommand& command_;
  Inputs& inputs_;
  Filters& filters_;
  Sink& sink_;
  ProgressLine line_;
  Verdicts verdicts_;
  std::uint64_t read_ = 0, kept_ = 0;  // of all inputs so far
  std::uint64_t bytes_before_ = 0;     // of those before this one
};

Result<Outcome> Work::take(std::size_t input) {
  Outcome outcome;
  auto reader = inputs_.reader(input);
  if (!reader) {
    outcome.stopped = reader.error().message;
    return outcome;
  }
  const auto filter = filters_.get(reader->format().byte_order);
  if (!filter) return std::unexpected(filter.error());
  reader->stop_at(interruption());
  reader->before_wait([&] {
    sink_.flush();
    show_progress(*reader, outcome.read);
  });
  const auto taken = take_packets(*reader, **filter, outcome);
  read_ += outcome.read;
  bytes_before_ += reader->bytes_read();
  if (!taken) return std::unexpected(taken.error());
  return outcome;
}

Result<void> Work::take_packets(capture::Reader& reader, const Filter& filter, Outcome& outcome) {
  for (;;) {
    const auto more = take_batch(reader, filter, outcome);
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    show_progress(reader, outcome.read);
  }
}

/// False when there is no more to come.
Result<bool> Work::take_batch(capture::Reader& reader, const Filter& filter, Outcome& outcome) {
  const auto batch = reader.next_batch();
  if (interrupted()) outcome.stopped = "interrupted";
  else if (!batch) outcome.stopped = batch.error().message;
  if (outcome.stopped || batch->empty()) return false;
  verdicts_.judge(filter, *batch, command_.invert);
  outcome.read += verdicts_.limit(command_.limit - kept_);
  outcome.kept += verdicts_.kept();
  kept_ += verdicts_.kept();
  if (auto put = sink_.put(reader, verdicts_); !put) return std::unexpected(put.error());
  return kept_ < command_.limit;
}

void Work::show_progress(const capture::Reader& reader, std::uint64_t read) {
  line_.update([&] { return Progress{bytes_before_ + reader.bytes_read(), inputs_.bytes(), read_ + read, kept_}; });
}

Result<Inputs> open_inputs(const FilterCommand& command) {
  auto paths = command.inputs;
  if (command.list) {
    auto more = read_paths(*command.list);
    if (!more) return std::unexpected(more.error());
    std::ranges::move(*more, std::back_inserter(paths));
  }
  return Inputs::open(std::move(paths));
}

/// What the packets are; an error when nothing is known of them, or -y said otherwise.
Result<LinkTypeInfo> link_type_of(const FilterCommand& command, const Inputs& inputs) {
  const int dlt = inputs.common_format().dlt;
  const auto found = find_link_type(dlt);
  if (!found) return fail(Code::Unsupported, {}, fmt::format("{} has the unknown link type {}", inputs.name(0), dlt));
  if (!command.link_type) return *found;
  const auto all = link_types();
  const auto expected = std::ranges::find(all, *command.link_type, &LinkTypeInfo::name);
  if (expected != all.end() && expected->dlt == dlt) return *expected;
  return fail(Code::LinkType, {},
              fmt::format("{} has link type {}, not {}", inputs.name(0), found->name, *command.link_type));
}

Options options_for(const FilterCommand& command, const LinkTypeInfo& link_type, const Format& format) {
  Options options = command.options;
  options.link_type = link_type.name;
  options.snaplen = format.snaplen;
  return options;
}

Status report_stop(const FilterCommand& command, const std::string& name, const Outcome& outcome) {
  const auto where = command.output && *command.output != "-" ? fmt::format(", now in {}", *command.output) : "";
  const auto what = command.invert ? "were kept" : "matched";
  return report({.code = Code::Input,
                 .span = {},
                 .message = fmt::format("{}: {}", name, *outcome.stopped),
                 .hint = fmt::format("{} could be read before that, {} of them {}{}", packets(outcome.read), outcome.kept, what, where)});
}

/// What became of all inputs.
struct All {
  std::uint64_t kept = 0;
  std::vector<std::pair<std::size_t, Outcome>> stopped;  ///< those that could not be read to their end
};

/// Damage in one input is no reason to leave out those behind it.
Result<All> filter_all(const FilterCommand& command, Inputs& inputs, Filters& filters, Sink& sink) {
  All all;
  Work work(command, inputs, filters, sink);
  for (std::size_t i = 0; i < inputs.size() && !work.is_done(); ++i) {
    const auto outcome = work.take(i);
    if (!outcome) return std::unexpected(outcome.error());
    if (outcome->stopped) all.stopped.emplace_back(i, *outcome);
  }
  all.kept = work.kept();
  return all;
}

}  // namespace

Status run(const FilterCommand& command) {
  if (command.output && !capture::OutputFile::is_standard_output(*command.output)) outlive_readers();
  const auto text = text_of(command.expression);
  if (!text) return report(text.error());
  auto inputs = open_inputs(command);
  if (!inputs) return report(inputs.error());
  const auto link_type = link_type_of(command, *inputs);
  if (!link_type) return report(link_type.error());
  Filters filters(text->text, options_for(command, *link_type, inputs->common_format()));
  const auto filter = filters.get(inputs->format(0).byte_order);
  if (!filter) return report(filter.error(), *text);
  report_warnings((*filter)->warnings(), *text);

  if (const auto ready = finish_on_signals(); !ready) return report(ready.error());
  auto sink = Sink::open(command.output, !command.count, inputs->common_format());
  if (!sink) return report(sink.error());
  on_second_signal(Unfinished::Remove, sink->temporary());
  const auto all = filter_all(command, *inputs, filters, *sink);
  if (!all) return report(all.error());
  if (const auto finished = sink->finish(); !finished) return report(finished.error());
  on_second_signal(Unfinished::Remove, "");
  Status status = command.count ? write_text("-", packets(all->kept) + "\n") : Done;
  for (const auto& [input, outcome] : all->stopped) status = report_stop(command, inputs->name(input), outcome);
  return status;
}

}  // namespace weir::cli
