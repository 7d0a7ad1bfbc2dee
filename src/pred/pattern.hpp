// Terms of long lists differ from one before in their numbers alone: `host 10.0.0.1 or host 10.0.0.2 or …`. What became of that one is
// known, so their numbers go where its numbers went, at a tenth of the work. Tested by tests/unit/pred/gather_test.cc.
#pragma once
#include <cstdint>
#include <vector>

#include "pred/subject.hpp"

namespace weir::pred {

/// A term that is being taken apart, or has been.
class Pattern {
 public:
  /// A comparison whose numbers went to a leaf.
  struct Given {
    Literal written;
    ValueId value;  ///< that the leaf is about
    std::uint32_t leaf;
    bool is_equality;
  };

  Pattern() = default;
  Pattern(const Filter& f, ExprId term);

  void add(const Filter& f, Literal written, ValueId value, std::uint32_t leaf);
  /// It became something else, too: no term is like it.
  void forget() { is_known_ = false; }
  /// All is added.
  void settle();

  const std::vector<Given>& given() const { return given_; }
  /// Whether a term is made of like expressions that stand as those of this one do; then its numbers, in the order of `given`.
  bool is_like(const Filter& f, ExprId term, std::vector<Interval>& numbers) const;
  /// What stands in such a term for a part of this one.
  ExprId part_of(ExprId term, ExprId part) const { return ExprId{at(part) + at(term) - at(term_)}; }

 private:
  static std::uint32_t at(ExprId e) { return static_cast<std::uint32_t>(e); }
  bool has_same_parts(const Filter& f, const Expr& x, const Expr& y, std::uint32_t shift) const;
  bool is_same_part(ExprId x, ExprId y, std::uint32_t shift) const { return at(y) == (x < first_ ? at(x) : at(x) + shift); }

  ExprId first_{}, term_{};  ///< its expressions, one behind the other; what stands before them all like terms share
  std::vector<Given> given_;
  bool is_known_ = false;
};

}  // namespace weir::pred
