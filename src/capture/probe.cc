// Classic pcap: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html, pcapng:
// https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html.
#include "capture/probe.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "capture/source.hpp"

namespace weir::capture {
namespace {

constexpr auto other_order = std::endian::native == std::endian::little ? std::endian::big : std::endian::little;

template <class T>
T number(std::string_view bytes, std::size_t at, std::endian order) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    const auto byte = static_cast<std::uint8_t>(bytes[at + i]);
    value |= std::uint32_t{byte} << 8 * (order == std::endian::big ? sizeof(T) - 1 - i : i);
  }
  return static_cast<T>(value);
}

/// The byte order in which the four bytes are this number.
std::optional<std::endian> order_of(std::string_view bytes, std::size_t at, std::uint32_t magic) {
  for (const auto order : {std::endian::native, other_order}) {
    if (number<std::uint32_t>(bytes, at, order) == magic) return order;
  }
  return std::nullopt;
}

struct Magic { std::uint32_t number; Precision precision; bool extended; };
constexpr Magic classic_magics[] = {
    {0xa1b2c3d4, Precision::Micro, false},
    {0xa1b23c4d, Precision::Nano, false},
    {0xa1b2cd34, Precision::Micro, true},  // libpcap as patched by Alexey Kuznetzov: more in each record
};
/// In older ones the two lengths of a record may have changed places.
constexpr std::uint16_t version_major = 2, version_minor = 4;

std::optional<Probe> probe_classic(std::string_view start) {
  for (const auto& magic : classic_magics) {
    const auto order = order_of(start, 0, magic.number);
    if (!order) continue;
    const bool current =
        number<std::uint16_t>(start, 4, *order) == version_major && number<std::uint16_t>(start, 6, *order) == version_minor;
    return Probe{magic.precision, *order, current && !magic.extended, true};
  }
  return std::nullopt;
}

constexpr std::uint32_t section_header = 0x0a0d0d0a, byte_order_magic = 0x1a2b3c4d, interface_description = 1,
                        packet_block = 2, simple_packet = 3, enhanced_packet = 6;
constexpr std::uint16_t option_end = 0, option_resolution = 9;
// No sane file has more before its first packet; a pipe with a hostile one must not fill the memory.
constexpr std::size_t most_probed = 1 << 20;

/// Whether if_tsresol says that stamps are finer than a microsecond: 10^-n, or 2^-n when the highest bit is set.
bool finer_than_micro(std::uint8_t resolution) {
  return resolution & 0x80 ? (resolution & 0x7f) > 19 : resolution > 6;
}

/// From a whole interface description block; its options begin behind link type and snaplen.
bool has_fine_clock(std::string_view block, std::endian order) {
  for (std::size_t at = 16; at + 8 <= block.size();) {
    const auto code = number<std::uint16_t>(block, at, order);
    const auto length = number<std::uint16_t>(block, at + 2, order);
    if (code == option_end) return false;
    if (code == option_resolution && length == 1) return finer_than_micro(static_cast<std::uint8_t>(block[at + 4]));
    at += 4u + (length + 3u) / 4u * 4u;
  }
  return false;
}

/// Walks the blocks before the first packet. What is wrong with them is for libpcap to say.
Result<Probe> probe_next_generation(Source& source, std::endian order) {
  Probe result = {Precision::Micro, order, false, false};
  for (std::size_t at = 0; at < most_probed;) {
    const auto head = source.peek(at + 8);
    if (!head) return std::unexpected(head.error());
    if (head->size() < at + 8) break;
    const auto type = number<std::uint32_t>(*head, at, order);
    const auto length = number<std::uint32_t>(*head, at + 4, order);
    if (type == packet_block || type == simple_packet || type == enhanced_packet) break;
    if (length < 12 || length % 4 != 0 || length > most_probed) break;
    const auto all = source.peek(at + length);
    if (!all) return std::unexpected(all.error());
    if (all->size() < at + length) break;
    if (type == interface_description && has_fine_clock(all->substr(at, length), order)) {
      result.precision = Precision::Nano;
    }
    at += length;
  }
  return result;
}

struct Packed { std::string_view start, name, command; };
constexpr Packed packed_forms[] = {
    {"\x1f\x8b", "gzip", "gzip -dc"},
    {"BZh", "bzip2", "bzip2 -dc"},
    {std::string_view("\xfd" "7zXZ\0", 6), "xz", "xz -dc"},
    {"\x28\xb5\x2f\xfd", "zstd", "zstd -dc"},
    {"\x04\x22\x4d\x18", "lz4", "lz4 -dc"},
};

std::unexpected<Diagnostic> no_savefile(std::string_view start, const std::string& name) {
  if (start.empty()) return fail(Code::Input, {}, fmt::format("{} is empty", name));
  for (const auto& form : packed_forms) {
    if (start.starts_with(form.start)) {
      return fail(Code::Input, {}, fmt::format("{} is compressed with {}", name, form.name),
                  fmt::format("unpack it on the way: {} FILE | weir filter -r - …", form.command));
    }
  }
  return fail(Code::Input, {}, fmt::format("{} is neither pcap nor pcapng", name));
}

}  // namespace

Result<Probe> probe(Source& source, const std::string& name) {
  const auto start = source.peek(12);
  if (!start) return std::unexpected(start.error());
  if (start->size() < 12) return no_savefile(*start, name);
  if (const auto classic = probe_classic(*start)) return *classic;
  if (number<std::uint32_t>(*start, 0, std::endian::native) == section_header) {
    if (const auto order = order_of(*start, 8, byte_order_magic)) return probe_next_generation(source, *order);
  }
  return no_savefile(*start, name);
}

}  // namespace weir::capture
