#include "capture/classic_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "capture/source.hpp"

namespace weir::capture {
namespace {

/// So many that their list stays in the first-level cache.
constexpr std::size_t most_packets = 512;

// Where a record header has what: seconds, fractions of them, captured bytes, bytes on the wire; four bytes each.
constexpr std::size_t seconds_at = 0, fraction_at = 4, captured_at = 8, length_at = 12;

template <bool swapped>
std::uint32_t number_at(const std::uint8_t* at) {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return swapped ? __builtin_bswap32(value) : value;
}

}  // namespace

ClassicFile::ClassicFile(std::unique_ptr<Source> source, const Format& format, std::uint32_t most, std::size_t block)
    : source_(std::move(source)),
      swapped_(format.byte_order != std::endian::native),
      snaplen_(std::min(format.snaplen, most)),
      most_(most),
      capacity_(std::max(block, record_header_size)),
      buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(capacity_)),
      packets_(most_packets) {}

ClassicFile::~ClassicFile() = default;

std::uint32_t ClassicFile::number(const std::uint8_t* at) const { return swapped_ ? number_at<true>(at) : number_at<false>(at); }

/// Whole records of no more than the snapshot length: how many there are, up to most_packets.
template <bool swapped>
std::size_t ClassicFile::take_usual() {
  const std::uint8_t* at = buffer_.get() + at_;
  const std::uint8_t* const end = buffer_.get() + end_;
  std::size_t count = 0;
  while (count < most_packets && static_cast<std::size_t>(end - at) >= record_header_size) {
    const std::uint32_t captured = number_at<swapped>(at + captured_at);
    if (captured > snaplen_ || captured > static_cast<std::size_t>(end - at) - record_header_size) break;
    packets_[count] = {at + record_header_size, captured, number_at<swapped>(at + length_at)};
    ++count;
    at += record_header_size + captured;
  }
  at_ = static_cast<std::size_t>(at - buffer_.get());
  return count;
}

Result<std::span<const PacketView>> ClassicFile::next_batch() {
  for (;;) {
    const std::size_t count = swapped_ ? take_usual<true>() : take_usual<false>();
    stored_ = true;
    if (count > 0) return std::span<const PacketView>(packets_).first(count);
    const auto taken = take_other();
    if (!taken) return std::unexpected(taken.error());
    if (*taken) return std::span<const PacketView>(packets_).first(1);
    if (end_ == at_) return std::span<const PacketView>();
  }
}

/// With no usual record at hand: one that is longer than the snapshot length, cut to it (true); or reads until there is a whole one or the
/// file ends with the last (false).
Result<bool> ClassicFile::take_other() {
  if (rest().size() < record_header_size) {
    const auto more = read_more(record_header_size);
    if (!more) return std::unexpected(more.error());
    if (!*more && !rest().empty()) return std::unexpected(cut_off(record_header_size));
    return false;
  }
  const std::uint32_t captured = number(rest().data() + captured_at);
  if (captured > most_) {
    return fail(
        Code::Input, {},
        fmt::format("the packet at byte {} claims to have {} captured bytes, where {} are the most that its link type has",
                    begin_ + at_, captured, most_));
  }
  const std::size_t needed = record_header_size + captured;
  if (rest().size() < needed) {
    const auto more = read_more(needed);
    if (!more) return std::unexpected(more.error());
    if (!*more) return std::unexpected(cut_off(needed));
    return false;
  }
  packets_[0] = {rest().data() + record_header_size, snaplen_, number(rest().data() + length_at)};
  at_ += needed;
  stored_ = false;
  return true;
}

/// False at the end of the file.
Result<bool> ClassicFile::read_more(std::size_t needed) {
  make_room(needed);
  const ssize_t got = source_->read(reinterpret_cast<char*>(buffer_.get() + end_), capacity_ - end_);
  if (got < 0) return fail(Code::System, {}, fmt::format("cannot read on: {}", std::strerror(errno)));
  end_ += static_cast<std::size_t>(got);
  return got > 0;
}

/// Moves what is there to the front of the buffer, and doubles this when it is full.
void ClassicFile::make_room(std::size_t needed) {
  const std::size_t there = end_ - at_;
  if (there == capacity_) {
    capacity_ = std::min(needed, 2 * capacity_);
    auto larger = std::make_unique_for_overwrite<std::uint8_t[]>(capacity_);
    std::memcpy(larger.get(), buffer_.get() + at_, there);
    buffer_ = std::move(larger);
  } else {
    std::memmove(buffer_.get(), buffer_.get() + at_, there);
  }
  begin_ += at_;
  at_ = 0;
  end_ = there;
}

Diagnostic ClassicFile::cut_off(std::size_t needed) const {
  return {.code = Code::Input,
          .span = {},
          .message = fmt::format("truncated dump file: of the {} {} of the packet at byte {}, {} are there; the file was cut "
                                 "off, or it is still being written",
                                 needed, needed == record_header_size ? "header bytes" : "bytes", begin_ + at_, rest().size()),
          .hint = ""};
}

Record ClassicFile::record(std::size_t i) const {
  const PacketView& packet = packets_[i];
  const std::uint8_t* header = packet.bytes - record_header_size;
  return {.seconds = number(header + seconds_at),
          .fraction = number(header + fraction_at),
          .length = packet.length,
          .bytes = {packet.bytes, packet.captured}};
}

std::span<const std::uint8_t> ClassicFile::stored(std::size_t first, std::size_t end) const {
  if (!stored_ || first == end) return {};
  const PacketView& last = packets_[end - 1];
  return {packets_[first].bytes - record_header_size, last.bytes + last.captured};
}

}  // namespace weir::capture
