#include "ir/ranges.hpp"

#include <algorithm>

#include "base/bounds.hpp"

namespace weir::ir {

Interval Ranges::of(ValueId id) {
  const Value& v = program_[id];
  switch (v.kind) {
    case ValueKind::Constant: return {v.k, v.k};
    case ValueKind::Load: return {0, static_cast<std::uint32_t>((std::uint64_t{1} << 8 * v.size()) - 1)};
    case ValueKind::Length:
    case ValueKind::Meta:
    case ValueKind::Negate: return {};
    case ValueKind::Binary:
    case ValueKind::Choice: break;
  }
  return computed(id);
}

Interval Ranges::computed(ValueId id) {
  constexpr Interval unknown{1, 0};
  const auto n = static_cast<std::uint32_t>(id);
  if (known_.size() <= n) known_.grow(program_.value_count(), unknown);
  if (known_[n] == unknown) {
    const Value v = program_[id];
    const Interval found = v.kind == ValueKind::Choice ? of_choice(v.root()) : bounds(v.arith(), of(v.a), of(v.b));
    known_[n] = found;
  }
  return known_[n];
}

Ranges::Passage Ranges::passage(const Node& guard) {
  const Interval base = guard.a == no_value ? Interval{0, 0} : of(guard.a);
  const std::uint64_t end = std::uint64_t{guard.k} + guard.size();
  if (base.low + end > max_captured) return Passage::Never;
  return base.high + end > max_captured ? Passage::Maybe : Passage::Always;
}

bool Ranges::may_reject_computed(ValueId v) {
  const auto n = static_cast<std::uint32_t>(v);
  if (rejects_.size() <= n) rejects_.grow(program_.value_count());
  if (rejects_[n] == 0) {
    const Value& value = program_[v];
    const bool may = value.kind == ValueKind::Choice ? has_check(value.root()) : may_reject(value.a) || may_reject(value.b);
    rejects_[n] = may ? 2 : 1;
  }
  return rejects_[n] == 2;
}

/// Looks at each node of a choice, until it says that this is enough. Walks go on inside each other: a choice may be part
/// of another.
template <class Look>
void Ranges::walk(NodeId root, Look look) {
  const std::size_t first = walked_.size();
  walked_.push_back(root);
  const auto add = [&](NodeId to) {
    if (std::find(walked_.begin() + static_cast<std::ptrdiff_t>(first), walked_.end(), to) == walked_.end()) walked_.push_back(to);
  };
  for (std::size_t next = first; next < walked_.size(); ++next) {
    const Node& n = program_[walked_[next]];
    if (look(n)) break;
    if (n.kind == NodeKind::Return) continue;
    add(n.t);
    if (n.forks()) add(n.f);
  }
  walked_.resize(first);
}

bool Ranges::has_check(NodeId root) {
  bool found = false;
  walk(root, [&](const Node& n) {
    const bool checks = n.kind == NodeKind::NonZero || (n.kind == NodeKind::Guard && passage(n) != Passage::Always);
    return found = checks || may_reject(n.a) || may_reject(n.b);
  });
  return found;
}

/// From the smallest to the largest of what the leaves return.
Interval Ranges::of_choice(NodeId root) {
  Interval all{0xffffffff, 0};
  walk(root, [&](const Node& n) {
    if (n.kind != NodeKind::Return) return false;
    const Interval leaf = of(n.a);
    all = {std::min(all.low, leaf.low), std::max(all.high, leaf.high)};
    return false;
  });
  return all;
}

}  // namespace weir::ir
