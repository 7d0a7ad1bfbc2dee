#pragma once
#include <cstdint>

namespace weir {

/// All numbers between two, both included.
struct Interval {
  std::uint32_t low = 0;
  std::uint32_t high = 0xffffffff;
  bool operator==(const Interval&) const = default;
  /// How many numbers: up to 2^32.
  std::uint64_t size() const { return std::uint64_t{high} - low + 1; }
};

}  // namespace weir
