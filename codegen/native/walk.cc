#include "native/walk.hpp"

#include <array>
#include <cstddef>

#include "native/plan.hpp"

namespace weir::native {

using namespace ir;

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

Walk::Graph Walk::graph_of(NodeId root) {
  Graph g(&memory_);
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
    if (n.kind != NodeKind::Guard || !machine_.captured.has(n.a, end_of(n))) return to;
    to = n.t;
  }
}

void Walk::release(Graph& g, NodeId to) const {
  std::array<std::byte, 256> enough;  // nearly always
  std::pmr::monotonic_buffer_resource memory(enough.data(), enough.size());
  std::pmr::vector<NodeId> left({to}, &memory);
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

std::optional<std::uint32_t> Walk::verdict(const Graph& g, NodeId id) const {
  const Node& n = program_[id];
  return g.join == nullptr && n.kind == NodeKind::Return ? constant_of(program_, n.a) : std::nullopt;
}

}  // namespace weir::native
