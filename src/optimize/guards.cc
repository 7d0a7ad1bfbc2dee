// Guards stand where loads need them: before the first use on each path. A guard without a load behind it may go where
// every whole packet passes it; one whose offset may be beyond any packet stays, as it may reject those too.
#include <algorithm>
#include <array>
#include <utility>

#include "ir/ranges.hpp"
#include "optimize/optimize.hpp"
#include "optimize/rewrite.hpp"
#include "optimize/waiting.hpp"

namespace weir::optimize {
namespace {

using namespace ir;

/// What a guard vouches for: bytes [0, end) counted from a base (captured bytes are the first of the packet).
struct Reach {
  ValueId base;
  std::uint64_t end;
};

/// The guards passed on every path to a place, at most `most`: forgetting one only leaves a guard in place.
class Guarded {
 public:
  bool covers(ValueId base, std::uint64_t end) const {
    return std::any_of(begin(), begin() + count_, [&](const Reach& r) { return r.base == base && r.end >= end; });
  }
  void add(ValueId base, std::uint64_t end) {
    if (covers(base, end)) return;
    const auto same = std::find_if(begin(), begin() + count_, [&](const Reach& r) { return r.base == base; });
    if (same != begin() + count_) drop(same);
    else if (count_ == most) drop(begin());
    reaches_[count_++] = {base, end};
  }
  void meet(const Guarded& other) {
    std::uint32_t kept = 0;
    for (std::uint32_t i = 0; i < count_; ++i)
      for (std::uint32_t j = 0; j < other.count_; ++j)
        if (const Reach &r = reaches_[i], &o = other.reaches_[j]; o.base == r.base) {
          reaches_[kept++] = {r.base, std::min(r.end, o.end)};
          break;
        }
    count_ = kept;
  }

 private:
  static constexpr std::uint32_t most = 16;
  using Reaches = std::array<Reach, most>;  // in place: there is one of these a node and fork, and most are short

  Reaches::const_iterator begin() const { return reaches_.begin(); }
  Reaches::iterator begin() { return reaches_.begin(); }
  void drop(Reaches::const_iterator which) {
    std::copy(which + 1, reaches_.cbegin() + count_, begin() + (which - reaches_.cbegin()));
    --count_;
  }

  Reaches reaches_{};  ///< of each base one
  std::uint32_t count_ = 0;
};

class Placement : public Rewrite {
 public:
  explicit Placement(const Program& p)
      : Rewrite(p),
        ranges_(p),
        waiting_(p.node_count()),
        seen_(p.node_count()),
        needs_of_(p.node_count()),
        visited_(p.value_count()),
        leads_to_(p.node_count()) {
    find_idle();
    // A choice may be evaluated anywhere: nothing is known at its root.
    for (std::uint32_t i = 0; p.has_choices() && i < p.value_count(); ++i)
      if (p[ValueId{i}].kind == ValueKind::Choice) pass(p[ValueId{i}].root(), state_);
    pass(p.root, state_);
    for (std::uint32_t i = static_cast<std::uint32_t>(p.node_count()); i-- > 0;)
      if (seen_[i]) flow(NodeId{i});
  }

 private:
  /// Those of one node in `needs_`.
  struct Needs {
    std::uint32_t first = 0, last = 0;
  };

  bool wanted(NodeId old) const override { return seen_[old]; }

  /// Where each node leads once guards that always pass, and tests that then have but one way out, are left out.
  void find_idle() {
    for (std::uint32_t i = 0; i < from_.node_count(); ++i) {
      const Node& n = from_[NodeId{i}];
      const auto past = [&](NodeId to) { return leads_to_[to]; };
      const bool passes = n.kind == NodeKind::Guard && ranges_.passage(n) == Ranges::Passage::Always;
      const bool one_way = n.forks() && past(n.t) == past(n.f);
      leads_to_[i] = passes || one_way ? past(n.t) : NodeId{i};
    }
  }

  bool is_idle(NodeId id) const { return leads_to_[id] != id; }

  // ---- forward: what is guarded where, and what each node still needs --------------------------------

  void flow(NodeId id) {
    const auto i = static_cast<std::uint32_t>(id);
    waiting_.take(id, state_);
    const Node& n = from_[id];
    if (is_idle(id)) return pass(n.t, state_);
    ++visit_;
    needs_of_[i].first = static_cast<std::uint32_t>(needs_.size());
    if (n.a != no_value) collect(n.a);
    if (n.b != no_value) collect(n.b);
    needs_of_[i].last = static_cast<std::uint32_t>(needs_.size());
    if (n.kind == NodeKind::Return) return;
    if (n.kind == NodeKind::Guard) state_.add(n.a, std::uint64_t{n.k} + n.size());
    if (n.forks()) pass(n.f, state_);
    pass(n.t, state_);
  }

  void pass(NodeId to, const Guarded& state) {
    if (std::exchange(seen_[to], true))
      waiting_[to].meet(state);
    else
      waiting_.add(to, state);
  }

  /// Loads under a value that nothing vouches for yet, innermost first.
  void collect(ValueId id) {
    if (std::exchange(visited_[id], visit_) == visit_) return;
    const Value& v = from_[id];
    if (v.kind == ValueKind::Choice) return;  // guards inside it are its own
    if (v.a != no_value) collect(v.a);
    if (v.b != no_value) collect(v.b);
    if (v.kind != ValueKind::Load) return;
    const std::uint64_t end = std::uint64_t{v.k} + v.size();
    if (state_.covers(v.a, end)) return;
    state_.add(v.a, end);
    needs_.push_back(id);
  }

  // ---- back: the graph with guards where they are needed ----------------------------------------------

  NodeId make(const Node& n, NodeId old, Span span) override {
    if (is_idle(old)) return n.t;
    NodeId entry = to_.add(n, span);
    const Needs& needs = needs_of_[old];
    for (std::uint32_t i = needs.last; i-- > needs.first;) {
      const Value v = to_[value(needs_[i])];
      entry = to_.guard(v.size(), v.a, v.k, entry, span);
    }
    return entry;
  }

  Ranges ranges_;
  Waiting<Guarded> waiting_;  ///< guarded at nodes that the walk has yet to come to
  Guarded state_;  ///< at the node that is looked at
  Flags seen_;
  std::vector<ValueId> needs_;    ///< loads that want a guard, node after node
  Column<Needs> needs_of_;        ///< by node
  Column<std::uint32_t> visited_;
  std::uint32_t visit_ = 0;
  Column<NodeId> leads_to_;
};

}  // namespace

void place_guards(Program& p) { p = Placement(p).run(); }

}  // namespace weir::optimize
