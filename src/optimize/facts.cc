// What is known along an edge decides tests further on: the edge then leads past them. Facts follow the graph from
// the root; each edge is judged with what is known at its beginning and by its own outcome. Choices whose first tests
// are decided where they are used begin behind them.
#include <utility>

#include "optimize/follow.hpp"
#include "optimize/known.hpp"
#include "optimize/passes.hpp"
#include "optimize/rewrite.hpp"
#include "optimize/waiting.hpp"

namespace weir::optimize {
namespace {

using namespace ir;

class Facts : public Rewrite {
 public:
  /// Adds to `p` the values that facts make of its own; `run` gives the graph with what was found.
  Facts(Program& p, Subjects subjects)
      : Rewrite(p),
        program_(p),
        ranges_(p),
        subjects_(std::move(subjects)),
        follow_(p, ranges_, subjects_),
        any_choice_(p.has_choices()),
        waiting_(p.node_count()),
        met_(p.node_count(), Unmet),
        nodes_(p.node_count()) {
    pass(p.root, known_);
    for (std::uint32_t i = static_cast<std::uint32_t>(p.node_count()); i-- > 0;)
      if (met_[i] != Unmet) flow(NodeId{i});
  }

  bool found_anything() const { return found_; }
  bool found_values() const { return found_values_; }
  /// Whether the graph made of this one may show more: edges have been judged on the ways that are left. That is not so
  /// behind values that changed, where tests have become one or lost their choice, and where facts were forgotten or a walk was cut short.
  bool may_find_more(const Program& made) const {
    return found_values_ || cut_short_ || follow_.cut_short() || made.node_count() < left_;
  }

 private:
  enum Meeting : std::uint8_t { Unmet, Met, AnyState };  // AnyState: the root of a choice, evaluated anywhere

  void flow(NodeId id) {
    const auto i = static_cast<std::uint32_t>(id);
    if (is_end(id)) {
      nodes_[i] = from_[id];
      ++left_;
      return;
    }
    waiting_.take(id, known_);
    Node n = from_[id];
    if (any_choice_) {
      if (n.kind != NodeKind::NonZero) n.a = under(n.a, known_);
      n.b = under(n.b, known_);
      enter_choices(n.a);
      enter_choices(n.b);
    }
    const bool is_old = n.a == from_[id].a && n.b == from_[id].b;
    const auto anew = is_old ? std::nullopt : question(program_, ranges_, n);
    const Question* q = is_old ? follow_.asked(id) : anew ? &*anew : nullptr;
    if (const auto outcome = follow_.decided(n, q, known_)) {
      n = {NodeKind::Test, 0, 0, n.a, n.a, follow_.past(*outcome ? n.t : n.f, known_), {}};
      n.f = n.t;  // a test without a choice is left out
      pass(n.t, known_);
    } else {
      ++left_;
      if (n.kind != NodeKind::Return) ask(n, q);
    }
    nodes_[i] = n;
    cut_short_ |= known_.full();
    found_ |= n != from_[id];
  }

  /// Both ways out of a node, with `known_` and the answer of each, unless the way ends there.
  void ask(Node& n, const Question* q) {
    const bool goes_on = !is_end(n.t), goes_on_otherwise = n.forks() && !is_end(n.f);
    if (goes_on_otherwise) otherwise_ = known_;
    if (goes_on_otherwise && q) otherwise_.learn(follow_.numbers(), *q, false);
    if (goes_on && q) known_.learn(follow_.numbers(), *q, true);
    if (goes_on_otherwise) n.f = follow_.past(n.f, otherwise_);  // `q` is not used any more: following works out other questions
    if (n.forks()) pass(n.f, otherwise_);
    if (goes_on) n.t = follow_.past(n.t, known_);
    pass(n.t, known_);
  }

