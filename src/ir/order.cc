// Walks of the graph: its order, its compact copy, what can be reached. Tested by tests/unit/ir/program_test.cc.
#include "ir/order.hpp"

namespace weir::ir {
namespace {


/// Depth first with a stack of its own. An item is met when first taken from the stack, and stays below what it uses;
/// taken again, all it uses has its place, so it gets its own.
class Walk {
 public:
  explicit Walk(const Program& p) : p_(p), values_(p.value_count()), nodes_(p.node_count()) {}

  std::vector<Item> from(NodeId root) {
    push(root);
    while (!stack_.empty()) step();
    return std::move(placed_);
  }

 private:
  enum class State : std::uint8_t { New, Met, Placed };

  State& state(Item i) { return i.is_node ? nodes_[i.id] : values_[i.id]; }

  void step() {
    const Item item = stack_.back();
    State& s = state(item);
    if (s == State::New) {
      s = State::Met;
      if (item.is_node) push_uses(p_[item.node()]);
      else push_uses(p_[item.value()]);
      return;
    }
    stack_.pop_back();
    if (s == State::Met) placed_.push_back(item);
    s = State::Placed;
  }

  // What is pushed last gets its place first.
  void push_uses(const Node& n) {
    push(n.b);
    push(n.a);
    if (n.kind == NodeKind::Return) return;
    if (n.forks()) push(n.f);
    push(n.t);
  }

  void push_uses(const Value& v) {
    push(v.b);
    push(v.a);
    if (v.kind == ValueKind::Choice) push(v.root());
  }

  void push(ValueId id) {
    if (id != no_value && values_[index(id)] == State::New) stack_.push_back({false, index(id)});
  }
  void push(NodeId id) {
    if (nodes_[index(id)] == State::New) stack_.push_back({true, index(id)});
  }

  const Program& p_;
  std::vector<State> values_, nodes_;
  std::vector<Item> stack_;
  std::vector<Item> placed_;
};

}  // namespace

std::vector<Item> order(const Program& p) {
  if (p.node_count() == 0) return {};
  return Walk(p).from(p.root);
}

namespace {

/// Marks the roots of choices in a value, and in those below it that have not been seen.
class ChoicesBelow {
 public:
  ChoicesBelow(const Program& p, Flags& live) : p_(p), live_(live), unseen_(p.value_count()) {
    left_.reserve(few);
    for (std::uint32_t i = 0; i < unseen_.size(); ++i) {  // operands have smaller ids
      const Value& v = p[ValueId{i}];
      unseen_[i] = v.kind == ValueKind::Choice || is_unseen(v.a) || is_unseen(v.b);
    }
  }

  void mark(ValueId id) {
    if (!is_unseen(id)) return;  // mostly
    use(id);
    while (!left_.empty()) {
      const Value& v = p_[left_.back()];
      left_.pop_back();
      use(v.a);
      use(v.b);
      if (v.kind == ValueKind::Choice) live_[v.k] = true;
    }
  }

 private:
  bool is_unseen(ValueId id) const { return id != no_value && unseen_[id]; }

  void use(ValueId id) {
    if (!is_unseen(id)) return;
    unseen_[id] = false;
    left_.push_back(id);
  }

  static constexpr std::size_t few = 8;
  const Program& p_;
  Flags& live_;
  Flags unseen_;  ///< by value: it has choices below it, or is one, and has not been marked
  std::vector<ValueId> left_;
};

/// Ways out and roots of choices have smaller ids than what leads there, so one look down the ids finds all.
template <class Use>
void walk_down(const Program& p, Flags& live, const Use& use) {
  if (p.node_count() == 0) return;
  live[p.root] = true;
  for (std::uint32_t i = index(p.root) + 1; i-- > 0;) {
    if (!live[i]) continue;
    const Node& n = p[NodeId{i}];
    use(n);
    if (n.kind == NodeKind::Return) continue;
    live[n.t] = true;
    if (n.forks()) live[n.f] = true;
  }
}

}  // namespace

Flags live_nodes(const Program& p) {
  Flags live(p.node_count());
  if (!p.has_choices()) {
    walk_down(p, live, [](const Node&) {});
    return live;
  }
  ChoicesBelow choices(p, live);
  walk_down(p, live, [&](const Node& n) {
    choices.mark(n.a);
    choices.mark(n.b);
  });
  return live;
}

std::vector<bool> reachable(const Program& p) {
  const Flags live = live_nodes(p);
  std::vector<bool> flags(live.size());
  for (std::size_t i = 0; i < flags.size(); ++i) flags[i] = live[i];
  return flags;
}

Flags nodes_in_choices(const Program& p) {
  Flags in(p.node_count());
  if (!p.has_choices()) return in;
  for (std::uint32_t i = 0; i < p.value_count(); ++i)
    if (p[ValueId{i}].kind == ValueKind::Choice) in[p[ValueId{i}].k] = true;
  for (auto i = static_cast<std::uint32_t>(p.node_count()); i-- > 0;) {  // ways out have smaller ids
    const Node& n = p[NodeId{i}];
    if (!in[i] || n.kind == NodeKind::Return) continue;
    in[n.t] = true;
    if (n.forks()) in[n.f] = true;
  }
  return in;
}

Column<std::uint32_t> ways_in(const Program& p, const Flags& live) {
  Column<std::uint32_t> ways(p.node_count());
  for (std::uint32_t i = 0; i < p.node_count(); ++i) {
    const Node& n = p[NodeId{i}];
    if (!live[i] || n.kind == NodeKind::Return) continue;
    ++ways[n.t];
    if (n.forks()) ++ways[n.f];
  }
  for (std::uint32_t i = 0; p.has_choices() && i < p.value_count(); ++i)
    if (p[ValueId{i}].kind == ValueKind::Choice) ways[p[ValueId{i}].k] += 2;
  return ways;
}

Column<std::uint32_t> ways_in(const Program& p) { return ways_in(p, live_nodes(p)); }

Program compact(const Program& p) {
  Program copy;
  copy.reserve(p.value_count(), p.node_count());
  std::vector<ValueId> values(p.value_count(), no_value);
  std::vector<NodeId> nodes(p.node_count());
  const auto moved = [&](ValueId id) { return id == no_value ? no_value : values[index(id)]; };
  for (const Item item : order(p)) {
    if (item.is_node) {
      Node n = p[item.node()];
      n.a = moved(n.a);
      n.b = moved(n.b);
      if (n.kind != NodeKind::Return) n.t = nodes[index(n.t)];
      if (n.forks()) n.f = nodes[index(n.f)];
      if (n.kind == NodeKind::Member) n.k = copy.add(p.set_of(n));
      nodes[item.id] = copy.add(n, p.span(item.node()));
    } else {
      Value v = p[item.value()];
      v.a = moved(v.a);
      v.b = moved(v.b);
      if (v.kind == ValueKind::Choice) v.k = index(nodes[v.k]);
      values[item.id] = copy.add(v, p.span(item.value()));
    }
  }
  if (p.node_count() != 0) copy.root = nodes[index(p.root)];
  return copy;
}

}  // namespace weir::ir
