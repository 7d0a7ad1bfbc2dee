#include "pred/loads.hpp"

#include <algorithm>

#include "base/bounds.hpp"

namespace weir::pred {
namespace {

bool has_marks(const Filter& f) {
  for (std::uint32_t i = 0; i < f.expr_count(); ++i)
    if (f[ExprId{i}].kind == ExprKind::Mark) return true;
  return false;
}

}  // namespace

Loads::Loads(const Filter& f) : filter_(f) {
  values_.reserve(f.value_count());
  for (std::uint32_t i = 0; i < f.value_count(); ++i) values_.push_back(loaded(f[ValueId{i}]));  // operands come first
  if (std::ranges::none_of(values_, &Loaded::may_reject) && !has_marks(f)) return;
  stops_.reserve(f.expr_count());
  for (std::uint32_t i = 0; i < f.expr_count(); ++i) stops_.push_back(find_stop(f[ExprId{i}]));  // and parts
}

Loads::Loaded Loads::loaded(const Value& v) const {
  // No packet has 2^31 bytes and more: a load beyond them rejects whole ones.
  constexpr std::uint64_t longest = 0x7fffffff;
  const auto of = [&](ValueId operand) {
    return operand == no_value ? Loaded{{0, 0}, 0, false} : values_[static_cast<std::uint32_t>(operand)];
  };
  const Loaded a = of(v.a), b = of(v.b);
  const End end = std::max(a.end, b.end);
  const bool may_reject = a.may_reject || b.may_reject;
  switch (v.kind) {
    case ValueKind::Constant: return {{v.k, v.k}, 0, false};
    case ValueKind::Load:
      return {{0, static_cast<std::uint32_t>((std::uint64_t{1} << 8 * v.detail) - 1)}, v.a == no_value ? End{v.k} + v.detail : nowhere,
              may_reject || std::uint64_t{a.range.high} + v.k + v.detail > longest};
    case ValueKind::Binary: {
      const auto op = static_cast<Arith>(v.detail);
      const bool divides = op == Arith::Div || op == Arith::Mod;
      return {bounds(op, a.range, b.range), end, may_reject || (divides && b.range.low == 0)};
    }
    case ValueKind::Choice: return {{}, nowhere, true};  // its test may do anything
    case ValueKind::Length:
    case ValueKind::Meta:
    case ValueKind::Negate: break;
  }
  return {{}, end, may_reject};
}

bool Loads::find_stop(const Expr& e) const {
  switch (e.kind) {
    case ExprKind::True:
    case ExprKind::False:
    case ExprKind::Passed: return false;
    case ExprKind::Mark: return true;
    case ExprKind::Compare: return may_reject(e.a) || may_reject(e.b);
    case ExprKind::Member: return may_reject(e.a);
    case ExprKind::Not: return stops_[e.a];
    case ExprKind::And:
    case ExprKind::Or:
      for (std::uint32_t i = 0; i < e.b; ++i)
        if (stops(filter_.child(e, i))) return true;
      return false;
  }
  return true;
}

End Loads::end_of(ExprId id) const {
  const Expr& e = filter_[id];
  if (e.kind == ExprKind::Member) return end_of(ValueId{e.a});
  return e.kind == ExprKind::Compare ? std::max(end_of(ValueId{e.a}), end_of(ValueId{e.b})) : nowhere;
}

}  // namespace weir::pred
