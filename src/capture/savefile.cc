#include "capture/savefile.hpp"

#include <fmt/format.h>

#include <array>

#include "capture/classic_file.hpp"
#include "capture/pcap_file.hpp"
#include "capture/probe.hpp"
#include "capture/source.hpp"

namespace weir::capture {
namespace {

/// A file that ClassicFile is for, seen from its header.
struct Classic {
  Format format;
  std::uint32_t most = 0;
};

/// Nothing when it is something for libpcap: to be read, or to say what is wrong with it.
Result<std::optional<Classic>> as_classic(Source& source, const Probe& probed) {
  if (!probed.classic) return std::optional<Classic>();
  const auto header = source.peek(ClassicFile::header_size);
  if (!header) return std::unexpected(header.error());
  const auto opened = open_header(*header, probed);
  if (header->size() < ClassicFile::header_size || !opened) return std::optional<Classic>();
  const Format format = format_of(**opened, probed);
  if (changes_packets(format)) return std::optional<Classic>();
  return Classic{format, most_captured(*header, probed)};
}

/// What was looked at is gone then.
void skip_header(Source& source) {
  std::array<char, ClassicFile::header_size> header;
  (void)source.read(header.data(), header.size());
}

}  // namespace

Record with_precision(Record record, Precision from, Precision to) {
  if (from == to) return record;
  constexpr std::uint32_t micro = 1'000'000, per_micro = 1000;
  const std::uint32_t whole = from == Precision::Micro ? micro : micro * per_micro;
  record.seconds += record.fraction / whole;
  record.fraction %= whole;
  record.fraction = to == Precision::Nano ? record.fraction * per_micro : record.fraction / per_micro;
  return record;
}

Reader::Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

Result<Reader> Reader::open(const std::string& path, std::size_t block) {
  auto source = Source::open(path);
  if (!source) return std::unexpected(source.error());
  const std::string name = path == "-" ? "standard input" : path;
  const auto probed = probe(**source, name);
  if (!probed) return std::unexpected(probed.error());
  const auto classic = as_classic(**source, *probed);
  if (!classic) return std::unexpected(classic.error());

  Reader reader;
  reader.source_ = source->get();
  if (*classic) {
    skip_header(**source);
    reader.format_ = (*classic)->format;
    reader.classic_ = std::make_unique<ClassicFile>(std::move(*source), reader.format_, (*classic)->most, block);
    return reader;
  }
  auto pcap = PcapFile::open(std::move(*source), *probed, name);
  if (!pcap) return std::unexpected(pcap.error());
  reader.pcap_ = std::move(*pcap);
  reader.format_ = format_of(reader.pcap_->handle(), *probed);
  return reader;
}

Result<std::span<const PacketView>> Reader::next_batch() {
  auto batch = classic_ ? classic_->next_batch() : pcap_->next_batch();
  batch_size_ = batch ? batch->size() : 0;
  given_ = 0;
  return batch;
}

Record Reader::record(std::size_t i) const { return classic_ ? classic_->record(i) : pcap_->record(); }

std::span<const std::uint8_t> Reader::stored(std::size_t first, std::size_t end) const {
  return classic_ ? classic_->stored(first, end) : std::span<const std::uint8_t>();
}

Result<std::optional<Record>> Reader::next() {
  if (given_ == batch_size_) {
    if (const auto batch = next_batch(); !batch) return std::unexpected(batch.error());
    if (batch_size_ == 0) return std::optional<Record>();
  }
  return record(given_++);
}

void Reader::before_wait(std::function<void()> action) { source_->before_wait(std::move(action)); }

void Reader::stop_at(int descriptor) { source_->stop_at(descriptor); }
std::uint64_t Reader::bytes_read() const { return source_->done(); }
std::optional<std::uint64_t> Reader::size() const { return source_->size(); }

}  // namespace weir::capture
