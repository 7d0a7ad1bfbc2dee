// Of a long row of links that each ask about two values and, where one of them is it, about others, what is asked last goes first,
// for that can be found by halving:
//   (v == a or w == a) and Q and (x == p or y == p)  or  (v == b or w == b) and Q and (x == q or y == q)  or …
//     ==  (v in {a, b, …} or w in {a, b, …}) and Q and (the first link
//           or x == q and (v == b or w == b) or …, by halving
//           or y == q and (v == b or w == b) or …, by halving)
// Lowers the number of tests on the longest path. Links for the same numbers of x are asked for as sets of v and w.
// No whole packet goes on to more loads than before, wherever it leaves the row: behind the sets, one link asks Q and x. What gets past
// the first link has loaded w: where v was not in the way, and where it was, at the second link, which is for other numbers of v. What
// no link takes by x, and one by y, has loaded y; and so has what no link takes, at the link that the sets have found. Where what no link
// takes is rejected, the sets in front may be those of x and y, for what a link takes has loaded those, too.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "optimize/halving.hpp"
#include "optimize/known.hpp"
#include "optimize/passes.hpp"
#include "optimize/rewrite.hpp"

namespace weir::optimize {
namespace {

using namespace ir;

constexpr std::size_t fewest_links = 6;
constexpr std::size_t most_asked = 3, most_common = 4;

/// Tests, each of one value for a few numbers.
struct Link {
  std::array<NodeId, 2> outer{};           ///< one of these has to hold,
  std::array<NodeId, most_asked> inner{};  ///< and one of these
};

/// Numbers of an inner value, and the link that is for them.
struct Piece {
  Interval numbers;
  std::uint32_t link = 0;
};

/// What has to hold, or not to, in each link.
struct Common {
  NodeId test{};  ///< of the first link
  bool holds = false;
};

/// What all links of a row have alike.
struct Form {
  std::array<ValueId, 2> outer{};
  std::array<ValueId, most_asked> inner{};
  std::size_t inner_count = 0;
  std::array<Common, most_common> common{};  ///< between the outer and the inner tests
  std::size_t common_count = 0;
  NodeId goal{};  ///< where a link leads that holds
};

struct Row {
  NodeId head, end;
  Form form;
  std::vector<Link> links;
  std::array<std::vector<Piece>, most_asked> pieces;  ///< by inner value, ascending: of all links but the first
};

/// The numbers for which a test holds; nothing where it is not about all bits of one value, or may reject by itself.
std::optional<Question> asked(const Program& p, Ranges& ranges, NodeId test) {
  constexpr std::size_t few = 4;
  if (!p[test].forks() || ranges.may_reject(p[test].a)) return std::nullopt;
  auto q = question(p, ranges, p[test]);
  return q && q->mask == 0xffffffff && q->yes().intervals().size() <= few ? std::move(q) : std::nullopt;
}

/// Whether a test and the one behind it, about another value, lead to one place when they hold.
bool may_be_link(const Program& p, Ranges& ranges, NodeId n) {
  if (!p[n].forks()) return false;
  const Node& second = p[past_guards(p, ranges, p[n].f)];
  return second.forks() && second.a != p[n].a && past_guards(p, ranges, second.t) == past_guards(p, ranges, p[n].t);
}

/// A closer look costs more.
bool may_have_rows(const Program& p) {
  constexpr std::size_t fewest_tests = 3 * fewest_links;
  if (p.node_count() < fewest_tests) return false;
  Ranges ranges(p);
  std::size_t links = 0;
  for (std::uint32_t i = 0; i < p.node_count() && links < fewest_links; ++i) links += may_be_link(p, ranges, NodeId{i});
  return links == fewest_links;
}

class Rows {
 public:
  explicit Rows(const Program& p) : from_(p), live_(live_nodes(p)), ranges_(p), in_row_(p.node_count()) {}

  /// By descending head.
  std::vector<Row> find() {
    for (auto i = static_cast<std::uint32_t>(from_.node_count()); i-- > 0;)
      if (live_[i] && !in_row_[i] && may_be_link(from_, ranges_, NodeId{i})) find_row(NodeId{i});
    std::ranges::sort(rows_, std::greater(), &Row::head);
    return std::move(rows_);
  }

