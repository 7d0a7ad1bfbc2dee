#include "pred/subject.hpp"

namespace weir::pred {
namespace {

std::optional<std::uint32_t> constant(const Filter& f, ValueId v) {
  return f[v].kind == ValueKind::Constant ? std::optional(f[v].k) : std::nullopt;
}

/// (x & m) == k for a mask of the upper bits of x: an interval of x.
Subject equal(const Filter& f, ValueId v, std::uint32_t k) {
  const Value& masked = f[v];
  const bool is_masked = masked.kind == ValueKind::Binary && static_cast<Arith>(masked.detail) == Arith::And;
  const auto mask = is_masked ? constant(f, masked.b) : std::nullopt;
  if (!mask) return {v, Set::of(k)};
  const Value& x = f[masked.a];
  const std::uint32_t all = x.kind == ValueKind::Load && x.detail < 4 ? (1u << 8 * x.detail) - 1 : 0xffffffff;
  const std::uint32_t rest = ~*mask & all;
  const bool is_interval = (rest & (rest + 1)) == 0 && (k & ~(*mask & all)) == 0;
  return is_interval ? Subject{masked.a, Set({k, k | rest})} : Subject{v, Set::of(k)};
}

std::optional<Subject> against(const Filter& f, ValueId v, Relation op, std::uint32_t k) {
  switch (op) {
    case Relation::Equal: return equal(f, v, k);
    case Relation::Greater: return Subject{v, k == 0xffffffff ? Set() : Set({k + 1, 0xffffffff})};
    case Relation::GreaterEqual: return Subject{v, Set({k, 0xffffffff})};
    case Relation::Bits: break;
  }
  return std::nullopt;
}

}  // namespace

Literal plain(const Filter& f, Literal l) {
  while (f[l.expr].kind == ExprKind::Not) l = {ExprId{f[l.expr].a}, !l.negated};
  return l;
}

std::optional<Subject> subject(const Filter& f, Literal l) {
  const Expr& e = f[l.expr];
  if (e.kind == ExprKind::Member) return Subject{ValueId{e.a}, l.negated ? f.set(e.b).complement() : f.set(e.b)};
  if (e.kind != ExprKind::Compare) return std::nullopt;
  const auto k = constant(f, ValueId{e.b});
  if (!k || constant(f, ValueId{e.a})) return std::nullopt;
  auto s = against(f, ValueId{e.a}, static_cast<Relation>(e.detail), *k);
  if (s && l.negated) s->set = s->set.complement();
  return s;
}

}  // namespace weir::pred
