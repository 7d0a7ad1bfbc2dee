// Which registers and scratch words are read, at an instruction or behind it, before they are written. What is not does
// not tell states apart. Tested by tests/unit/lift/lift_test.cc.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cbpf/program.hpp"

namespace weir::lift {

/// A, X and the scratch words, as numbers of places.
inline constexpr std::size_t place_a = 0, place_x = 1, first_scratch = 2, place_count = first_scratch + cbpf::scratch_words;

/// Places, a bit each.
using Places = std::uint32_t;
constexpr Places place(std::size_t number) { return Places{1} << number; }

/// By instruction, of a program whose jumps lead forward and stay inside.
std::vector<Places> live_places(const std::vector<cbpf::Instruction>& code);

}  // namespace weir::lift
