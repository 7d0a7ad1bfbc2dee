#include "native/walk.hpp"

#include <algorithm>
#include <cstddef>

#include "native/bytes.hpp"
#include "native/plan.hpp"

namespace weir::native {

using namespace ir;

// ---- what is known at a place ---------------------------------------------------------------------------

void Machine::meet(const Machine& other) {
  for (std::size_t i = 0; i < pool_size; ++i)
    if (registers[i] != other.registers[i]) registers[i] = {};
  at_home &= other.at_home;
  std::erase_if(captured, [&](Fact& f) {
    const auto same = std::ranges::find(other.captured, f.base, &Fact::base);
    if (same == other.captured.end()) return true;
    f.end = std::min(f.end, same->end);
    return false;
  });
}

bool Machine::has(ValueId base, std::uint64_t end) const {
  const auto known = std::ranges::find(captured, base, &Fact::base);
  return known != captured.end() && known->end >= end;
}

void Machine::learn(ValueId base, std::uint64_t end) {
  constexpr std::size_t most_facts = 8;  // every place has its own copy
  if (const auto known = std::ranges::find(captured, base, &Fact::base); known != captured.end()) {
    known->end = std::max(known->end, end);
  } else {
    if (captured.size() == most_facts) captured.erase(captured.begin());
    captured.push_back({base, end});
  }
}

// ---- the order of nodes -------------------------------------------------------------------------------------

std::optional<NodeId> Walk::Graph::next() const {
  if (!ready.empty()) return ready.back();
  if (!returns.empty()) return returns.back();
  return std::nullopt;
}

NodeId Walk::Graph::take_next() {
  auto& from = ready.empty() ? returns : ready;
  const NodeId id = from.back();
  from.pop_back();
  return id;
}

Walk::Graph Walk::graph_of(NodeId root) const {
  Graph g;
  std::vector<NodeId> all{root};
  ++g[root].pending;  // the way in
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Node& n = program_[all[i]];
    if (n.kind == NodeKind::Return) continue;
    const auto way_to = [&](NodeId to) {
      if (g[to].pending++ == 0) all.push_back(to);
    };
    way_to(n.t);
    if (n.forks()) way_to(n.f);
  }
  return g;
}

NodeId Walk::follow(NodeId to) const {
  for (;;) {
    const Node& n = program_[to];
    if (n.kind != NodeKind::Guard || !machine_.has(n.a, end_of(n))) return to;
    to = n.t;
  }
}

void Walk::release(Graph& g, NodeId to) const {
  std::vector<NodeId> left{to};
  while (!left.empty()) {
    const NodeId id = left.back();
    left.pop_back();
    Place& place = g[id];
    if (--place.pending != 0) continue;
    const Node& n = program_[id];
    if (place.reached) {
      (n.kind == NodeKind::Return ? g.returns : g.ready).push_back(id);
    } else if (n.kind != NodeKind::Return) {
      left.push_back(n.t);
      if (n.forks()) left.push_back(n.f);
    }
  }
}

void Walk::arrive(Place& place) const {
  if (place.reached) place.machine.meet(machine_);
  else place.machine = machine_;
  place.reached = true;
}

void Walk::leave(Graph& g, const Node& n, NodeId then, NodeId otherwise) const {
  for (const NodeId to : {then, otherwise}) {
    ++g[to].pending;
    arrive(g[to]);
  }
  // What holds is selected first, right behind.
  for (const NodeId to : {n.t, n.f, otherwise, then}) release(g, to);
}

bool Walk::are_verdicts(const Graph& g, NodeId t, NodeId f) const {
  if (g.join != nullptr || program_[t].kind != NodeKind::Return || program_[f].kind != NodeKind::Return) return false;
  const auto yes = constant_of(program_, program_[t].a), no = constant_of(program_, program_[f].a);
  return yes && no && (*yes == 0) != (*no == 0);
}

// ---- several tests at once ---------------------------------------------------------------------------------

namespace {

/// Joins two pieces where they lie side by side and fill a load together.
bool join(Piece& a, const Piece& b) {
  if (a.base != b.base || a.size != b.size || a.size == 8) return false;
  if (std::uint64_t{a.at} + a.size == b.at) {
    a.value |= b.value << 8 * a.size;
  } else if (std::uint64_t{b.at} + b.size == a.at) {
    a.value = a.value << 8 * a.size | b.value;
    a.at = b.at;
  } else {
    return false;
  }
  a.size *= 2;
  return true;
}

/// Joins what can be joined, in the order in which it was asked; whether anything could.
bool join_all(std::vector<Piece>& pieces) {
  bool any = false;
  for (std::size_t i = 0; i < pieces.size(); ++i)
    for (std::size_t j = i + 1; j < pieces.size();) {
      if (join(pieces[i], pieces[j])) {
        pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(j));
        any = true;
        i = 0;
        j = 1;
      } else {
        ++j;
      }
    }
  return any;
}

}  // namespace

std::optional<Walk::Wide> Walk::wide_from(NodeId id) const {
  constexpr std::size_t most_links = 8;
  Wide w{{}, {}, {}, follow(program_[id].f)};
  NodeId at = id;
  for (; w.links.size() < most_links; at = follow(program_[w.links.back()].t)) {
    const Node& n = program_[at];
    if (n.kind != NodeKind::Test || n.relation() != Relation::Equal || follow(n.f) != w.otherwise) break;
    const Value& v = program_[n.a];
    const auto k = constant_of(program_, n.b);
    if (v.kind != ValueKind::Load || !k || *k > highest(v.size())) break;
    if (!w.pieces.empty() && w.pieces.back().base != v.a) break;
    w.pieces.push_back({v.a, v.k, v.size(), swapped(*k, v.size())});
    w.links.push_back(at);
  }
  // The chain ends with the last link that is part of a wider piece.
  while (w.pieces.size() > 1) {
    const Piece last = w.pieces.back();
    if (std::any_of(w.pieces.begin(), w.pieces.end() - 1, [&](Piece p) { return join(p, last); })) break;
    w.pieces.pop_back();
    w.links.pop_back();
  }
  if (w.pieces.size() < 2 || !join_all(w.pieces)) return std::nullopt;
  w.then = follow(program_[w.links.back()].t);
  return w;
}

std::optional<Walk::Either> Walk::either_from(NodeId id, const std::function<bool(const Node&)>& is_cheap) const {
  constexpr std::size_t most_links = 4;
  const Node& n = program_[id];
  for (const bool when : {true, false}) {
    Either e{{{id, when}}, follow(when ? n.t : n.f), follow(when ? n.f : n.t)};
    while (e.links.size() < most_links && e.rest != e.there) {
      const Node& m = program_[e.rest];
      if (!m.forks() || !is_cheap(m)) break;
      const NodeId t = follow(m.t), f = follow(m.f);
      if (t == f || (t != e.there && f != e.there)) break;
      e.links.push_back({e.rest, t == e.there});
      e.rest = t == e.there ? f : t;
    }
    if (e.links.size() >= 2 && e.rest != e.there) return e;
  }
  return std::nullopt;
}

}  // namespace weir::native
