#include "optimize/rewrite.hpp"

namespace weir::optimize {

using namespace ir;

Column<ValueId> values_at_hand(const Program& p, Ranges& ranges, const Flags& live) {
  constexpr ValueId unseen{0xfffffffe};
  Column<ValueId> at_hand(p.node_count(), unseen);
  for (std::uint32_t i = 0; i < p.node_count(); ++i) {
    const Node& n = p[NodeId{i}];
    if (!live[i] || !n.forks()) continue;
    for (const NodeId way : {n.t, n.f}) {
      ValueId& value = at_hand[past_guards(p, ranges, way)];
      value = value == unseen || value == n.a ? n.a : no_value;
    }
  }
  return at_hand;
}

// The roots of choices are nodes.
Rewrite::Rewrite(const Program& from, Makes makes)
    : Rewrite(from, makes == Makes::Nodes && !from.has_choices()) {}

Rewrite::Rewrite(const Program& from, bool keeps_values)
    : from_(from), to_(keeps_values ? Program::with_values_of(from) : Program()), keeps_values_(keeps_values), nodes_(from.node_count()) {}

Program Rewrite::run() {
  const std::size_t nodes = from_.node_count(), some_more = 4 + nodes / 8;
  to_.reserve(keeps_values_ ? 0 : from_.value_count(), nodes + some_more);
  for (std::uint32_t i = 0; i < from_.node_count(); ++i) {  // ways out, and roots of choices, have smaller ids
    const NodeId old{i};
    if (!wanted(old)) continue;
    Node n = redirect(old);
    if (!keeps_values_) n = with_values(n);
    if (n.kind != NodeKind::Return) n.t = node(n.t);
    if (n.forks()) n.f = node(n.f);
    nodes_[i] = is_idle(n, old) ? n.t : make(n, old, from_.span(old));
  }
  to_.root = node(from_.root);
  return std::move(to_);
}

/// A test whose ways out are one, and a check before all is rejected anyway; in a choice, what returns 0 does not reject.
bool Rewrite::is_idle(const Node& n, NodeId old) {
  if (n.kind == NodeKind::Return) return false;
  if (n.forks()) return n.t == n.f;
  return rejects(to_, n.t) && !is_in_choice(old);
}

bool Rewrite::is_in_choice(NodeId old) {
  if (!from_.has_choices()) return false;
  if (!in_choice_) in_choice_ = nodes_in_choices(from_);
  return (*in_choice_)[old];
}

Node Rewrite::with_values(Node n) {
  if (n.a != no_value) n.a = value(n.a);
  if (n.b != no_value) n.b = value(n.b);
  if (n.kind == NodeKind::Member) n.k = set(n.k);
  return n;
}

NodeId Rewrite::again(NodeId old, NodeId t, NodeId f) {
  Node n = with_values(from_[old]);
  n.t = t;
  n.f = f;
  return t == f ? f : to_.add(n, from_.span(old));
}

std::uint32_t Rewrite::set(std::uint32_t old) {
  if (keeps_values_) return old;
  sets_.grow(from_.set_count(), no_set);
  if (sets_[old] == no_set) sets_[old] = to_.add(from_.set(old));
  return sets_[old];
}

ValueId Rewrite::made(ValueId old) {
  values_.grow(from_.value_count(), no_value);  // a pass may add values to the old program
  if (values_[old] != no_value) return values_[old];
  Value v = from_[old];
  if (v.kind == ValueKind::Choice) v.k = static_cast<std::uint32_t>(node(v.root()));
  if (v.a != no_value) v.a = value(v.a);
  if (v.b != no_value) v.b = value(v.b);
  const ValueId now = make(v, from_.span(old));
  values_[old] = now;
  return now;
}

}  // namespace weir::optimize