 private:
  NodeId past(NodeId n) { return past_guards(from_, ranges_, n); }

  void find_row(NodeId head) {
    Row row{head, head, {}, {}, {}};
    for (std::optional<NodeId> here = head; here; here = is_alone_ ? std::optional(row.end) : std::nullopt) {
      const auto next = add_link(row, *here);
      if (!next) break;
      row.end = *next;
    }
    if (row.links.size() < fewest_links) return;
    for (const Link& link : row.links) in_row_[link.outer[0]] = true;  // looked at once, whatever comes of it
    begin_where_all_is_loaded(row);
    if (is_worth(row)) rows_.push_back(std::move(row));
  }

  /// Adds the link that begins at a node, and says where it leads when it does not hold. Nothing where there is none of this form, or
  /// other ways lead into it, for what it asks would have to stay for those.
  std::optional<NodeId> add_link(Row& row, NodeId here) {
    if (in_row_[here] || !may_be_link(from_, ranges_, here)) return std::nullopt;
    Form form;
    Link link;
    const NodeId second = past(from_[here].f), body = past(from_[here].t), next = past(from_[second].f);
    if (!ask(form.outer[0], link.outer[0], here) || !ask(form.outer[1], link.outer[1], second)) return std::nullopt;
    if (ways_in(second) != 1 || ways_in(body) != 2 || !add_body(form, link, body, next, row)) return std::nullopt;
    if (row.links.empty()) row.form = form;
    else if (!is_same(row.form, form)) return std::nullopt;
    row.links.push_back(link);
    is_alone_ = ways_in(next) == form.common_count + 2;
    return next;
  }

  bool ask(ValueId& about, NodeId& place, NodeId test) {
    const auto q = asked(from_, ranges_, test);
    if (!q) return false;
    about = q->value;
    place = test;
    return true;
  }

  /// What is common to all, then what leads to the goal; whatever does not hold leads to the next link.
  bool add_body(Form& form, Link& link, NodeId here, NodeId next, const Row& row) {
    for (const NodeId body = here;;) {
      if (add_inner(form, link, here, next, row)) return true;
      const Node& n = from_[here];
      if (form.common_count == most_common || !may_ask(n) || (here != body && ways_in(here) != 1)) return false;
      const NodeId t = past(n.t), f = past(n.f);
      if ((t == next) == (f == next)) return false;
      form.common[form.common_count++] = {here, f == next};
      here = f == next ? t : f;
    }
  }

  bool may_ask(const Node& n) { return n.forks() && !ranges_.may_reject(n.a) && !ranges_.may_reject(n.b); }

  /// The next link leads to the goal, too, which is what tells it from what a link has to pass.
  bool add_inner(Form& form, Link& link, NodeId first, NodeId next, const Row& row) {
    if (!from_[first].forks()) return false;
    form.goal = past(from_[first].t);
    if (row.links.empty() ? form.goal >= next : form.goal != row.form.goal) return false;
    form.inner_count = 0;
    for (NodeId here = first; here != next; here = past(from_[here].f)) {
      if (form.inner_count == most_asked || (here != first && ways_in(here) != 1)) return false;
      const std::size_t n = form.inner_count++;
      if (!ask(form.inner[n], link.inner[n], here) || past(from_[here].t) != form.goal) return false;
    }
    return true;
  }

  bool is_same(const Form& a, const Form& b) const {
    const auto ask_the_same = [&](const Common& x, const Common& y) {
      const Node &m = from_[x.test], &n = from_[y.test];
      return x.holds == y.holds && m.kind == n.kind && m.detail == n.detail && m.k == n.k && m.a == n.a && m.b == n.b;
    };
    return a.outer == b.outer && a.inner == b.inner && a.goal == b.goal && a.common_count == b.common_count &&
           std::equal(a.common.begin(), a.common.begin() + a.common_count, b.common.begin(), ask_the_same);
  }

  /// The first two links must not be for the same numbers of the first value, so that the second value is loaded behind them.
  void begin_where_all_is_loaded(Row& row) {
    const auto numbers = [&](const Link& link) { return asked(from_, ranges_, link.outer[0])->yes(); };
    const auto differ = [&](const Link& a, const Link& b) { return (numbers(a) & numbers(b)).empty(); };
    row.links.erase(row.links.begin(), std::ranges::adjacent_find(row.links, differ));
    if (!row.links.empty()) row.head = row.links.front().outer[0];
  }

