// How nodes are joined: the walk, and the jumps between them.
#include <utility>

#include "ebpf/select.hpp"

namespace weir::ebpf {

using namespace ir;

Select::Graph Select::graph_of(NodeId root) const {
  Graph g;
  const auto nodes = nodes_below(program_, root);
  g.places.reserve(nodes.size());
  for (const NodeId id : nodes) {
    const Node& n = program_[id];
    if (n.kind == NodeKind::Return) continue;
    ++g.places[static_cast<std::uint32_t>(n.t)].pending;
    if (n.forks()) ++g.places[static_cast<std::uint32_t>(n.f)].pending;
  }
  ++g.places[static_cast<std::uint32_t>(root)].pending;  // the way in
  return g;
}

/// All places of a copy that are reached, each when all ways to it are known.
void Select::select(Graph& g) {
  for (;;) {
    const NodeId id = next(g);
    if (id == no_node) return;
    if (!g.ready.empty()) g.ready.pop_back();
    else g.returns.pop_back();
    begin(g.places[static_cast<std::uint32_t>(id)]);
    node(g, id);
  }
}

/// The node that is selected after this one; none when nothing is left.
NodeId Select::next(const Graph& g) {
  if (!g.ready.empty()) return g.ready.back();
  if (!g.returns.empty()) return g.returns.back();
  return no_node;
}

/// Whether a node asks what is known already, and then the answer.
std::optional<bool> Select::answer(const Node& n) const {
  const Machine::Known& known = machine_.known;
  if (known.value == no_value || n.a != known.value) return std::nullopt;
  if (n.kind == NodeKind::Member) return program_.set_of(n).contains(known.k);
  const auto k = n.kind == NodeKind::Test ? constant_of(program_, n.b) : std::nullopt;
  return k ? std::optional(holds(n.relation(), known.k, *k)) : std::nullopt;
}

/// The optimizer has answered most questions that are decided, but not all in long lists. The kernel's verifier would go through
/// them one by one, again and again from each place where ways come in.
NodeId Select::follow(NodeId to) {
  for (;;) {
    const Node& n = program_[to];
    if (n.kind == NodeKind::Guard && machine_.captured.has(n.a, end_of(n))) {
      to = n.t;
      continue;
    }
    const NodeId open = next_open(to);
    if (open == to) return to;
    to = open;
  }
}

/// The first node from here on whose answer is not known. What was found is kept as long as the same is known, for all ways out of a
/// place lead there.
NodeId Select::next_open(NodeId from) {
  if (passed_.known != machine_.known) {
    passed_.known = machine_.known;
    passed_.open.clear();
  }
  if (const auto found = passed_.open.find(from); found != passed_.open.end()) return found->second;
  NodeId at = from;
  while (const auto known = passed_.work > 0 ? answer(program_[at]) : std::nullopt) {
    --passed_.work;
    at = *known ? program_[at].t : program_[at].f;
  }
  if (at != from) passed_.open[from] = at;
  return at;
}

/// One way to a place is done with. When it was the last one, the place is ready, or out of reach, and then so may be
/// what lies behind it.
void Select::release(Graph& g, NodeId to) {
  std::vector<NodeId> left{to};
  while (!left.empty()) {
    const NodeId id = left.back();
    left.pop_back();
    Place& place = g.places[static_cast<std::uint32_t>(id)];
    if (--place.pending != 0) continue;
    const Node& n = program_[id];
    if (place.reached) {
      if (g.join == nullptr && rejects(id)) g.returns.insert(g.returns.begin(), id);
      else (n.kind == NodeKind::Return ? g.returns : g.ready).push_back(id);
    } else if (n.kind != NodeKind::Return) {
      left.push_back(n.t);
      if (n.forks()) left.push_back(n.f);
    }
  }
}

void Select::arrive(Place& place) {
  if (place.reached) place.machine.meet(machine_);
  else place.machine = machine_;
  place.reached = true;
}

void Select::begin(Place& place) {
  if (place.label) code_.bind(*place.label);
  machine_ = std::move(place.machine);
}

Label Select::label_of(Place& place) {
  if (!place.label) place.label = code_.label();
  return *place.label;
}

Label Select::way(Graph& g, NodeId to) { return label_of(g.places[static_cast<std::uint32_t>(to)]); }

void Select::go_to(Graph& g, NodeId to) {
  const NodeId target = follow(to);
  Place& place = g.places[static_cast<std::uint32_t>(target)];
  ++place.pending;
  arrive(place);
  release(g, to);
  release(g, target);
  if (next(g) != target) code_.jump(label_of(place));
}

/// `learned`: what is known where the condition holds.
void Select::branch(Graph& g, const Condition& c, NodeId t, NodeId f, Machine::Known learned) {
  Node ways;
  ways.t = t;
  ways.f = f;
  const NodeId otherwise = follow(f);
  if (learned.value == no_value) return branch_over(g, c, ways, follow(t), otherwise);
  const Machine::Known before = std::exchange(machine_.known, learned);
  const NodeId then = follow(t);
  machine_.known = before;
  branch_over(g, c, ways, then, otherwise, learned);
}

/// Both ways out of a node: to `then` when the condition holds, otherwise to `otherwise`; they may lie behind others.
void Select::branch_over(Graph& g, const Condition& c, const Node& ways, NodeId then, NodeId otherwise, Machine::Known learned) {
  Place& yes = g.places[static_cast<std::uint32_t>(then)];  // references into an unordered_map outlive insertions
  Place& no = g.places[static_cast<std::uint32_t>(otherwise)];
  ++yes.pending;
  ++no.pending;
  arrive(no);
  if (learned.value != no_value) machine_.known = learned;
  arrive(yes);
  release(g, ways.t);
  release(g, ways.f);
  // What is released last comes next. A condition that cannot be turned around jumps when it holds.
  const bool turns = opposite(c).has_value();
  release(g, turns ? otherwise : then);
  release(g, turns ? then : otherwise);
  finish_branch(g, c, then, otherwise);
}

/// The jumps of a branch: what is selected next needs none.
void Select::finish_branch(Graph& g, const Condition& c, NodeId then, NodeId otherwise) {
  if (then == otherwise) {
    if (next(g) != then) code_.jump(way(g, then));
    return;
  }
  const auto turned = opposite(c);
  if (next(g) == then && turned) return code_.jump(*turned, way(g, otherwise));
  code_.jump(c, way(g, then));
  if (next(g) != otherwise) code_.jump(way(g, otherwise));
}

}  // namespace weir::ebpf
