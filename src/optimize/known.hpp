// What is known of values at a place of the graph: for the bits of a value under a mask, the numbers they may be.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/intern.hpp"
#include "base/set.hpp"
#include "ir/program.hpp"
#include "ir/ranges.hpp"

namespace weir::optimize {

/// A test of one value against constants: the numbers of the subject for which it holds.
struct Question {
  ir::ValueId value{};
  std::uint32_t mask = 0xffffffff;  ///< the number asked about is (value & mask)
  Set domain;                       ///< what it can be at all
  Set holds;
};
/// Nothing for tests between two values. Of a value of 8 bits the whole is asked about, whatever the mask.
std::optional<Question> question(const ir::Program& p, ir::Ranges& ranges, const ir::Node& test);

/// The sets that facts are made of, each once, so that facts are small and equal ones look equal.
class Numbers {
 public:
  using Id = std::uint32_t;
  Id add(Set s) {
    return index_.intern(all_, std::move(s), [](const Set& set) { return hash(set); });
  }
  const Set& operator[](Id id) const { return all_[id]; }

 private:
  std::vector<Set> all_;
  InternIndex index_;
};

class Known {
 public:
  bool empty() const { return count_ == 0; }
  /// Whether the answer is known.
  std::optional<bool> decides(const Numbers& numbers, const Question& q) const;
  /// Adds the answer.
  void learn(Numbers& numbers, const Question& q, bool answer);
  /// Keeps what holds on both ways into a place.
  void meet(Numbers& numbers, const Known& other);

 private:
  struct Fact {
    ir::ValueId value{};
    std::uint32_t mask = 0;
    Numbers::Id possible = 0;
  };
  std::span<const Fact> facts() const { return {facts_.data(), count_}; }
  void drop(const Fact* which);
  const Fact* find(ir::ValueId value, std::uint32_t mask) const;
  std::optional<std::uint32_t> single(const Numbers& numbers, const Question& q) const;

  // Forgetting is safe; these bounds keep the walk near-linear however long the filter is.
  static constexpr std::size_t most_facts = 16;
  static constexpr std::size_t most_intervals = 64;  ///< of sets that are made anew at every step
  static bool is_large(const Set& s) { return s.intervals().size() > most_intervals; }
  std::array<Fact, most_facts> facts_{};  ///< in place: every fork of the graph copies them
  std::uint32_t count_ = 0;
};

}  // namespace weir::optimize
