#include "pred/filter.hpp"

#include <utility>

namespace weir::pred {
namespace {

std::uint64_t hash(const Value& v) {
  const std::uint64_t h = mix(static_cast<std::uint64_t>(v.kind) << 8 | v.detail, v.k, static_cast<std::uint32_t>(v.test));
  return mix(h, static_cast<std::uint32_t>(v.a), static_cast<std::uint32_t>(v.b));
}

bool is_chain(const Expr& e) { return e.kind == ExprKind::And || e.kind == ExprKind::Or; }

}  // namespace

ValueId Filter::intern(const Value& v) { return ValueId{index_.intern(values_, v, hash)}; }

ValueId Filter::constant(std::uint32_t k) { return intern({.k = k}); }

ValueId Filter::load(std::uint32_t size, ValueId base, std::uint32_t displacement) {
  return intern({ValueKind::Load, static_cast<std::uint8_t>(size), displacement, base, no_value, {}});
}

ValueId Filter::length() { return intern({.kind = ValueKind::Length}); }

ValueId Filter::meta(Meta m) { return intern({.kind = ValueKind::Meta, .detail = static_cast<std::uint8_t>(m)}); }

ValueId Filter::negate(ValueId a) { return intern({.kind = ValueKind::Negate, .a = a}); }

ValueId Filter::binary(Arith op, ValueId a, ValueId b) {
  return intern({ValueKind::Binary, static_cast<std::uint8_t>(op), 0, a, b, {}});
}

ValueId Filter::choice(ExprId test, ValueId a, ValueId b) {
  if (is(test, ExprKind::True) || a == b) return a;
  if (is(test, ExprKind::False)) return b;
  return intern({ValueKind::Choice, 0, 0, a, b, test});
}

std::uint32_t Filter::number_of(Span span) {
  if (spans_.empty() || spans_.back() != span) spans_.push_back(span);
  return static_cast<std::uint32_t>(spans_.size() - 1);
}

ExprId Filter::push(Expr e, Span span) {
  e.words = number_of(span);
  exprs_.push_back(e);
  return ExprId{static_cast<std::uint32_t>(exprs_.size() - 1)};
}

ExprId Filter::truth(bool value) { return push({value ? ExprKind::True : ExprKind::False, 0, 0, 0}, {}); }

ExprId Filter::compare(Relation op, ValueId a, ValueId b, Span span) {
  return push({ExprKind::Compare, static_cast<std::uint8_t>(op), static_cast<std::uint32_t>(a),
               static_cast<std::uint32_t>(b)}, span);
}

ExprId Filter::member(ValueId a, Set set, Span span) {
  if (set.empty() || set.is_everything()) return truth(!set.empty());
  set.settle();
  const std::uint32_t number = set_index_.intern(sets_, std::move(set), [](const Set& s) { return weir::hash(s); });
  return push({ExprKind::Member, 0, static_cast<std::uint32_t>(a), number}, span);
}

ExprId Filter::negation(ExprId e, Span span) {
  if (is(e, ExprKind::True)) return truth(false);
  if (is(e, ExprKind::False)) return truth(true);
  return push({ExprKind::Not, 0, static_cast<std::uint32_t>(e), 0}, span);
}

ExprId Filter::join(ExprKind kind, std::span<const ExprId> operands, Span span) {
  const bool neutral_is_true = kind == ExprKind::And;
  const ExprKind neutral = neutral_is_true ? ExprKind::True : ExprKind::False;
  const ExprKind deciding = neutral_is_true ? ExprKind::False : ExprKind::True;
  for (const ExprId e : operands)
    if (is(e, deciding)) return e;
  const std::size_t first = children_.size();
  for (const ExprId e : operands)
    if (!is(e, neutral)) children_.push_back(e);
  const std::size_t count = children_.size() - first;
  if (count > 1) return push({kind, 0, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(count)}, span);
  const ExprId only = count == 1 ? children_.back() : truth(neutral_is_true);
  children_.resize(first);
  return only;
}

void Filter::repeat(ExprId first, std::size_t count, ValueId from, ValueId to, Span span) {
  const auto begin = static_cast<std::uint32_t>(first);
  const std::uint32_t shift = static_cast<std::uint32_t>(exprs_.size()) - begin;
  const std::uint32_t words = number_of(span);
  std::size_t children = children_.size(), more_children = 0;
  for (std::uint32_t i = begin; i < begin + count; ++i) more_children += is_chain(exprs_[i]) ? exprs_[i].b : 0;
  children_.resize(children + more_children);
  exprs_.resize(exprs_.size() + count);
  for (std::uint32_t i = begin; i < begin + count; ++i) {
    Expr& copy = exprs_[i + shift];
    copy = exprs_[i];
    copy.words = words;
    if (copy.kind == ExprKind::Compare && copy.b == static_cast<std::uint32_t>(from)) copy.b = static_cast<std::uint32_t>(to);
    if (copy.kind == ExprKind::Not) copy.a += shift;
    if (!is_chain(copy)) continue;
    const ExprId* const old = children_.data() + std::exchange(copy.a, static_cast<std::uint32_t>(children));
    for (std::uint32_t n = 0; n < copy.b; ++n) children_[children++] = ExprId{static_cast<std::uint32_t>(old[n]) + shift};
  }
}

void Filter::expect(std::size_t more) {
  const std::size_t wanted = exprs_.size() + more + more / 64 + 16;  // one too many would double it all
  if (wanted < 2 * exprs_.capacity()) return;  // growing as always does as well
  exprs_.reserve(wanted);
  children_.reserve(wanted);
  if (values_.empty()) values_.reserve(wanted);
}

void Filter::trim() {
  index_ = {};
  set_index_ = {};
  give_back(values_);
  give_back(exprs_);
  give_back(spans_);
  give_back(children_);
}

}  // namespace weir::pred
