// Sets as what maps hold: keys in network order.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/set.hpp"
#include "ebpf/program.hpp"

namespace weir::ebpf {

/// All values of up to 16 bytes that begin with these bits.
struct Prefix {
  std::array<std::uint8_t, 16> bytes{};  ///< those behind the bits are 0
  std::uint32_t bits = 0;
  auto operator<=>(const Prefix&) const = default;
};

/// Whether the set is but a few numbers more than it has intervals: a map has each of them for a key.
bool are_nearly_points(const Set& set);

/// The numbers of a set, as values of `bytes` bytes: as few prefixes as they are; nearly points are one each, for
/// those are found faster.
std::vector<Prefix> prefixes_of(const Set& set, std::uint32_t bytes);

/// A map of them: a hash where all bits of all count, otherwise a trie. Without a name.
Map map_of(std::vector<Prefix> prefixes, std::uint32_t bytes);

}  // namespace weir::ebpf
