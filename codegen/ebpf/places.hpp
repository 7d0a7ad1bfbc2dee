// A set of numbers of 32 bits as a table in which each can stand at two places only (cuckoo hashing: R. Pagh, F. F. Rodler,
// 2001): to ask whether a number is a member takes two loads, and no call.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace weir::ebpf {

struct Places {
  std::array<std::uint32_t, 2> multipliers{};
  std::uint32_t bits = 0;               ///< the table has two to the power of this many places
  std::vector<std::uint32_t> numbers;   ///< by place; where no member stands, a number whose place it is not

  /// Where a number stands, if anywhere: the highest bits of a product.
  std::uint32_t place(std::uint32_t number, std::size_t which) const { return number * multipliers[which] >> (32 - bits); }
  bool has(std::uint32_t number) const { return numbers[place(number, 0)] == number || numbers[place(number, 1)] == number; }
};

/// Nothing when there are too many, or when they find no places by any of the multipliers that are tried.
std::optional<Places> places_of(std::span<const std::uint32_t> members);

}  // namespace weir::ebpf
