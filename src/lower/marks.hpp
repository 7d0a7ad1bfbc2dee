// Which marks evaluation may have come by at each place of a filter.
#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "pred/filter.hpp"

namespace weir::lower {

/// The marks passed, a bit each.
using Passed = std::uint64_t;
inline constexpr std::uint32_t max_marks = 64;

/// Sets of such states, numbered; 0 is the set that holds only "none passed".
class StateSets {
 public:
  StateSets() { number({0}); }
  std::uint32_t number(std::vector<Passed> states);
  std::uint32_t join(std::uint32_t a, std::uint32_t b);
  const std::vector<Passed>& operator[](std::uint32_t set) const { return sets_[set]; }

 private:
  std::vector<std::vector<Passed>> sets_;
  std::map<std::vector<Passed>, std::uint32_t> numbers_;
};

/// The states in which each part of the main expression can be reached. Parts without marks inside change none.
class Reach {
 public:
  /// `limit`: how many states a set may hold; beyond it, `overflow` is set and the rest is not to be used.
  Reach(const pred::Filter& f, StateSets& sets, std::size_t limit);

  bool has_mark(pred::ExprId e) const { return has_mark_[static_cast<std::uint32_t>(e)]; }
  /// The set in which a child of a part with marks is reached.
  std::uint32_t into(pred::ExprId e) const { return into_[static_cast<std::uint32_t>(e)]; }
  bool overflow() const { return overflow_; }

 private:
  struct Exits {
    std::uint32_t on_true, on_false;
  };
  Exits walk(pred::ExprId e, std::uint32_t in);
  Exits leaf(const pred::Expr& e, std::uint32_t in);
  Exits rest(const pred::Expr& chain, Exits first);

  const pred::Filter& filter_;
  StateSets& sets_;
  std::size_t limit_;
  std::vector<bool> has_mark_;
  std::vector<std::uint32_t> into_;
  bool overflow_ = false;
};

}  // namespace weir::lower
