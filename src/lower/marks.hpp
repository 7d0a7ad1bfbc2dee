// Which marks evaluation may have come by at each place of a filter.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/column.hpp"
#include "pred/filter.hpp"

namespace weir::lower {

/// The marks passed, a bit each.
using Passed = std::uint64_t;
inline constexpr std::uint32_t max_marks = 64;

/// Sets of such states, numbered; 0 is the set that holds only "none passed".
class StateSets {
 public:
  std::uint32_t number(std::vector<Passed> states);
  std::uint32_t join(std::uint32_t a, std::uint32_t b);
  /// Until a set is added.
  std::span<const Passed> operator[](std::uint32_t set) const {
    return set == 0 ? std::span(none_) : std::span<const Passed>(more_[set - 1]);
  }

 private:
  std::array<Passed, 1> none_{0};
  std::vector<std::vector<Passed>> more_;
  std::map<std::vector<Passed>, std::uint32_t> numbers_;
};

/// The states in which each part of the main expression can be reached. Parts without marks inside change none.
class Reach {
 public:
  /// `limit`: how many states a set may hold; beyond it, `overflow` is set and the rest is not to be used.
  Reach(const pred::Filter& f, StateSets& sets, std::size_t limit);

  bool has_mark(pred::ExprId e) const { return has_mark_.size() != 0 && has_mark_[e]; }
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
  Column<bool> has_mark_;
  std::vector<std::uint32_t> into_;
  bool overflow_ = false;
};

}  // namespace weir::lower
