// What conditions say, as numbers: two that say the same, wherever they stand, have the same.
#pragma once
#include <cstdint>
#include <vector>

#include "pred/subject.hpp"

namespace weir::pred {

/// Numbers the expressions of a filter that it is asked for. A chain is compared operand by operand, down to some chains within chains of
/// a few operands; longer and deeper ones are but like themselves.
class Classes {
 public:
  /// `f` may get more expressions meanwhile.
  explicit Classes(const Filter& f) : filter_(f) {}

  std::uint32_t of(Literal l) { return of(l, 0); }
  /// Of what all has to hold for `term`, by part, in their order; of one that is no conjunction, or a long one, it alone.
  std::vector<std::uint32_t> of_parts(Literal term);

 private:
  /// An expression without its place in the text; of a chain, its operands one after the other.
  struct Shape {
    std::uint8_t kind = 0, detail = 0;
    bool negated = false;
    std::uint32_t a = 0, b = 0;
    bool operator==(const Shape&) const = default;
  };

  std::uint32_t of(Literal l, std::uint32_t depth);
  std::uint32_t number(const Shape& shape);

  const Filter& filter_;
  std::vector<Shape> shapes_;
  InternIndex index_;
};

/// Whether a literal holds where one of its operands does, or where all do, turned as it is.
bool is_any(const Filter& f, Literal l);
bool is_all(const Filter& f, Literal l);

}  // namespace weir::pred
