#include "cli/sink.hpp"

#include "capture/summary.hpp"

namespace weir::cli {

Result<capture::Writer> open_savefile(const std::string& path, const capture::Format& format) {
  auto writer = capture::Writer::create(path, format);
  if (!writer || !writer->is_terminal()) return writer;
  return fail(Code::System, {}, "packets are not written to a terminal",
              "-w FILE writes them to a file; -w - is for a pipe, such as | tcpdump -r -");
}

Result<Sink> Sink::open(const std::optional<std::string>& output, bool lines, const capture::Format& format) {
  Sink sink(format);
  if (output) {
    auto writer = open_savefile(*output, format);
    if (!writer) return std::unexpected(writer.error());
    sink.packets_.emplace(std::move(*writer));
  } else if (lines) {
    auto out = capture::OutputFile::create("-");
    if (!out) return std::unexpected(out.error());
    sink.lines_.emplace(std::move(*out));
  }
  return sink;
}

Result<void> Sink::put(const capture::Record& record) {
  if (packets_) return packets_->write(record);
  if (!lines_) return {};
  auto written = lines_->write(capture::summary(record, format_) + "\n");
  return written && lines_->is_terminal() ? lines_->flush() : written;
}

/// Whether records of such a file can be copied.
bool Sink::takes_as_stored(const capture::Format& from) const {
  return packets_ && from.byte_order == format_.byte_order && from.precision == format_.precision;
}

Result<void> Sink::put(const capture::Reader& from, const Verdicts& verdicts) {
  if (!packets_ && !lines_) return {};
  const bool as_stored = takes_as_stored(from.format());
  pieces_.clear();
  for (auto run = verdicts.run(0); run; run = verdicts.run(run->end)) {
    // All packets of a batch are stored so, or none.
    const auto stored = as_stored ? from.stored(run->first, run->end) : std::span<const std::uint8_t>();
    if (!stored.empty()) {
      pieces_.push_back(stored);
      continue;
    }
    for (std::size_t i = run->first; i < run->end; ++i) {
      auto done = put(with_precision(from.record(i), from.format().precision, format_.precision));
      if (!done) return done;
    }
  }
  return pieces_.empty() ? Result<void>{} : packets_->write_stored(pieces_);
}

void Sink::flush() {
  if (packets_) (void)packets_->flush();
  if (lines_) (void)lines_->flush();
}

Result<void> Sink::finish() {
  if (packets_) return packets_->commit();
  if (lines_) return lines_->commit();
  return {};
}

std::optional<std::string> Sink::salvage() {
  return packets_ && packets_->salvage() ? std::optional(packets_->name()) : std::nullopt;
}

}  // namespace weir::cli
