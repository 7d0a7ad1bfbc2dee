// What is known along an edge decides tests further on: the edge then leads past them. Facts follow the graph from
// the root; each edge is judged with what is known at its beginning and by its own outcome.
#include <utility>

#include "optimize/known.hpp"
#include "optimize/passes.hpp"
#include "optimize/rewrite.hpp"

namespace weir::optimize {
namespace {

using namespace ir;

class Facts : public Rewrite {
 public:
  explicit Facts(const Program& p)
      : Rewrite(p), ranges_(p), at_(p.node_count()), met_(p.node_count(), Unmet), ways_(p.node_count()),
        visited_(p.value_count()) {
    met_[static_cast<std::uint32_t>(p.root)] = Met;
    for (std::uint32_t i = static_cast<std::uint32_t>(p.node_count()); i-- > 0;)
      if (met_[i] != Unmet) flow(NodeId{i});
  }

 private:
  enum Meeting : std::uint8_t { Unmet, Met, AnyState };  // AnyState: the root of a choice, evaluated anywhere

  struct Ways {
    NodeId t, f;
  };

  void flow(NodeId id) {
    const auto i = static_cast<std::uint32_t>(id);
    const Node& n = from_[id];
    enter_choices(n.a);
    enter_choices(n.b);
    if (n.kind == NodeKind::Return) return;
    Known known = std::move(at_[i]);
    if (const auto outcome = decided(n, known)) {
      const NodeId to = follow(*outcome ? n.t : n.f, known);
      ways_[i] = {to, to};
      return pass(to, std::move(known));
    }
    if (n.kind == NodeKind::Test) {
      Known otherwise = known;
      otherwise.learn(from_, ranges_, n, false);
      ways_[i].f = follow(n.f, otherwise);
      pass(ways_[i].f, std::move(otherwise));
    }
    known.learn(from_, ranges_, n, true);
    ways_[i].t = follow(n.t, known);
    pass(ways_[i].t, std::move(known));
  }

  /// Guards are looked through; they are placed anew.
  std::optional<bool> decided(const Node& n, const Known& known) {
    if (n.kind == NodeKind::Guard) return true;
    if (n.kind == NodeKind::Return) return std::nullopt;
    const auto outcome = known.decides(from_, ranges_, n);
    return n.kind == NodeKind::NonZero && outcome == false ? std::nullopt : outcome;
  }

  NodeId follow(NodeId to, const Known& known) {
    while (const auto outcome = decided(from_[to], known)) to = *outcome ? from_[to].t : from_[to].f;
    return to;
  }

  void pass(NodeId to, Known&& known) {
    const auto i = static_cast<std::uint32_t>(to);
    if (met_[i] == Met) at_[i].meet(known);
    if (met_[i] == Unmet) at_[i] = std::move(known);
    if (met_[i] == Unmet) met_[i] = Met;
  }

  void enter_choices(ValueId id) {
    if (id == no_value || std::exchange(visited_[static_cast<std::uint32_t>(id)], char{1})) return;
    const Value& v = from_[id];
    enter_choices(v.a);
    enter_choices(v.b);
    if (v.kind != ValueKind::Choice) return;
    at_[v.k] = {};
    met_[v.k] = AnyState;
  }

  bool wanted(NodeId old) const override { return met_[static_cast<std::uint32_t>(old)] != Unmet; }

  Node redirect(NodeId old) override {
    Node n = from_[old];
    const Ways& w = ways_[static_cast<std::uint32_t>(old)];
    if (n.kind != NodeKind::Return) n.t = w.t;
    if (n.kind == NodeKind::Test) n.f = w.f;
    return n;
  }

  NodeId make(const Node& n, NodeId, Span span) override {
    const bool idle = n.kind == NodeKind::Guard || (n.kind == NodeKind::Test && n.t == n.f);
    return idle ? n.t : to_.add(n, span);
  }

  Ranges ranges_;
  std::vector<Known> at_;
  std::vector<Meeting> met_;
  std::vector<Ways> ways_;
  std::vector<char> visited_;
};

}  // namespace

Program apply_facts(const Program& p) { return place_guards(Facts(p).run()); }

}  // namespace weir::optimize
