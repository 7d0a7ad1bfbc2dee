#include "pred/classes.hpp"

namespace weir::pred {
namespace {

constexpr std::uint8_t goes_on = 0, ends = 1, itself = 2;
constexpr std::uint32_t most_compared = 6, most_operands = 8;  // `tcp` is four chains deep, and stands in others

}  // namespace

bool is_any(const Filter& f, Literal l) { return f[l.expr].kind == (l.negated ? ExprKind::And : ExprKind::Or); }
bool is_all(const Filter& f, Literal l) { return f[l.expr].kind == (l.negated ? ExprKind::Or : ExprKind::And); }

std::vector<std::uint32_t> Classes::of_parts(Literal term) {
  const Expr& e = filter_[term.expr];
  if (!is_all(filter_, term) || e.b > most_operands) return {of(term)};
  std::vector<std::uint32_t> parts;
  for (std::uint32_t i = 0; i < e.b; ++i) parts.push_back(of(plain(filter_, {filter_.child(e, i), term.negated})));
  return parts;
}

std::uint32_t Classes::of(Literal l, std::uint32_t depth) {
  const Expr& e = filter_[l.expr];
  const auto kind = static_cast<std::uint8_t>(e.kind);
  if (e.kind != ExprKind::And && e.kind != ExprKind::Or) return number({kind, e.detail, l.negated, e.a, e.b});
  if (depth == most_compared || e.b > most_operands) return number({kind, itself, l.negated, static_cast<std::uint32_t>(l.expr), 0});
  const auto operand = [&](std::uint32_t i) { return of(plain(filter_, {filter_.child(e, i), false}), depth + 1); };
  std::uint32_t all = operand(0);
  for (std::uint32_t i = 1; i < e.b; ++i) all = number({kind, i + 1 == e.b ? ends : goes_on, l.negated, all, operand(i)});
  return all;
}

std::uint32_t Classes::number(const Shape& shape) {
  return index_.intern(shapes_, shape, [](const Shape& s) { return mix(mix(2, s.kind, s.detail * 2u + s.negated), s.a, s.b); });
}

}  // namespace weir::pred
