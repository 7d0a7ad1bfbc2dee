#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "ir/program.hpp"

namespace weir::ir {

/// The first byte behind a guard's, counted from its base.
inline std::uint64_t end_of(const Node& guard) { return std::uint64_t{guard.k} + guard.size(); }

/// What is known at a place of a graph of the bytes that are captured: those that guards have asked for on every way there. It may forget.
class Captured {
 public:
  /// Where bytes behind a base end that are known to be captured, counted from it; 0 where none are.
  std::uint64_t end(ValueId base) const;
  bool has(ValueId base, std::uint64_t end) const { return this->end(base) >= end; }
  void learn(ValueId base, std::uint64_t end);
  /// What holds on both ways to a place.
  void meet(const Captured& other);

 private:
  struct Fact {
    ValueId base;
    std::uint64_t end;
  };
  static constexpr std::size_t most_facts = 8;  ///< every place has its own copy

  std::span<Fact> facts() { return std::span(facts_).first(size_); }
  std::span<const Fact> facts() const { return std::span(facts_).first(size_); }
  void forget(std::size_t which);

  std::array<Fact, most_facts> facts_{};
  std::size_t size_ = 0;
};

}  // namespace weir::ir
