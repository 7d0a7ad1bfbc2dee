// What evaluating a part of a filter loads, and whether it may reject packets that are there as a whole: it is by this
// that one part may, or may not, be asked before another.
#pragma once
#include <cstdint>
#include <vector>

#include "pred/filter.hpp"

namespace weir::pred {

/// Where bytes end, counted from the start of the packet; nowhere for such whose place depends on the packet.
using End = std::uint64_t;
inline constexpr End nowhere = ~End{0};

/// Looks at each value and expression of a filter once.
class Loads {
 public:
  explicit Loads(const Filter& f);

  /// Marks, and what can reject a packet even when it is there as a whole: nothing is to move past them.
  bool stops(ExprId e) const { return !stops_.empty() && stops_[static_cast<std::uint32_t>(e)]; }
  /// The last byte that a value, or a comparison, loads; nowhere for other expressions.
  End end_of(ValueId v) const { return values_[static_cast<std::uint32_t>(v)].end; }
  End end_of(ExprId e) const;

 private:
  struct Loaded {
    Interval range;
    End end = 0;
    bool may_reject = false;
  };
  Loaded loaded(const Value& v) const;
  bool find_stop(const Expr& e) const;
  bool may_reject(std::uint32_t value) const { return values_[value].may_reject; }

  const Filter& filter_;
  std::vector<Loaded> values_;
  std::vector<bool> stops_;  ///< nothing where nothing does
};

}  // namespace weir::pred
