// What the registers and scratch words hold at a place of the program, in values of the graph.
#pragma once
#include <array>
#include <bit>
#include <cstdint>

#include "cbpf/program.hpp"
#include "ir/program.hpp"

namespace weir::cbpf {

struct Machine {
  ir::ValueId a = ir::no_value;
  ir::ValueId x = ir::no_value;
  std::array<ir::ValueId, scratch_words> scratch = filled();
  bool stores = false;         ///< some scratch word may hold a value
  std::uint64_t computed = 0;  ///< costly values (a bit each) that every path to this place has computed

  /// What holds on both ways to a place.
  void meet(const Machine& other) {
    if (a != other.a) a = ir::no_value;
    if (x != other.x) x = ir::no_value;
    for (std::size_t i = 0; stores && i < scratch_words; ++i)
      if (scratch[i] != other.scratch[i]) scratch[i] = ir::no_value;
    computed &= other.computed;
  }

  /// The scratch word that holds a value; scratch_words when none does.
  std::uint32_t find(ir::ValueId v) const {
    for (std::uint32_t i = 0; stores && i < scratch_words; ++i)
      if (scratch[i] == v) return i;
    return scratch_words;
  }

  void store(std::uint32_t word, ir::ValueId v) {
    scratch[word] = v;
    stores = true;
  }

 private:
  static constexpr std::array<ir::ValueId, scratch_words> filled() {
    std::array<ir::ValueId, scratch_words> words{};
    words.fill(ir::no_value);
    return words;
  }
};

}  // namespace weir::cbpf
