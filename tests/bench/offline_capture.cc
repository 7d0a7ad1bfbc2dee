#include "offline_capture.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

#include "random.hpp"
#include "traffic.hpp"

namespace weir::bench {
namespace {

constexpr std::size_t shortest = 60, longest = 1514;  // Ethernet frames, without the check sequence

/// The frame as it is on the wire: what a packet carries beyond what the table makes of it is noise.
void fill_frame(const oracle::Sample& s, const std::vector<std::uint8_t>& noise, std::vector<std::uint8_t>& frame) {
  const std::size_t size =
      std::clamp<std::size_t>(std::max<std::size_t>(s.length, s.bytes.size()), shortest, std::max(longest, s.bytes.size()));
  frame.assign(s.bytes.begin(), s.bytes.end());
  frame.insert(frame.end(), noise.begin(), noise.begin() + static_cast<std::ptrdiff_t>(size - s.bytes.size()));
}

bool put(std::FILE* to, const void* bytes, std::size_t size) { return std::fwrite(bytes, 1, size, to) == size; }

}  // namespace

std::optional<std::uint64_t> write_capture(const std::string& path, const TrafficModel& model, const std::vector<oracle::Sample>& aimed,
                                           std::uint64_t bytes, std::uint32_t snaplen) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"), &std::fclose);
  if (!file) return std::nullopt;
  (void)std::setvbuf(file.get(), nullptr, _IOFBF, 1 << 20);
  oracle::Setting setting;
  oracle::Random random(7);
  std::vector<std::uint8_t> noise(longest), frame;
  for (std::uint8_t& b : noise) b = random.byte();

  const std::uint32_t header[6] = {0xa1b2c3d4, 0x00040002, 0, 0, snaplen, 1};  // in the order of this host, which is little-endian
  if (!put(file.get(), header, sizeof header)) return std::nullopt;
  std::uint64_t packets = 0;
  for (std::uint64_t written = sizeof header; written < bytes; ++packets) {
    const bool aim = !aimed.empty() && random.percent(model.aimed_percent());
    fill_frame(aim ? aimed[random.below(aimed.size())] : packet(model, setting, random), noise, frame);
    const auto length = static_cast<std::uint32_t>(frame.size()), captured = std::min(length, snaplen);
    const std::uint32_t record[4] = {1'700'000'000 + static_cast<std::uint32_t>(packets / 1'000'000),
                                     static_cast<std::uint32_t>(packets % 1'000'000), captured, length};
    if (!put(file.get(), record, sizeof record) || !put(file.get(), frame.data(), captured)) return std::nullopt;
    written += sizeof record + captured;
  }
  return std::fflush(file.get()) == 0 ? std::optional(packets) : std::nullopt;
}

}  // namespace weir::bench
