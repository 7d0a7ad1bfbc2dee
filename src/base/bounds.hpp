// Bounds of arithmetic on values of which bounds are known. Tested by tests/unit/base/bounds_test.cc.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>

#include "base/arith.hpp"
#include "base/set.hpp"

namespace weir {

/// The smallest 2^n - 1 that is not below v.
constexpr std::uint32_t all_ones(std::uint32_t v) { return v ? 0xffffffff >> std::countl_zero(v) : 0; }

/// Between which numbers a OP b lies; a division by zero ends everything and does not count.
inline Interval bounds(Arith op, Interval a, Interval b) {
  const auto fitting = [](std::uint64_t low, std::uint64_t high) {
    return high > 0xffffffff ? Interval{} : Interval{static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(high)};
  };
  const bool fixed = b.low == b.high;
  switch (op) {
    case Arith::Add: return fitting(std::uint64_t{a.low} + b.low, std::uint64_t{a.high} + b.high);
    case Arith::Sub: return a.low >= b.high ? Interval{a.low - b.high, a.high - b.low} : Interval{};
    case Arith::Mul: return fitting(std::uint64_t{a.low} * b.low, std::uint64_t{a.high} * b.high);
    case Arith::Div: return {a.low / std::max(b.high, 1u), a.high / std::max(b.low, 1u)};
    case Arith::Mod: return {0, b.high ? std::min(a.high, b.high - 1) : 0};
    case Arith::And: return {0, std::min(a.high, b.high)};
    case Arith::Or: return {std::max(a.low, b.low), all_ones(a.high | b.high)};
    case Arith::Xor: return {0, all_ones(a.high | b.high)};
    case Arith::Lsh: return fixed && b.low < 32 ? fitting(std::uint64_t{a.low} << b.low, std::uint64_t{a.high} << b.low) : Interval{};
    case Arith::Rsh: return fixed && b.low < 32 ? Interval{a.low >> b.low, a.high >> b.low} : Interval{0, a.high};
  }
  return {};
}

}  // namespace weir
