// Makes a random graph one that ir::verify accepts: above every node the guards and checks that its values need.
#pragma once
#include <algorithm>
#include <map>
#include <set>

#include "ir/program.hpp"

namespace weir::ir {

class Guarded {
 public:
  explicit Guarded(const Program& from) : from_(from) {}

  Program make() {
    to_.root = node(from_.root);
    return std::move(to_);
  }

 private:
  ValueId value(ValueId id) {
    if (id == no_value) return id;
    if (const auto known = values_.find(id); known != values_.end()) return known->second;
    Value v = from_[id];
    v.a = value(v.a);
    v.b = value(v.b);
    if (v.kind == ValueKind::Choice) v.k = static_cast<std::uint32_t>(node(v.root()));
    return values_[id] = to_.add(v, from_.span(id));
  }

  NodeId node(NodeId id) {
    if (const auto known = nodes_.find(id); known != nodes_.end()) return known->second;
    Node n = from_[id];
    if (n.kind != NodeKind::Return) n.t = node(n.t);
    if (n.forks()) n.f = node(n.f);
    n.a = value(n.a);
    n.b = value(n.b);
    if (n.kind == NodeKind::Member) n.k = to_.add(Set(from_.set_of(from_[id])));
    return nodes_[id] = checked(n.b, checked(n.a, to_.add(n, from_.span(id)), 0), 0);
  }

  /// `next` behind all that has to be checked for a value of the new graph; what it builds on is checked first.
  NodeId checked(ValueId id, NodeId next, int depth) {
    if (id == no_value) return next;
    const Value v = to_[id];
    if (v.kind == ValueKind::Choice) return next;  // which has its own
    if (v.kind == ValueKind::Load) next = to_.guard(v.size(), v.a, v.k, next);
    if (v.kind == ValueKind::Binary && (v.arith() == Arith::Div || v.arith() == Arith::Mod)) next = to_.nonzero(v.b, next);
    next = checked(v.b, next, depth + 1);
    return checked(v.a, next, depth + 1);
  }

  const Program& from_;
  Program to_;
  std::map<ValueId, ValueId> values_;
  std::map<NodeId, NodeId> nodes_;
};

}  // namespace weir::ir
