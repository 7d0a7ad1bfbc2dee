// Tests of one value with one outcome become one membership: v in A or w in B or v in C == v in (A | C) or w in B.
// A later test moves up to the first of its value, where that value is loaded already: no accepted packet is lost, and
// whole packets end up where they did. Whatever stands in between must lead nowhere but to that outcome or on, and be
// reached from there alone, and must not reject whole packets by itself. Lowers the number of tests on the longest path.
#include <algorithm>
#include <array>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "optimize/known.hpp"
#include "optimize/passes.hpp"
#include "optimize/rewrite.hpp"

namespace weir::optimize {
namespace {

using namespace ir;

class Sets : public Rewrite {
 public:
  /// Adds to `p` the sets that it makes; `run` gives the graph.
  Sets(Program& p, Subjects subjects)
      : Rewrite(p),
        program_(p),
        live_(live_nodes(p)),
        ranges_(p),
        ways_in_(ways_in(p, live_)),
        subjects_(std::move(subjects)),
        nodes_(nodes_of(p)),
        skipped_(p.node_count()) {
    for (auto i = static_cast<std::uint32_t>(p.node_count()); i-- > 0;)
      if (live_[i] && !skipped_[i] && nodes_[i].forks()) widen(NodeId{i});
    for (auto i = static_cast<std::uint32_t>(p.node_count()); i-- > 0;)
      if (live_[i] && !skipped_[i] && nodes_[i].forks()) absorb(NodeId{i});
  }

  bool found() const { return !made_.empty(); }
  /// Whether the graph made of this one asks again about a value of which a set was made.
  bool may_find_more(const Program& made) const {
    const Flags live = live_nodes(made);
    const auto is_asked_again = [&](ValueId v) {
      std::size_t tests = 0;
      for (std::uint32_t i = 0; i < made.node_count() && tests < 2; ++i) tests += live[i] && subject(made, made[NodeId{i}]) == v;
      return tests > 1;
    };
    return made_.size() > few_sets || std::ranges::any_of(made_, is_asked_again);
  }

 private:
  static constexpr std::size_t farthest = 24;  ///< that a detour goes
  static constexpr std::size_t few_sets = 8;   ///< of so many it is worth while to see whether they leave anything to find

  static std::uint32_t at(NodeId n) { return static_cast<std::uint32_t>(n); }

  static Column<Node> nodes_of(const Program& p) {
    Column<Node> nodes(p.node_count());
    for (std::uint32_t i = 0; i < p.node_count(); ++i) nodes[i] = p[NodeId{i}];
    return nodes;
  }

  bool may_reject(const Node& n) { return ranges_.may_reject(n.a) || ranges_.may_reject(n.b); }

  void widen(NodeId id) {
    if (!subjects_.has_several(subject(from_, from_[id]))) return;
    const auto q = question(from_, ranges_, from_[id]);
    if (!q || q->mask != 0xffffffff) return;
    Node& n = nodes_[at(id)];
    Set in = q->yes();
    if (collect(*q, n.f, n.t, in)) return become(n, *q, std::move(in));
    Set out = q->no();
    if (collect(*q, n.t, n.f, out)) become(n, *q, Set(q->domain) - out);
  }

  void become(Node& n, const Question& q, Set in) {
    n = {NodeKind::Member, 0, program_.add(std::move(in)), q.value, no_value, n.t, n.f};
    made_.push_back(q.value);
  }

  /// Whether few comparisons ask for a set, or for what it leaves.
  static bool is_cheap(const Set& set, Interval domain) {
    constexpr std::size_t few = 3;
    return set.comparisons(domain) <= few || set.comparisons_of_rest(domain) <= few;
  }
  /// Masks of a byte may be sets of many pieces; such tests stay two.
  static bool is_worth(const Set& all, const Set& a, const Set& b, Interval domain) {
    return domain.high > 0xff || is_cheap(all, domain) || (is_cheap(a, domain) && is_cheap(b, domain));
  }

