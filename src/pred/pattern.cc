#include "pred/pattern.hpp"

#include <algorithm>
#include <optional>

namespace weir::pred {
namespace {

bool joins_parts(const Expr& e) { return e.kind == ExprKind::And || e.kind == ExprKind::Or; }

/// Not so deep, and not with so many operands, that what it asks for has classes of its own (classes.hpp).
bool is_simple(const Filter& f, ExprId id, std::uint32_t depth) {
  constexpr std::uint32_t deepest = 6, most_operands = 8;
  const Expr& e = f[id];
  if (depth > deepest) return false;
  if (e.kind == ExprKind::Not) return is_simple(f, ExprId{e.a}, depth + 1);
  if (!joins_parts(e)) return true;
  if (e.b > most_operands) return false;
  for (std::uint32_t i = 0; i < e.b; ++i)
    if (!is_simple(f, f.child(e, i), depth + 1)) return false;
  return true;
}

/// What is asked first.
ExprId first_part(const Filter& f, ExprId id) {
  while (joins_parts(f[id]) || f[id].kind == ExprKind::Not) id = joins_parts(f[id]) ? f.child(f[id], 0) : ExprId{f[id].a};
  return id;
}

/// The number or range that a comparison gives to a leaf about a value.
std::optional<Interval> number_for(const Filter& f, const Pattern::Given& given, ExprId id) {
  const Expr& e = f[id];
  if (const Value& k = f[ValueId{e.b}]; given.is_equality && ValueId{e.a} == given.value && k.kind == ValueKind::Constant)
    return Interval{k.k, k.k};
  const auto s = subject(f, {id, given.written.negated});
  return s && s->value == given.value && s->set.count() == 1 ? std::optional(s->set.intervals().front()) : std::nullopt;
}

}  // namespace

Pattern::Pattern(const Filter& f, ExprId term) : first_(first_part(f, term)), term_(term), is_known_(is_simple(f, term, 0)) {}

void Pattern::add(const Filter& f, Literal written, ValueId value, std::uint32_t leaf) {
  const Expr& e = f[written.expr];
  const bool is_equality = !written.negated && e.kind == ExprKind::Compare && static_cast<Relation>(e.detail) == Relation::Equal &&
                           f[value].kind != ValueKind::Binary;  // of a mask, what it asks about depends on the number
  given_.push_back({written, value, leaf, is_equality});
}

void Pattern::settle() {
  std::ranges::sort(given_, {}, [](const Given& g) { return g.written.expr; });
}

bool Pattern::is_like(const Filter& f, ExprId term, std::vector<Interval>& numbers) const {
  if (!is_known_ || term < term_) return false;
  numbers.clear();
  const std::uint32_t shift = at(term) - at(term_);
  auto next = given_.begin();
  for (ExprId id = first_; id <= term_; id = ExprId{at(id) + 1}) {
    const ExprId other{at(id) + shift};
    const Expr &x = f[id], &y = f[other];
    if (x.kind != y.kind || x.detail != y.detail) return false;
    if (x.kind == ExprKind::Compare && next != given_.end() && next->written.expr == id) {
      const auto number = number_for(f, *next++, other);
      if (!number) return false;
      numbers.push_back(*number);
    } else if (joins_parts(x)) {
      if (!has_same_parts(f, x, y, shift)) return false;
    } else if (x.kind == ExprKind::Not ? !is_same_part(ExprId{x.a}, ExprId{y.a}, shift) : x.a != y.a || x.b != y.b) {
      return false;
    }
  }
  return next == given_.end();
}

bool Pattern::has_same_parts(const Filter& f, const Expr& x, const Expr& y, std::uint32_t shift) const {
  if (x.b != y.b) return false;
  for (std::uint32_t i = 0; i < x.b; ++i)
    if (!is_same_part(f.child(x, i), f.child(y, i), shift)) return false;
  return true;
}

}  // namespace weir::pred