  /// The value with choices cut short by what is known. Divisors stay as they are: choices, which are not entered here, may divide by the
  /// same, and rely on the check.
  ValueId under(ValueId id, const Known& known) {
    if (id == no_value || !has_choice(id)) return id;
    Value v = from_[id];
    if (v.kind == ValueKind::Choice) {
      const NodeId root = follow_.past(v.root(), known);
      if (from_[root].kind == NodeKind::Return) {
        found_values_ = true;
        return under(from_[root].a, known);
      }
      if (root == v.root()) return id;
      found_values_ = true;
      return program_.choice(root, from_.span(id));
    }
    v.a = under(v.a, known);
    if (v.kind != ValueKind::Binary || (v.arith() != Arith::Div && v.arith() != Arith::Mod)) v.b = under(v.b, known);
    return v == from_[id] ? id : program_.add(v, from_.span(id));
  }

  bool has_choice(ValueId id) {
    if (id == no_value || !any_choice_) return false;
    const auto i = static_cast<std::uint32_t>(id);
    has_choice_.grow(from_.value_count(), Unasked);
    if (has_choice_[i] == Unasked) {
      const Value v = from_[id];
      const bool has = v.kind == ValueKind::Choice || has_choice(v.a) || has_choice(v.b);
      has_choice_[i] = has ? Yes : No;
    }
    return has_choice_[i] == Yes;
  }

  /// Where nothing needs to be known.
  bool is_end(NodeId id) { return from_[id].kind == NodeKind::Return && !has_choice(from_[id].a); }

  void pass(NodeId to, const Known& known) {
    Meeting& met = met_[to];
    if (is_end(to)) {
      met = Met;
      return;
    }
    if (met == Met) waiting_[to].meet(follow_.numbers(), known);
    if (met == Unmet) waiting_.add(to, known);
    if (met == Unmet) met = Met;
  }

  void enter_choices(ValueId id) {
    if (!has_choice(id)) return;
    entered_.grow(from_.value_count());
    if (std::exchange(entered_[id], true)) return;
    const Value& v = from_[id];
    enter_choices(v.a);
    enter_choices(v.b);
    if (v.kind != ValueKind::Choice) return;
    if (!is_end(v.root())) {
      if (met_[v.k] == Unmet) waiting_.add(v.root(), {});
      else waiting_[v.root()] = {};
    }
    met_[v.k] = AnyState;
  }

  bool wanted(NodeId old) const override { return met_[old] != Unmet; }

  Node redirect(NodeId old) override { return nodes_[old]; }

  enum Answer : std::uint8_t { Unasked, No, Yes };

  Program& program_;
  Ranges ranges_;
  Subjects subjects_;
  Follow follow_;
  bool any_choice_;
  Waiting<Known> waiting_;
  Known known_, otherwise_;  ///< at the node that is looked at; along its other way out
  Column<Meeting> met_;
  Column<Node> nodes_;  ///< by old id: with the ways out and values that facts leave
  Column<Answer> has_choice_;
  Column<bool> entered_;
  std::size_t left_ = 0;  ///< nodes that are not decided
  bool found_ = false, found_values_ = false, cut_short_ = false;
};

/// Whether some node may be left out although no other asks about what it asks: a guard that always passes, or a choice's.
bool may_have_idle_nodes(const Program& p) {
  if (p.has_choices()) return true;
  for (std::uint32_t i = 0; i < p.node_count(); ++i)
    if (p[NodeId{i}].kind == NodeKind::Guard) return true;
  return false;
}

/// What is found shortens the graph, which may show more; these many turns have always been enough.
constexpr int max_turns = 4;

}  // namespace

bool apply_facts(Program& p) {
  bool values = false;
  for (int turn = 0; turn < max_turns; ++turn) {
    Subjects subjects(p);
    subjects.join_parts(p);
    if (!subjects.any() && !may_have_idle_nodes(p)) break;
    Facts facts(p, std::move(subjects));
    if (!facts.found_anything()) break;
    values |= facts.found_values();
    p = facts.run();
    if (!facts.may_find_more(p)) break;
  }
  return values;
}

}  // namespace weir::optimize
