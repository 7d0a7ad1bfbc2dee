// Of a long row of tests of a few values, first whether any of them can hold at all.
// v == a ? A : w == b ? B : v == c ? C : … : z  ==  v in {a, c, …} ? the row : w in {b, …} ? the row : z
// Lowers the number of tests on the way of what passes all of them, as most packets do. Nothing is loaded that the row does not
// load on the same way, in its order. Where the row is about one value and each of its tests is reached from the one before alone,
// halve.cc does better.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/column.hpp"
#include "optimize/known.hpp"
#include "optimize/passes.hpp"
#include "optimize/rewrite.hpp"

namespace weir::optimize {
namespace {

using namespace ir;

struct Asked {
  ValueId value;
  NodeId first;  ///< test of it
  std::vector<Interval> numbers;
};

struct Row {
  NodeId head, end;
  std::vector<Asked> asked;  ///< a few, by their first test
};

/// Fewer numbers, in all and of a value, are not worth the room that sets take.
constexpr std::size_t fewest_in_all = 12, fewest_numbers = 4;

class Rows {
 public:
  explicit Rows(const Program& p) : from_(p), live_(live_nodes(p)), ranges_(p), subjects_(p), in_row_(p.node_count()) {}

  /// By descending head.
  std::vector<Row> find() {
    if (!subjects_.any()) return {};
    for (auto i = static_cast<std::uint32_t>(from_.node_count()); i-- > 0;)
      if (live_[i] && !in_row_[i] && subjects_.has_several(subject(from_, from_[NodeId{i}]))) find_row(NodeId{i});
    return std::move(rows_);
  }

 private:
  static constexpr std::size_t most_values = 3;

  void find_row(NodeId head) {
    Row row{head, head, {}};
    for (NodeId here = head; row.end = here, !in_row_[here] && add(row, here); here = past_guards(from_, ranges_, from_[here].f))
      in_row_[here] = true;
    end_before_few(row);
    if (is_worth(row)) rows_.push_back(std::move(row));
  }

  /// Adds a link; false where the row ends, as it does before the comparisons of halving.
  bool add(Row& row, NodeId n) {
    if (!from_[n].forks()) return false;
    const auto q = question(from_, ranges_, from_[n]);
    if (!q || q->mask != 0xffffffff || q->holds.count() != 1 || q->holds.high() >= q->domain.high) return false;
    if (ranges_.may_reject(q->value)) return false;
    auto known = std::ranges::find(row.asked, q->value, &Asked::value);
    if (known == row.asked.end()) {
      if (row.asked.size() == most_values) return false;
      known = row.asked.insert(known, {q->value, n, {}});
    }
    known->numbers.push_back(q->holds.intervals()[0]);
    return true;
  }

  /// What is asked for a few numbers only is no part of the row.
  static void end_before_few(Row& row) {
    const auto few = std::ranges::find_if(row.asked, [](const Asked& a) { return a.numbers.size() < fewest_numbers; });
    if (few == row.asked.end()) return;
    row.end = few->first;
    row.asked.erase(few, row.asked.end());
  }

  /// Asking for the sets takes fewer tests than the row has, and is not done already.
  bool is_worth(const Row& row) const {
    std::size_t tests = 0, numbers = 0;
    for (const Asked& a : row.asked) {
      numbers += a.numbers.size();
      tests += 2 + static_cast<std::size_t>(std::bit_width(a.numbers.size()));
    }
    return numbers >= fewest_in_all && tests < numbers && !is_screened(row);
  }

  bool is_screened(const Row& row) const {
    const Set first = Set::join(row.asked[0].numbers);
    for (std::uint32_t i = 0; i < from_.set_count(); ++i)
      if (from_.set(i) == first) return true;
    return false;
  }

  const Program& from_;
  Flags live_;
  Ranges ranges_;
  Subjects subjects_;
  Flags in_row_;
  std::vector<Row> rows_;
};

class Screen : public Rewrite {
 public:
  Screen(const Program& p, std::vector<Row> rows) : Rewrite(p), live_(live_nodes(p)), rows_(std::move(rows)) {}

 private:
  bool wanted(NodeId old) const override { return live_[old]; }

  NodeId make(const Node& n, NodeId old, Span span) override {
    const NodeId head = to_.add(n, span);
    Row* row = row_from(rows_, old);
    if (!row) return head;
    NodeId next = node(row->end);
    for (auto a = row->asked.rbegin(); a != row->asked.rend(); ++a)
      next = to_.member(value(a->value), Set::join(std::move(a->numbers)), head, next, span);
    return next;
  }

  Flags live_;
  std::vector<Row> rows_;  ///< by descending head
};

/// Whether there may be a row, from how many tests ask about a value: a closer look costs more.
bool may_have_row_to_screen(const Program& p) {
  if (p.node_count() < 2 * fewest_in_all) return false;
  Column<std::uint8_t> tests(p.value_count());  // of each value, up to so many that a row may have them
  std::size_t in_rows = 0;
  for (std::uint32_t i = 0; i < p.node_count() && in_rows < fewest_in_all; ++i) {
    const ValueId about = subject(p, p[NodeId{i}]);
    if (about == no_value) continue;
    if (tests[about] < fewest_numbers) in_rows += ++tests[about] == fewest_numbers ? fewest_numbers : 0;
    else ++in_rows;
  }
  return in_rows >= fewest_in_all;
}

}  // namespace

bool screen_rows(Program& p) {
  if (!may_have_row_to_screen(p)) return false;
  std::vector<Row> rows = Rows(p).find();
  if (rows.empty()) return false;
  p = Screen(p, std::move(rows)).run();
  return true;
}

}  // namespace weir::optimize
