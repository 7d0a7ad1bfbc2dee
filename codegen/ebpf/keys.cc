#include "ebpf/keys.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace weir::ebpf {
namespace {

Prefix prefix(std::uint32_t value, std::uint32_t free_bits, std::uint32_t bytes) {
  Prefix p;
  for (std::uint32_t i = 0; i < bytes; ++i) p.bytes[i] = static_cast<std::uint8_t>(value >> 8 * (bytes - 1 - i));
  p.bits = 8 * bytes - free_bits;
  return p;
}

/// The fewest blocks of a power of two, each beginning at a multiple of its size.
void split(Interval in, std::uint32_t bytes, std::vector<Prefix>& to) {
  std::uint64_t low = in.low;
  const std::uint64_t end = std::uint64_t{in.high} + 1;
  while (low < end) {
    const auto aligned = static_cast<std::uint32_t>(
        low == 0 ? 8 * bytes : std::min<std::uint32_t>(8 * bytes, static_cast<std::uint32_t>(std::countr_zero(low))));
    const auto fits = static_cast<std::uint32_t>(std::bit_width(end - low) - 1);
    const std::uint32_t free_bits = std::min(aligned, fits);
    to.push_back(prefix(static_cast<std::uint32_t>(low), free_bits, bytes));
    low += std::uint64_t{1} << free_bits;
  }
}

}  // namespace

bool are_nearly_points(const Set& set) { return set.size() <= 2 * set.intervals().size(); }

std::vector<Prefix> prefixes_of(const Set& set, std::uint32_t bytes) {
  std::vector<Prefix> all;
  const bool nearly_points = are_nearly_points(set);
  for (const Interval in : set.intervals()) {
    if (!nearly_points) {
      split(in, bytes, all);
      continue;
    }
    for (std::uint64_t x = in.low; x <= in.high; ++x) all.push_back(prefix(static_cast<std::uint32_t>(x), 0, bytes));
  }
  return all;
}

Map map_of(std::vector<Prefix> prefixes, std::uint32_t bytes) {
  std::ranges::sort(prefixes);
  prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
  Map map;
  map.kind = std::ranges::all_of(prefixes, [&](const Prefix& p) { return p.bits == 8 * bytes; }) ? MapKind::Hash : MapKind::LpmTrie;
  map.key_bytes = bytes + (map.kind == MapKind::LpmTrie ? 4 : 0);
  map.value_bytes = 1;
  map.max_entries = static_cast<std::uint32_t>(prefixes.size());
  map.keys.reserve(prefixes.size() * map.key_bytes);
  for (const Prefix& p : prefixes) {
    if (map.kind == MapKind::LpmTrie) {
      std::uint8_t length[4];  // in the host's order
      std::memcpy(length, &p.bits, sizeof length);
      map.keys.insert(map.keys.end(), length, length + 4);
    }
    map.keys.insert(map.keys.end(), p.bytes.begin(), p.bytes.begin() + bytes);
  }
  return map;
}

}  // namespace weir::ebpf
