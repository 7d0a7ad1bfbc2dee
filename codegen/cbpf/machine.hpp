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
  std::uint64_t computed = 0;  ///< costly values (a bit each) that every path to this place has computed

  Machine() = default;
  Machine(const Machine& other) { *this = other; }
  Machine& operator=(const Machine& other) {
    a = other.a;
    x = other.x;
    computed = other.computed;
    stores_ = other.stores_;
    if (stores_) scratch_ = other.scratch_;
    return *this;
  }

  /// What holds on both ways to a place.
  void meet(const Machine& other) {
    if (a != other.a) a = ir::no_value;
    if (x != other.x) x = ir::no_value;
    for (std::uint32_t i = 0; stores_ && i < scratch_words; ++i)
      if (scratch_[i] != other.scratch(i)) scratch_[i] = ir::no_value;
    computed &= other.computed;
  }

  /// What a scratch word holds.
  ir::ValueId scratch(std::uint32_t word) const { return stores_ ? scratch_[word] : ir::no_value; }

  /// The scratch word that holds a value; scratch_words when none does.
  std::uint32_t find(ir::ValueId v) const {
    for (std::uint32_t i = 0; stores_ && i < scratch_words; ++i)
      if (scratch_[i] == v) return i;
    return scratch_words;
  }

  void store(std::uint32_t word, ir::ValueId v) {
    if (!stores_) scratch_.fill(ir::no_value);
    scratch_[word] = v;
    stores_ = true;
  }

 private:
  bool stores_ = false;                              ///< some scratch word may hold a value
  std::array<ir::ValueId, scratch_words> scratch_;  ///< where one may
};

}  // namespace weir::cbpf