  /// The numbers of the same value that go to `outcome` further on along the other way. Tests right behind are passed by
  /// moving `onward`, others are skipped where they stand.
  bool collect(const Question& q, NodeId& onward, NodeId outcome, Set& all) {
    const NodeId goal = past_guards(from_, ranges_, outcome);
    bool at_once = true, alone = true, any = false;  // at_once: nothing but guards so far; alone: no way in but ours
    NodeId here = onward;
    std::uint32_t ways = 1;  // from what has been passed to here
    for (int steps = 0; steps < max_steps; ++steps) {
      const Node& m = from_[here];
      alone &= ways_in_[at(here)] == std::exchange(ways, 1);
      if (!at_once && !alone) break;
      if (skipped_[at(here)]) {
        here = nodes_[at(here)].t;
        continue;
      }
      if (passes(m, ranges_)) {
        here = m.t;
        continue;
      }
      if (may_reject(m)) break;
      const bool straight = m.forks() && past_guards(from_, ranges_, m.t) == goal;
      if (!straight && !(m.forks() && past_guards(from_, ranges_, m.f) == goal)) {
        const auto beyond = alone ? detour(here, goal, q) : std::nullopt;
        if (!beyond) break;
        at_once = false;
        std::tie(here, ways) = *beyond;
        continue;
      }
      const NodeId other = straight ? m.f : m.t;
      if (const auto asked = same_question(m, q)) {
        const Set set = straight ? asked->holds & Set(q.domain) : Set(q.domain) - asked->holds;
        Set joined = all | set;
        if (!is_worth(joined, all, set, q.domain)) break;
        all = std::move(joined);
        any = true;
        if (at_once) pass_by(onward, here, other);
        else skip(here, other);
        alone |= at_once;
      } else if (!alone) {
        break;
      } else {
        at_once = false;
      }
      here = other;
    }
    return any;
  }

  // ---- rows that go on where others come to, too -------------------------------------------------------

  static constexpr std::size_t longest = 4;

  /// Tests one behind the other, reached from there alone, each of which leads to one place when it holds.
  struct Row {
    std::array<NodeId, longest> tests;
    std::size_t count = 0;
    NodeId goal{}, end{};
  };

  /// v == a ? T : (w == b ? T : N), N: v == c ? T : E  ==  v in {a, c} ? T : (w == b ? T : E), where others lead to N, too: they keep it.
  void absorb(NodeId head) {
    Row row = row_at(head);
    const NodeId shared = row.end;
    for (std::size_t turn = 0; turn < longest && take_into(row); ++turn) {}
    if (row.end == shared) return;
    nodes_[at(row.tests[row.count - 1])].f = row.end;
    --ways_in_[at(shared)];
    ++ways_in_[at(row.end)];
  }

  Row row_at(NodeId head) {
    Row row;
    row.goal = past_guards(from_, ranges_, nodes_[at(head)].t);
    row.end = head;
    for (NodeId here = head; row.count < longest && is_in_row(here, row.goal); here = row.end) {
      row.tests[row.count++] = here;
      row.end = nodes_[at(here)].f;
      NodeId test = row.end;
      bool alone = ways_in_[at(test)] == 1;
      for (; is_passed(test); alone &= ways_in_[at(test)] == 1) test = nodes_[at(test)].t;
      if (!alone) break;
      row.end = test;
    }
    return row;
  }

  bool is_passed(NodeId id) { return skipped_[at(id)] || passes(nodes_[at(id)], ranges_); }

  bool is_in_row(NodeId id, NodeId goal) {
    const Node& n = nodes_[at(id)];
    return subjects_.has_several(subject(from_, n)) && past_guards(from_, ranges_, n.t) == goal && !may_reject(n);
  }

  /// The next test behind a row, if the row asks about its value, too.
  bool take_into(Row& row) {
    constexpr std::size_t few = 2;
    NodeId next = row.end;
    while (is_passed(next)) next = nodes_[at(next)].t;
    if (!is_in_row(next, row.goal)) return false;
    for (std::size_t i = 0; i < row.count; ++i) {
      Node& test = nodes_[at(row.tests[i])];
      if (subject(from_, test) != subject(from_, nodes_[at(next)])) continue;
      const auto q = question(from_, ranges_, test);
      const auto more = q && q->mask == 0xffffffff ? same_question(nodes_[at(next)], *q) : std::nullopt;
      if (!more || more->yes().comparisons(more->domain) > few) continue;
      become(test, *q, q->yes() | more->yes());
      row.end = nodes_[at(next)].f;
      return true;
    }
    return false;
  }

