// What is known along an edge decides tests further on: the edge then leads past them. Facts follow the graph from
// the root; each edge is judged with what is known at its beginning and by its own outcome. Choices whose first tests
// are decided where they are used begin behind them.
#include <utility>

#include "optimize/known.hpp"
#include "optimize/passes.hpp"
#include "optimize/rewrite.hpp"

namespace weir::optimize {
namespace {

using namespace ir;

class Facts : public Rewrite {
 public:
  /// Adds to `p` the values that facts make of its own; `run` gives the graph with what was found.
  explicit Facts(Program& p)
      : Rewrite(p), program_(p), ranges_(p), at_(p.node_count()), met_(p.node_count(), Unmet), nodes_(p.node_count()) {
    met_[static_cast<std::uint32_t>(p.root)] = Met;
    for (std::uint32_t i = static_cast<std::uint32_t>(p.node_count()); i-- > 0;)
      if (met_[i] != Unmet) flow(NodeId{i});
  }

  bool found_anything() const { return found_; }
  bool found_values() const { return found_values_; }

 private:
  enum Meeting : std::uint8_t { Unmet, Met, AnyState };  // AnyState: the root of a choice, evaluated anywhere

  void flow(NodeId id) {
    const auto i = static_cast<std::uint32_t>(id);
    Known known = std::move(at_[i]);
    Node n = from_[id];
    n.a = under(n.a, known);
    n.b = under(n.b, known);
    enter_choices(n.a);
    enter_choices(n.b);
    if (const auto outcome = decided(n, known)) {
      n = {NodeKind::Test, 0, 0, n.a, n.a, follow(*outcome ? n.t : n.f, known), {}};
      n.f = n.t;  // `make` leaves out a test without a choice
      pass(n.t, std::move(known));
    } else if (n.kind != NodeKind::Return) {
      ask(n, std::move(known));
    }
    nodes_[i] = n;
    found_ |= n != from_[id] && !only_skips_guards(from_[id], n);
  }

  /// Ways out past guards are no news: those will stand there again.
  bool only_skips_guards(const Node& old, const Node& now) const {
    const auto past = [&](NodeId to) {
      while (from_[to].kind == NodeKind::Guard) to = from_[to].t;
      return to;
    };
    if (old.kind == NodeKind::Guard) return true;
    const bool same_ways = past(old.t) == past(now.t) && (!old.forks() || past(old.f) == past(now.f));
    return old.kind == now.kind && old.a == now.a && old.b == now.b && same_ways;
  }

  void ask(Node& n, Known&& known) {
    const auto q = question(program_, ranges_, n);
    if (n.forks()) {
      Known otherwise = known;
      if (q) otherwise.learn(numbers_, *q, false);
      n.f = follow(n.f, otherwise);
      pass(n.f, std::move(otherwise));
    }
    if (q) known.learn(numbers_, *q, true);
    n.t = follow(n.t, known);
    pass(n.t, std::move(known));
  }

  /// The value with choices cut short by what is known.
  ValueId under(ValueId id, const Known& known) {
    if (id == no_value || !has_choice(id)) return id;
    Value v = from_[id];
    if (v.kind == ValueKind::Choice) {
      const NodeId root = follow(v.root(), known);
      if (from_[root].kind == NodeKind::Return) {
        found_values_ = true;
        return under(from_[root].a, known);
      }
      if (root == v.root()) return id;
      found_values_ = true;
      return program_.choice(root, from_.span(id));
    }
    v.a = under(v.a, known);
    v.b = under(v.b, known);
    return v == from_[id] ? id : program_.add(v, from_.span(id));
  }

  bool has_choice(ValueId id) {
    if (id == no_value) return false;
    const auto i = static_cast<std::uint32_t>(id);
    if (has_choice_.size() <= i) has_choice_.resize(from_.value_count(), Unasked);
    if (has_choice_[i] == Unasked) {
      const Value v = from_[id];
      const bool has = v.kind == ValueKind::Choice || has_choice(v.a) || has_choice(v.b);
      has_choice_[i] = has ? Yes : No;
    }
    return has_choice_[i] == Yes;
  }

  /// Guards that whole packets pass are looked through; they are placed anew. Non-zero checks stay: they are how the
  /// graph shows that its divisions are safe, and machines make them in the division itself.
  std::optional<bool> decided(const Node& n, const Known& known) {
    if (n.kind == NodeKind::Guard) return ranges_.passage(n) == Ranges::Passage::Always ? std::optional(true) : std::nullopt;
    if (!n.forks() || known.empty()) return std::nullopt;
    const auto q = question(program_, ranges_, n);
    return q ? known.decides(numbers_, *q) : std::nullopt;
  }

  /// Past what is decided, some way: a long list has an edge like that in each of its members, and what is left is
  /// decided at the next node, with the same facts.
  NodeId follow(NodeId to, const Known& known) {
    for (int steps = 0; steps < max_steps; ++steps) {
      const auto outcome = decided(from_[to], known);
      if (!outcome) break;
      to = *outcome ? from_[to].t : from_[to].f;
    }
    return to;
  }

  void pass(NodeId to, Known&& known) {
    const auto i = static_cast<std::uint32_t>(to);
    if (met_[i] == Met) at_[i].meet(numbers_, known);
    if (met_[i] == Unmet) at_[i] = std::move(known);
    if (met_[i] == Unmet) met_[i] = Met;
  }

  void enter_choices(ValueId id) {
    if (!has_choice(id)) return;
    if (entered_.size() <= static_cast<std::uint32_t>(id)) entered_.resize(from_.value_count());
    if (std::exchange(entered_[static_cast<std::uint32_t>(id)], char{1})) return;
    const Value& v = from_[id];
    enter_choices(v.a);
    enter_choices(v.b);
    if (v.kind != ValueKind::Choice) return;
    at_[v.k] = {};
    met_[v.k] = AnyState;
  }

  bool wanted(NodeId old) const override { return met_[static_cast<std::uint32_t>(old)] != Unmet; }

  Node redirect(NodeId old) override { return nodes_[static_cast<std::uint32_t>(old)]; }

  NodeId make(const Node& n, NodeId, Span span) override {
    return n.forks() && n.t == n.f ? n.t : to_.add(n, span);
  }

  static constexpr int max_steps = 100;
  enum Answer : std::uint8_t { Unasked, No, Yes };

  Program& program_;
  Ranges ranges_;
  Numbers numbers_;
  std::vector<Known> at_;
  std::vector<Meeting> met_;
  std::vector<Node> nodes_;  ///< by old id: with the ways out and values that facts leave
  std::vector<Answer> has_choice_;
  std::vector<char> entered_;
  bool found_ = false, found_values_ = false;
};

/// What is found shortens the graph, which may show more; these many turns have always been enough.
constexpr int max_turns = 4;

}  // namespace

bool apply_facts(Program& p) {
  bool values = false;
  for (int turn = 0; turn < max_turns; ++turn) {
    Facts facts(p);
    if (!facts.found_anything()) break;
    values |= facts.found_values();
    p = facts.run();
    place_guards(p);
  }
  return values;
}

}  // namespace weir::optimize
