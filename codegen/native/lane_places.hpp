// Which vector register, or word of the stack, each lane of straight-line code is in. Whatever the CPU.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "native/lanes.hpp"

namespace weir::native {

/// Where a vector is.
struct LanePlace {
  enum class Kind : std::uint8_t { Nowhere, Register, Stack, Constant };
  Kind kind = Kind::Nowhere;
  std::uint32_t number = 0;
  bool operator==(const LanePlace&) const = default;
};

/// Where a step finds what it needs, and puts what it makes.
struct LaneStep {
  LanePlace a, b, to;
  std::array<LanePlace, 4> columns;  ///< of a window, those that are needed
  struct Store {
    std::uint32_t from, to;  ///< register, stack
  };
  std::vector<Store> stores;  ///< that make room, before the step
};

struct LanePlaces {
  std::vector<LaneStep> steps;  ///< one a step of the code
  LanePlace verdict;
  std::vector<std::uint32_t> constants;  ///< by their numbers
  std::uint32_t stack = 0;      ///< vectors on it
};

/// With so many registers. What does not fit goes to the stack and is used from there: first what is needed last.
LanePlaces place_lanes(const Lanes& code, std::uint32_t registers);

}  // namespace weir::native
