// Comparisons with constants as memberships.
#pragma once
#include <optional>

#include "pred/filter.hpp"

namespace weir::pred {

/// An expression or its negation.
struct Literal {
  ExprId expr{};
  bool negated = false;
};

/// The same without `not` in front of it.
Literal plain(const Filter& f, Literal l);

struct Subject {
  ValueId value;
  Set set;
};

/// The value and the numbers for which a comparison or membership holds; nothing for other expressions.
std::optional<Subject> subject(const Filter& f, Literal l);

}  // namespace weir::pred
