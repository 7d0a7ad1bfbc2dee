#include "ir/ranges.hpp"

#include <algorithm>
#include <bit>

namespace weir::ir {
namespace {

constexpr std::uint64_t top = 0xffffffff;

Interval fitting(std::uint64_t low, std::uint64_t high) {
  if (high > top) return {};
  return {static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(high)};
}

/// The smallest 2^n - 1 that is not below v.
std::uint32_t all_ones(std::uint32_t v) { return v ? 0xffffffff >> std::countl_zero(v) : 0; }

Interval binary(Arith op, Interval a, Interval b) {
  const bool fixed = b.low == b.high;
  switch (op) {
    case Arith::Add: return fitting(std::uint64_t{a.low} + b.low, std::uint64_t{a.high} + b.high);
    case Arith::Sub: return a.low >= b.high ? Interval{a.low - b.high, a.high - b.low} : Interval{};
    case Arith::Mul: return fitting(std::uint64_t{a.low} * b.low, std::uint64_t{a.high} * b.high);
    case Arith::Div: return {a.low / std::max(b.high, 1u), a.high / std::max(b.low, 1u)};
    case Arith::Mod: return {0, b.high ? std::min(a.high, b.high - 1) : 0};
    case Arith::And: return {0, std::min(a.high, b.high)};
    case Arith::Or: return {std::max(a.low, b.low), all_ones(a.high | b.high)};
    case Arith::Xor: return {0, all_ones(a.high | b.high)};
    case Arith::Lsh:
      if (fixed && b.low < 32) return fitting(std::uint64_t{a.low} << b.low, std::uint64_t{a.high} << b.low);
      return {};
    case Arith::Rsh: return fixed && b.low < 32 ? Interval{a.low >> b.low, a.high >> b.low} : Interval{0, a.high};
  }
  return {};
}

}  // namespace

Interval Ranges::of(ValueId v) {
  const auto n = static_cast<std::uint32_t>(v);
  if (known_.size() <= n) {
    known_.resize(program_.value_count());
    is_known_.resize(program_.value_count());
  }
  if (!is_known_[n]) {
    const Interval found = compute(program_[v]);
    known_[n] = found;
    is_known_[n] = true;
  }
  return known_[n];
}

Ranges::Passage Ranges::passage(const Node& guard) {
  const Interval base = guard.a == no_value ? Interval{0, 0} : of(guard.a);
  const std::uint64_t end = std::uint64_t{guard.k} + guard.size();
  if (base.low + end > max_captured) return Passage::Never;
  return base.high + end > max_captured ? Passage::Maybe : Passage::Always;
}

bool Ranges::may_reject(ValueId v) {
  if (v == no_value) return false;
  const auto n = static_cast<std::uint32_t>(v);
  if (rejects_.size() <= n) rejects_.resize(program_.value_count());
  if (rejects_[n] == 0) {
    const Value& value = program_[v];
    const bool may = value.kind == ValueKind::Choice ? has_check(value.root()) : may_reject(value.a) || may_reject(value.b);
    rejects_[n] = may ? 2 : 1;
  }
  return rejects_[n] == 2;
}

bool Ranges::has_check(NodeId root) {
  std::vector<NodeId> left{root}, seen;
  while (!left.empty()) {
    const NodeId id = left.back();
    left.pop_back();
    if (std::find(seen.begin(), seen.end(), id) != seen.end()) continue;
    seen.push_back(id);
    const Node& n = program_[id];
    const bool checks = n.kind == NodeKind::NonZero || (n.kind == NodeKind::Guard && passage(n) != Passage::Always);
    if (checks || may_reject(n.a) || may_reject(n.b)) return true;
    if (n.kind == NodeKind::Return) continue;
    left.push_back(n.t);
    if (n.forks()) left.push_back(n.f);
  }
  return false;
}

Interval Ranges::compute(const Value& v) {
  switch (v.kind) {
    case ValueKind::Constant: return {v.k, v.k};
    case ValueKind::Load: return {0, static_cast<std::uint32_t>((std::uint64_t{1} << 8 * v.size()) - 1)};
    case ValueKind::Binary: return binary(v.arith(), of(v.a), of(v.b));
    case ValueKind::Choice: return of_choice(v.root());
    case ValueKind::Length:
    case ValueKind::Meta:
    case ValueKind::Negate: return {};
  }
  return {};
}

/// From the smallest to the largest of what the leaves return.
Interval Ranges::of_choice(NodeId root) {
  Interval all{0xffffffff, 0};
  std::vector<NodeId> left{root}, seen;
  while (!left.empty()) {
    const NodeId id = left.back();
    left.pop_back();
    if (std::find(seen.begin(), seen.end(), id) != seen.end()) continue;
    seen.push_back(id);
    const Node& n = program_[id];
    if (n.kind == NodeKind::Return) {
      const Interval leaf = of(n.a);
      all = {std::min(all.low, leaf.low), std::max(all.high, leaf.high)};
      continue;
    }
    left.push_back(n.t);
    if (n.forks()) left.push_back(n.f);
  }
  return all;
}

}  // namespace weir::ir