  /// What a node asks, where that is about the same bits of the same value.
  std::optional<Question> same_question(const Node& n, const Question& q) {
    if (!n.forks() || subject(from_, n) != q.value) return std::nullopt;
    auto asked = question(from_, ranges_, n);
    return asked && asked->mask == q.mask ? std::move(asked) : std::nullopt;
  }

  /// Nodes that a detour has yet to come to, and how many of its ways lead there.
  struct Open {
    struct Way {
      NodeId to;
      std::uint32_t ways;
    };
    std::array<Way, 2 * farthest + 2> all;
    std::size_t count = 0;

    void add(NodeId to, std::uint32_t ways) {
      for (std::size_t i = 0; i < count; ++i)
        if (all[i].to == to) return void(all[i].ways += ways);
      all[count++] = {to, ways};
    }
    /// The largest: all that leads there has been seen.
    Way take() {
      std::size_t at = 0;
      for (std::size_t i = 1; i < count; ++i)
        if (all[i].to > all[at].to) at = i;
      return std::exchange(all[at], all[--count]);
    }
  };

  /// The next test of the value, where all ways from here lead there or to the goal, and how many do. What lies between
  /// is reached from here alone. Nothing where this is that test.
  std::optional<std::pair<NodeId, std::uint32_t>> detour(NodeId from, NodeId goal, const Question& q) {
    if (same_question(from_[from], q)) return std::nullopt;
    Open open;
    open.add(from, ways_in_[from]);
    std::optional<std::pair<NodeId, std::uint32_t>> end;
    const auto lead = [&](NodeId to) {
      if (past_guards(from_, ranges_, to) != goal) open.add(to, 1);
    };
    for (std::size_t steps = 0; open.count != 0; ++steps) {
      const auto [id, ways] = open.take();
      const Node& n = from_[id];
      const bool is_end = same_question(n, q).has_value();
      if (ways != ways_in_[id] || (end && is_end) || steps == farthest) return std::nullopt;
      if (is_end) {
        end = {id, ways};
        continue;
      }
      if ((!passes(n, ranges_) && !n.forks()) || may_reject(n)) return std::nullopt;
      lead(n.t);
      if (n.forks()) lead(n.f);
    }
    return end;
  }

  /// Leads past the guards from `onward` on and the test behind them.
  void pass_by(NodeId& onward, NodeId test, NodeId other) {
    for (NodeId n = onward; n != other;) {
      const NodeId next = n == test ? other : nodes_[at(n)].t;
      if (--ways_in_[at(n)] == 0) skipped_[at(n)] = true;  // nothing leads there any more
      else ++ways_in_[at(next)];
      n = next;
    }
    onward = other;
  }

  void skip(NodeId test, NodeId to) {
    skipped_[at(test)] = true;
    nodes_[at(test)] = {NodeKind::Test, 0, 0, from_[test].a, from_[test].a, to, to};  // is left out
  }

  bool wanted(NodeId old) const override { return live_[at(old)]; }
  Node redirect(NodeId old) override { return nodes_[at(old)]; }

  static constexpr int max_steps = 100;  ///< longer lists have been brought together before there was a graph
  Program& program_;
  Flags live_;
  Ranges ranges_;
  Column<std::uint32_t> ways_in_;
  Subjects subjects_;
  Column<Node> nodes_;
  Flags skipped_;
  std::vector<ValueId> made_;  ///< of which there are new sets
};

}  // namespace

bool gather_sets(Program& p) {
  Subjects subjects(p);
  if (!subjects.any()) return false;
  Sets sets(p, std::move(subjects));
  if (!sets.found()) return false;
  p = sets.run();
  if (sets.may_find_more(p)) return true;
  simplify_values(p);
  return false;
}

}  // namespace weir::optimize
