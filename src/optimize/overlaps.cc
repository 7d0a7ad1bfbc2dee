// A test of bytes that are part of what another test has looked at may have its answer:
// [k:2] == 0xffff ? ([k:1] &? 1 ? T : F) : G  ==  [k:2] == 0xffff ? T : G. And a test is not needed where the next one would
// lead its packets the same way: [k:2] == 0xffff ? T : ([k:1] &? 1 ? T : F)  ==  [k:1] &? 1 ? T : F. No packet needs more bytes
// than before, unless it is rejected. Lowers the number of tests.
#include <algorithm>
#include <optional>

#include "optimize/known.hpp"
#include "optimize/passes.hpp"
#include "optimize/rewrite.hpp"

namespace weir::optimize {
namespace {

using namespace ir;

std::uint64_t end_of(const Value& load) { return std::uint64_t{load.k} + load.size(); }

/// Whether one test asks about a part of the bytes of another one.
bool is_part(const Program& p, const Node& part, const Node& whole) {
  if (!part.forks() || part.a == whole.a) return false;
  const ValueId a = subject(p, part), b = subject(p, whole);
  if (a == no_value || b == no_value || a == b) return false;
  const Value &x = p[a], &y = p[b];
  return x.kind == ValueKind::Load && y.kind == ValueKind::Load && x.a == y.a && x.k >= y.k && end_of(x) <= end_of(y);
}

class Overlaps : public Rewrite {
 public:
  explicit Overlaps(const Program& p) : Rewrite(p), live_(live_nodes(p)), in_choice_(nodes_in_choices(p)), ranges_(to_) {}

  bool found() const { return found_; }

 private:
  bool wanted(NodeId old) const override { return live_[old]; }

  NodeId make(const Node& n, NodeId old, Span span) override {
    Node now = n;
    if (n.forks() && !in_choice_[old]) {
      lead_past(now, now.t, true);
      lead_past(now, now.f, false);
      for (const bool answer : {true, false})
        if (now.t != now.f && next_does(now, answer)) now.t = now.f = answer ? now.f : now.t;
    }
    found_ |= now != n;
    return now.forks() && now.t == now.f ? now.t : to_.add(now, span);
  }

  /// The way out of a test with one answer, past tests that this answers, too.
  void lead_past(const Node& n, NodeId& way, bool answer) {
    constexpr int most = 4;
    for (int steps = 0; steps < most; ++steps) {
      const Node& next = to_[past_guards(to_, ranges_, way)];
      const auto known = implied(n, answer, next);
      if (!known) return;
      way = *known ? next.t : next.f;
    }
  }

  /// Whether the next test, behind the other answer, leads packets of this answer where this one does.
  bool next_does(const Node& n, bool answer) {
    const NodeId goal = past_guards(to_, ranges_, answer ? n.t : n.f);
    const Node& next = to_[past_guards(to_, ranges_, answer ? n.f : n.t)];
    const auto known = implied(n, answer, next);
    return known && past_guards(to_, ranges_, *known ? next.t : next.f) == goal;
  }

  /// What the next test says, where that follows from the answer of another one.
  std::optional<bool> implied(const Node& n, bool answer, const Node& next) {
    constexpr std::size_t few = 4;
    if (!n.forks() || !is_part(to_, next, n)) return std::nullopt;
    const auto whole = question(to_, ranges_, n), part = question(to_, ranges_, next);
    if (!whole || !part) return std::nullopt;
    const Set numbers = answer ? whole->holds & whole->domain : whole->domain - whole->holds;
    const Value &x = to_[part->value], &y = to_[whole->value];
    const auto shift = static_cast<std::uint32_t>(8 * (end_of(y) - end_of(x)));
    const std::uint32_t asked = part->mask & (0xffffffff >> (32 - 8 * x.size()));
    if (numbers.empty() || numbers.size() > few || (asked << shift & ~whole->mask) != 0) return std::nullopt;
    std::optional<bool> all;
    for (const Interval i : numbers.intervals())
      for (std::uint64_t number = i.low; number <= i.high; ++number) {
        const bool holds = part->holds.contains(static_cast<std::uint32_t>(number) >> shift & asked);
        if (all && *all != holds) return std::nullopt;
        all = holds;
      }
    return all;
  }

  Flags live_, in_choice_;
  Ranges ranges_;
  bool found_ = false;
};

bool may_overlap(const Program& p) {
  for (std::uint32_t i = 0; i < p.node_count(); ++i) {
    const Node& n = p[NodeId{i}];
    if (!n.forks()) continue;
    for (NodeId next : {n.t, n.f}) {
      while (p[next].kind == NodeKind::Guard) next = p[next].t;
      if (is_part(p, p[next], n)) return true;
    }
  }
  return false;
}

}  // namespace

bool drop_overlapped(Program& p) {
  if (!may_overlap(p)) return false;
  Overlaps overlaps(p);
  Program rest = overlaps.run();
  if (overlaps.found()) p = std::move(rest);
  return overlaps.found();
}

}  // namespace weir::optimize
