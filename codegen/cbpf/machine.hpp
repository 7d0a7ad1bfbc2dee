// What the registers and scratch words hold at a place of the program, in values of the graph.
#pragma once
#include <algorithm>
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
    used_ = other.used_;
    std::copy_n(other.scratch_.begin(), used_, scratch_.begin());
    return *this;
  }

  /// What holds on both ways to a place.
  void meet(const Machine& other) {
    if (a != other.a) a = ir::no_value;
    if (x != other.x) x = ir::no_value;
    for (std::uint32_t i = 0; i < used_; ++i)
      if (scratch_[i] != other.scratch(i)) scratch_[i] = ir::no_value;
    computed &= other.computed;
  }

  /// What a scratch word holds.
  ir::ValueId scratch(std::uint32_t word) const { return word < used_ ? scratch_[word] : ir::no_value; }

  /// The scratch word that holds a value; scratch_words when none does.
  std::uint32_t find(ir::ValueId v) const {
    for (std::uint32_t i = 0; i < used_; ++i)
      if (scratch_[i] == v) return i;
    return scratch_words;
  }

  void store(std::uint32_t word, ir::ValueId v) {
    while (used_ <= word) scratch_[used_++] = ir::no_value;
    scratch_[word] = v;
  }

 private:
  std::uint32_t used_ = 0;                          ///< scratch words from there on hold nothing
  std::array<ir::ValueId, scratch_words> scratch_;  ///< as many as are used
};

}  // namespace weir::cbpf