  /// What is found by halving has to be for numbers of its own, or the same.
  bool is_worth(Row& row) {
    if (row.links.size() < fewest_links) return false;
    for (std::size_t k = 0; k < row.form.inner_count; ++k)
      if (!cut(row, k)) return false;
    return !lengthens(row);
  }

  /// Whether the row takes more room turned than a third. As it stands each link asks for all of its numbers, and for what is common;
  /// turned it asks for those of the outer values in front of the row, and again behind those of each inner one.
  bool lengthens(const Row& row) {
    constexpr std::size_t of_a_link = 6, of_a_common_test = 3, of_a_turned_link = 5;  // instructions in between, as counted
    std::size_t before = 0, after = 0;
    for (const Link& link : row.links) {
      const std::size_t outer = numbers(link.outer, link.outer.size()), inner = numbers(link.inner, row.form.inner_count);
      before += outer + inner + of_a_link + of_a_common_test * row.form.common_count;
      after += outer * (1 + row.form.inner_count) + inner + of_a_turned_link;
    }
    return 3 * after > 4 * before;
  }

  std::size_t numbers(std::span<const NodeId> tests, std::size_t count) {
    std::size_t sum = 0;
    for (const NodeId test : tests.first(count)) sum += asked(from_, ranges_, test)->yes().intervals().size();
    return sum;
  }

  bool cut(Row& row, std::size_t k) {
    auto& pieces = row.pieces[k];
    pieces.reserve(row.links.size());
    for (std::uint32_t i = 1; i < row.links.size(); ++i) {
      const Set numbers = asked(from_, ranges_, row.links[i].inner[k])->yes();
      for (const Interval& interval : numbers.intervals()) pieces.push_back({interval, i});
    }
    std::ranges::sort(pieces, {}, [](const Piece& piece) { return std::pair(piece.numbers.low, piece.link); });
    const auto overlap = [](const Piece& a, const Piece& b) { return b.numbers.low <= a.numbers.high && a.numbers != b.numbers; };
    return std::ranges::adjacent_find(pieces, overlap) == pieces.end();
  }

  /// Ways to a node that are none of guards.
  std::uint32_t ways_in(NodeId n) {
    if (!is_counted_) count_ways();
    return ways_in_[n];
  }

  void count_ways() {
    is_counted_ = true;
    ways_in_.grow(from_.node_count());
    for (std::uint32_t i = 0; i < from_.node_count(); ++i) {
      const Node& n = from_[NodeId{i}];
      if (!live_[i] || n.kind == NodeKind::Return || passes(n, ranges_)) continue;
      ++ways_in_[past(n.t)];
      if (n.forks()) ++ways_in_[past(n.f)];
    }
  }

  const Program& from_;
  Flags live_;
  Ranges ranges_;
  Flags in_row_;
  Column<std::uint32_t> ways_in_;  ///< counted when it matters
  bool is_counted_ = false;
  bool is_alone_ = false;          ///< nothing but the link that was added last leads to the next
  std::vector<Row> rows_;
};

class Turn : public Rewrite {
 public:
  Turn(const Program& p, std::vector<Row> rows) : Rewrite(p), live_(live_nodes(p)), ranges_(p), rows_(std::move(rows)) {}

 private:
  /// Pieces of the same numbers.
  struct Group {
    Interval numbers;
    std::span<const Piece> pieces;
  };

  bool wanted(NodeId old) const override { return live_[old]; }

  NodeId make(const Node& n, NodeId old, Span span) override {
    Row* row = row_from(rows_, old);
    if (!row) return to_.add(n, span);
    const Form& form = row->form;
    const NodeId end = node(row->end);
    goal_ = node(form.goal);
    NodeId next = end;
    for (std::size_t k = form.inner_count; k-- > 0;) next = turned(*row, k, next, span);
    next = as_it_was(row->links[0], form, next);
    for (std::size_t i = form.common_count; i-- > 0;) {
      const auto [test, holds] = form.common[i];
      next = again(test, holds ? next : end, holds ? end : next);
    }
    return screened(*row, next, end, span);
  }

