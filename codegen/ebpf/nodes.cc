#include <algorithm>

#include "ebpf/raw.hpp"
#include "ebpf/select.hpp"
#include "ir/adjacent.hpp"

namespace weir::ebpf {

using namespace ir;

void Select::node(Graph& g, NodeId id) {
  const Node& n = program_[id];
  current_ = id;
  if (n.kind != NodeKind::Return) code_.words(program_.span(id));
  switch (n.kind) {
    case NodeKind::Return: return leaf(g, n);
    case NodeKind::Guard: return guard(g, id, n);
    case NodeKind::NonZero:
      code_.jump({.relation = op::JEQ, .left = value(n.a), .k = 0}, reject());
      return go_to(g, n.t);
    case NodeKind::Test: return map_addresses(g, id) || map_test(g, n) || wide_test(g, id) ? void() : question(g, n);
    case NodeKind::Member: return map_addresses(g, id) || map_member(g, n) ? void() : member(g, n);
  }
}

void Select::guard(Graph& g, NodeId id, const Node& n) {
  const std::uint64_t own_end = end_of(n);
  if (machine_.captured.has(n.a, own_end)) return go_to(g, n.t);
  if (const auto failure = sure_failure(n.a, own_end)) {
    code_.jump(*failure);
    return release(g, n.t);
  }
  if (reach_ == Reach::Absolute && made_.no_match == 0 && is_checked_by_load(n)) {
    machine_.captured.learn(n.a, own_end);
    return go_to(g, n.t);
  }
  std::uint64_t end = g.merges ? needs_.end(id, n.a, own_end) : own_end;
  if (sure_failure(n.a, end)) end = own_end;
  if (const std::uint64_t wanted = g.merges && has_windows() ? end_soon(id, end) : end; wanted > end && !sure_failure(n.a, wanted)) {
    check_ahead(n.a, end, wanted);
    end = wanted;
  } else {
    check(n.a, end);
  }
  machine_.captured.learn(n.a, end);
  go_to(g, n.t);
}

namespace {

/// Whether working the value out loads bytes behind `base` up to `end`, whatever the packet.
bool loads(const ir::Program& p, ValueId id, ValueId base, std::uint64_t end) {
  if (id == no_value) return false;
  const Value& v = p[id];
  if (v.kind == ValueKind::Choice) return false;
  if (v.kind == ValueKind::Load && v.a == base && std::uint64_t{v.k} + v.size() == end) return true;
  return loads(p, v.a, base, end) || loads(p, v.b, base, end);
}

}  // namespace

/// Whether the first node behind guards loads the last byte that this one asks for: such a load rejects by itself.
bool Select::is_checked_by_load(const Node& guard) {
  if (ranges_.passage(guard) != Ranges::Passage::Always) return false;
  const Node* next = &program_[guard.t];
  while (next->kind == NodeKind::Guard) next = &program_[next->t];
  return loads(program_, next->a, guard.a, end_of(guard)) || loads(program_, next->b, guard.a, end_of(guard));
}

void Select::leaf(Graph& g, const Node& n) {
  if (g.join != nullptr) {
    const Register r = value(n.a);
    keep(r, g.choice);
    arrive(*g.join);
    // The last leaf falls through.
    if (!(g.ready.empty() && g.returns.empty())) code_.jump(label_of(*g.join));
    return;
  }
  if (const auto k = constant_of(program_, n.a)) return has_verdict() ? verdict_leaf(g, *k) : verdict(*k);
  const Register r = value(n.a);
  code_.jump({.relation = op::JEQ, .left = r, .k = 0}, reject());
  if (match_) return verdict(1);
  code_.move32(0, r);
  code_.exit();
}

/// Whether a leaf of the filter's graph returns 0.
bool Select::rejects(NodeId id) const { return program_[id].kind == NodeKind::Return && constant_of(program_, program_[id].a) == 0u; }

/// The leaf that rejects is the last one: the end of the copy.
void Select::verdict_leaf(Graph& g, std::uint32_t graph_value) {
  if (graph_value == 0) code_.bind(rejects_at_once_);
  else code_.set(verdict_alone, match_ ? static_cast<std::uint32_t>(*match_) : graph_value);
  if (const NodeId behind = next(g); behind == no_node || !rejects(behind)) code_.exit();
}

void Select::question(Graph& g, const Node& n) {
  const Condition c = condition(n);
  const auto k = n.relation() == Relation::Equal ? constant_of(program_, n.b) : std::nullopt;
  branch(g, c, n.t, n.f, k ? Machine::Known{n.a, *k} : Machine::Known{});
}

// ---- several tests at once ---------------------------------------------------------------------------------

/// A chain of equalities of adjacent bytes with one outcome when they fail: asked in pieces of up to eight bytes.
bool Select::wide_test(Graph& g, NodeId id) {
  if (reach_ == Reach::Absolute || (reach_ == Reach::Calls && options_.loads_in_functions))
    return false;  // no function returns eight bytes
  const auto all = ir::adjacent_from(program_, id, [&](NodeId to) { return follow(to); }, [&](NodeId link) { return !begins_list(link); });
  if (!all) return false;
  Span words = program_.span(id);
  for (const NodeId link : all->links) words = weir::join(words, program_.span(link));
  code_.words(words);
  for (const ir::Piece& piece : all->pieces) {
    const Condition c = equality(piece.base, piece.at, piece.size, in_memory(piece.value, piece.size));
    if (&piece == &all->pieces.back()) return branch_over(g, c, program_[id], all->then, all->otherwise), true;
    arrive(g.places[static_cast<std::uint32_t>(all->otherwise)]);
    code_.jump(*opposite(c), way(g, all->otherwise));
  }
  return true;
}

/// Whether up to eight bytes of the packet are these, as they lie in memory.
Condition Select::equality(ValueId base, std::uint32_t at, std::uint32_t bytes, std::uint64_t wanted) {
  const Register r = load_bytes(base, at, bytes, true);
  if (bytes < 8 || wanted <= 0x7fffffff)
    return {.relation = op::JEQ, .wide = bytes == 8, .left = r, .k = static_cast<std::uint32_t>(wanted)};
  ++pins_[r];
  const Register k = take();
  --pins_[r];
  code_.set64(k, wanted);
  return {.relation = op::JEQ, .wide = true, .left = r, .right = k};
}

}  // namespace weir::ebpf
