// The order in which to ask what all has to hold. Judged by a model of where packets fail: of all packets, so many fail the
// first part, of the others so many the second, and so on; behind the part that a packet fails, bytes whose meaning that
// part tells may be anything.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "optimize/profile.hpp"

namespace weir::optimize {

/// What a part costs, and how often it is passed.
struct Expected {
  double instructions = 0, passed = 0;
};

/// The bytes of a packet that a part asks about; behind all others, those whose place depends on the packet. Nothing: end is 0.
struct Extent {
  static constexpr std::uint32_t behind = 0x80000000;
  std::uint32_t begin = 0xffffffff, end = 0;

  void add(std::uint32_t from, std::uint32_t to) {
    begin = from < begin ? from : begin;
    end = to > end ? to : end;
  }
  /// Whether it may tell what other bytes mean: protocols say what follows.
  bool gives_meaning_to(const Extent& other) const { return end != 0 && end <= other.begin && end <= behind; }
};

struct Step {
  std::array<Expected, Profile::networks> in_place;  ///< of packets that pass all before it
  Expected anywhere;                                 ///< of packets whose bytes may be anything there
  Extent bytes;
  double saved_first = 0;  ///< where it is the first one, by what is in a register then
  bool may_move = true;
  bool is_guess = false;       ///< nothing is known of how often it is passed
  bool is_address = false;     ///< asks first of all for a number that says nothing of what other bytes mean
  bool is_one_number = false;  ///< asks for one number of its bytes
  bool is_of_bits = false;     ///< asks for few numbers of some of the bits of its bytes, whose place is fixed
};

inline constexpr std::size_t most_steps = 8;
using Sequence = std::array<std::uint8_t, most_steps>;

/// Steps by their places, best first: moved ahead where that pays in all networks. Tested by tests/unit/optimize/sequence_test.cc.
Sequence best_sequence(std::span<const Step> steps);

}  // namespace weir::optimize
