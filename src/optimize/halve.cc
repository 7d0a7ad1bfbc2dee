// Rows of tests of one value, each for numbers that none before it is for, are asked by halving.
// v in A ? a : v in B ? b : … : z == v >= low of the middle ? upper half of the row : lower half, each with z at its end.
// Where two tests have to hold, the one that is about the value comes first, for the value is at hand:
// w == c ? (v in A ? a : z) : z == v in A ? (w == c ? a : z) : z.
// Lowers the number of tests on the longest path. What is loaded was loaded before, or is loaded later now.
// Numbers with one outcome are a set, and back ends halve those; here each number goes on to something of its own.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "optimize/follow.hpp"
#include "optimize/halving.hpp"
#include "optimize/known.hpp"
#include "optimize/passes.hpp"
#include "optimize/rewrite.hpp"

namespace weir::optimize {
namespace {

using namespace ir;

struct Link {
  Interval numbers;
  NodeId node;  ///< where it is entered
  NodeId test;  ///< of the value: the same, or behind a test that has to hold, too
  bool is_shared = false;  ///< other ways lead to the test, which stays for those
};

struct Row {
  NodeId head, end;
  ValueId about;
  std::vector<Link> links;
};

/// Intervals that have nothing in common.
class Taken {
 public:
  /// False, and nothing added, where one is there that has some of the numbers.
  bool add(Interval numbers) {
    const auto above = by_low_.upper_bound(numbers.high);
    if (above != by_low_.begin() && std::prev(above)->second >= numbers.low) return false;
    by_low_.emplace(numbers.low, numbers.high);
    return true;
  }

 private:
  std::map<std::uint32_t, std::uint32_t> by_low_;  ///< their ends
};

const Node& behind_guards(const Program& p, NodeId n) {
  while (p[n].kind == NodeKind::Guard) n = p[n].t;
  return p[n];
}

/// Whether there may be a row, from what stands behind each test: a closer look costs more.
bool may_have_rows(const Program& p) {
  std::size_t in_a_row = 0;
  for (std::uint32_t i = 0; i < p.node_count(); ++i) {
    const Node& n = p[NodeId{i}];
    if (!n.forks()) continue;
    const Node& next = behind_guards(p, n.f);
    if (!next.forks()) continue;
    const ValueId about = subject(p, n);
    if (subject(p, next) == about && ++in_a_row + 1 >= worth_halving) return true;
    if (const Node& inner = behind_guards(p, next.t); inner.forks() && subject(p, inner) == about) return true;
  }
  return false;
}

class Rows {
 public:
  explicit Rows(const Program& p)
      : from_(p),
        live_(live_nodes(p)),
        ranges_(p),
        subjects_(p),
        follow_(p, ranges_, subjects_),
        ways_in_(ways_in(p, live_)),
        in_row_(p.node_count()) {}

  /// By descending head.
  std::vector<Row> find() {
    if (!subjects_.any()) return {};
    for (auto i = static_cast<std::uint32_t>(from_.node_count()); i-- > 0;)
      if (live_[i] && !in_row_[i] && from_[NodeId{i}].forks()) find_row(NodeId{i});
    return std::move(rows_);
  }

 private:
  /// The same, as far as there is no other way in.
  NodeId past_guards_alone(NodeId n) {
    while (passes(from_[n], ranges_) && ways_in_[from_[n].t] == 1) n = from_[n].t;
    return n;
  }

  void find_row(NodeId head) {
    const ValueId about = subject(from_, from_[head]);
    if (!subjects_.has_several(about) || !may_go_on(head, about)) return;
    Row row{head, head, about, {}};
    Taken taken;
    bool any_turned = false;
    NodeId here = head;
    for (bool alone = true; row.end = here, alone;) {
      const auto link = link_at(about, here);
      if (!link || (here == head && link->test != here) || !taken.add(link->numbers)) break;
      any_turned |= link->test != here;
      row.links.push_back(*link);
      const NodeId next = from_[here].f;
      const bool both = link->test != here && !link->is_shared && from_[link->test].f == next;
      alone = ways_in_[next] == (both ? 2 : 1);
      here = alone ? past_guards_alone(next) : next;
    }
    if (row.links.size() < worth_halving && !any_turned) return;
    for (const Link& link : row.links) {
      in_row_[link.node] = true;
      if (!link.is_shared) in_row_[link.test] = true;
    }
    rows_.push_back(std::move(row));
  }