  /// All links but the first, as far as they hold by one of the inner values.
  NodeId turned(const Row& row, std::size_t k, NodeId next, Span span) {
    const std::span<const Piece> pieces = row.pieces[k];
    std::vector<Group> groups;
    for (std::size_t i = 0, first = 0; i < pieces.size(); first = i) {
      while (++i < pieces.size() && pieces[i].numbers == pieces[first].numbers) {}
      groups.push_back({pieces[first].numbers, pieces.subspan(first, i - first)});
    }
    const ValueId about = value(row.form.inner[k]);
    return halves(to_, about, std::span(groups), span, [&](std::span<Group> few) {
      NodeId here = next;
      for (auto group = few.rbegin(); group != few.rend(); ++group)
        here = is_one_of(about, group->numbers, outer(row, group->pieces, next, span), here, span);
      return here;
    });
  }

  NodeId is_one_of(ValueId about, Interval numbers, NodeId t, NodeId f, Span span) {
    if (numbers.low == numbers.high) return to_.test(Relation::Equal, about, to_.constant(numbers.low), t, f, span);
    return to_.member(about, Set(numbers), t, f, span);
  }

  NodeId outer(const Row& row, std::span<const Piece> pieces, NodeId next, Span span) {
    for (std::size_t i = row.form.outer.size(); i-- > 0;) {
      if (pieces.size() == 1) {
        next = again(row.links[pieces[0].link].outer[i], goal_, next);
        continue;
      }
      std::vector<NodeId> tests;
      for (const Piece& piece : pieces) tests.push_back(row.links[piece.link].outer[i]);
      next = to_.member(value(row.form.outer[i]), all_numbers(tests), goal_, next, span);
    }
    return next;
  }

  NodeId as_it_was(const Link& link, const Form& form, NodeId next) {
    NodeId body = next;
    for (std::size_t k = form.inner_count; k-- > 0;) body = again(link.inner[k], goal_, body);
    for (std::size_t i = form.outer.size(); i-- > 0;) next = again(link.outer[i], body, next);
    return next;
  }

  /// First whether any link can hold.
  NodeId screened(const Row& row, NodeId inside, NodeId end, Span span) {
    const bool by_inner = is_screened_by_inner(row);
    for (std::size_t i = by_inner ? row.form.inner_count : row.form.outer.size(); i-- > 0;) {
      std::vector<NodeId> tests;
      for (const Link& link : row.links) tests.push_back(by_inner ? link.inner[i] : link.outer[i]);
      end = to_.member(value(by_inner ? row.form.inner[i] : row.form.outer[i]), all_numbers(tests), inside, end, span);
    }
    return end;
  }

  /// For which one of the tests holds.
  Set all_numbers(std::span<const NodeId> tests) {
    std::vector<Interval> numbers;
    for (const NodeId test : tests) {
      const Set some = asked(from_, ranges_, test)->yes();
      numbers.insert(numbers.end(), some.intervals().begin(), some.intervals().end());
    }
    return Set::join(std::move(numbers));
  }

  /// Where what no link takes is rejected (what returns 0 in a choice is not): what stands in a fixed place costs less than what stands
  /// behind a header.
  bool is_screened_by_inner(const Row& row) const {
    const auto is_in_place = [&](ValueId v) { return from_[v].kind == ValueKind::Load && from_[v].a == no_value; };
    const auto inner = std::span(row.form.inner).first(row.form.inner_count);
    if (!rejects(from_, row.end) || from_.has_choices()) return false;
    return std::ranges::all_of(inner, is_in_place) && std::ranges::none_of(row.form.outer, is_in_place);
  }

  Flags live_;
  Ranges ranges_;
  std::vector<Row> rows_;  ///< by descending head
  NodeId goal_{};          ///< of the row that is made anew
};

}  // namespace

bool turn_rows(Program& p) {
  if (!may_have_rows(p)) return false;
  std::vector<Row> rows = Rows(p).find();
  if (rows.empty()) return false;
  p = Turn(p, std::move(rows)).run();
  return true;
}

}  // namespace weir::optimize