  /// Whether there may be a second link: saves a closer look at most heads.
  bool may_go_on(NodeId head, ValueId about) {
    if (ways_in_[from_[head].f] != 1) return false;
    const Node& next = from_[past_guards_alone(from_[head].f)];
    return next.forks() && (subject(from_, next) == about || subject(from_, from_[past_guards_alone(next.t)]) == about);
  }

  std::optional<Link> link_at(ValueId about, NodeId here) {
    if (in_row_[here]) return std::nullopt;
    if (const auto numbers = asked_of(about, here)) return Link{*numbers, here, here};
    const Node& n = from_[here];
    if (!n.forks() || ranges_.may_reject(n.a) || ranges_.may_reject(n.b)) return std::nullopt;
    const NodeId inner = past_guards(from_, ranges_, n.t);
    const auto numbers = asked_of(about, inner);
    const bool is_shared = ways_in_[n.t] != 1 || past_guards_alone(n.t) != inner;
    return numbers && goes_on(here, inner) ? std::optional(Link{*numbers, here, inner, is_shared}) : std::nullopt;
  }

  /// Whether it is all the same which of two tests does not hold.
  bool goes_on(NodeId outer, NodeId inner) {
    if (past_guards(from_, ranges_, from_[outer].f) == past_guards(from_, ranges_, from_[inner].f)) return true;
    const auto q = question(from_, ranges_, from_[outer]);
    if (!q) return false;
    Known known;
    known.learn(follow_.numbers(), *q, true);
    if (const auto inner_q = question(from_, ranges_, from_[inner])) known.learn(follow_.numbers(), *inner_q, false);
    return follow_.past(from_[outer].f, known) == follow_.past(from_[inner].f, known);
  }

  /// The one interval of numbers that a link is for. None where it goes on to another test of the value, as halving does.
  std::optional<Interval> asked_of(ValueId about, NodeId n) {
    if (!from_[n].forks() || subject(from_, from_[n]) != about ||
        subject(from_, from_[past_guards(from_, ranges_, from_[n].t)]) == about)
      return std::nullopt;
    const auto q = question(from_, ranges_, from_[n]);
    if (!q || q->value != about || q->mask != 0xffffffff || q->holds.count() != 1) return std::nullopt;
    return q->holds.intervals()[0];
  }

  const Program& from_;
  Flags live_;
  Ranges ranges_;
  Subjects subjects_;
  Follow follow_;
  Column<std::uint32_t> ways_in_;
  Flags in_row_;
  std::vector<Row> rows_;
};

class Halve : public Rewrite {
 public:
  Halve(const Program& p, std::vector<Row> rows) : Rewrite(p), live_(live_nodes(p)), rows_(std::move(rows)) {}

 private:
  bool wanted(NodeId old) const override { return live_[old]; }

  NodeId make(const Node& n, NodeId old, Span span) override {
    Row* row = row_from(rows_, old);
    if (!row) return to_.add(n, span);
    row_end_ = node(row->end);
    std::ranges::sort(row->links, {}, [](const Link& l) { return l.numbers.low; });
    return halves(to_, value(row->about), std::span(row->links), span, [this](std::span<Link> links) { return in_order(links); });
  }

  /// As they were asked.
  NodeId in_order(std::span<Link> links) {
    std::ranges::sort(links, {}, &Link::node);
    NodeId next = row_end_;
    for (const Link& link : links) {
      const NodeId holds = node(from_[link.test].t);
      next = again(link.test, link.test == link.node ? holds : again(link.node, holds, row_end_), next);
    }
    return next;
  }

  Flags live_;
  std::vector<Row> rows_;  ///< by descending head
  NodeId row_end_{};       ///< of the row that is made anew
};

}  // namespace

bool halve_rows(Program& p) {
  if (!may_have_rows(p)) return false;
  std::vector<Row> rows = Rows(p).find();
  if (rows.empty()) return false;
  p = Halve(p, std::move(rows)).run();
  return true;
}

}  // namespace weir::optimize
