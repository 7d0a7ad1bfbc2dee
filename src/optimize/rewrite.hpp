// The walk that all passes share: a new program is built from the reachable part of an old one, operands before
// what uses them, ways out before what leads to them. Most passes only have nodes made anew: values keep their ids then.
#pragma once
#include <optional>
#include <vector>

#include "base/column.hpp"
#include "ir/order.hpp"
#include "ir/program.hpp"
#include "ir/ranges.hpp"

namespace weir::optimize {

/// Whether it is a guard that all whole packets pass.
inline bool passes(const ir::Node& n, ir::Ranges& ranges) {
  return n.kind == ir::NodeKind::Guard && ranges.passage(n) == ir::Ranges::Passage::Always;
}

/// Where all whole packets get from a place.
inline ir::NodeId past_guards(const ir::Program& p, ir::Ranges& ranges, ir::NodeId n) {
  while (passes(p[n], ranges)) n = p[n].t;
  return n;
}

/// Whether a load counts from a place that is one of several.
inline bool is_behind_choice(const ir::Program& p, ir::ValueId load) {
  if (load == ir::no_value || p[load].kind != ir::ValueKind::Load || p[load].a == ir::no_value) return false;
  return p[p[load].a].kind == ir::ValueKind::Choice;
}

/// By node, the value that the tests before it have left in a register; none of the program's where no test is before it, or they asked
/// about several.
Column<ir::ValueId> values_at_hand(const ir::Program& p, ir::Ranges& ranges, const ir::Flags& live);

enum class Makes : std::uint8_t { Nodes, NodesAndValues };

class Rewrite {
 public:
  explicit Rewrite(const ir::Program& from, Makes makes = Makes::Nodes);
  virtual ~Rewrite() = default;

  ir::Program run();

 protected:
  /// The new value for one whose operands are new already. Choices come with their new root. Asked for all values, or for
  /// those that cannot stay what they are.
  virtual ir::ValueId make(const ir::Value& v, Span span) { return to_.add(v, span); }
  /// The new node for one whose values and ways out are new already. `old`: where it stood. Not asked for tests whose ways
  /// out have become one, nor for checks before all is rejected: those are left out.
  virtual ir::NodeId make(const ir::Node& n, ir::NodeId old, Span span) {
    (void)old;
    return to_.add(n, span);
  }
  /// The ways out to follow instead of those of the old node; ids of the old program.
  virtual ir::Node redirect(ir::NodeId old) { return from_[old]; }
  /// Whether an old node will be asked for.
  virtual bool wanted(ir::NodeId old) const = 0;

  ir::ValueId value(ir::ValueId old) { return keeps_values_ ? old : made(old); }
  /// A node of the old program with new values and the old ways out.
  ir::Node with_values(ir::Node n);
  /// A test of the old program, added with other ways out; where those are one, that is it.
  ir::NodeId again(ir::NodeId old, ir::NodeId t, ir::NodeId f);
  ir::NodeId node(ir::NodeId old) const { return nodes_[old]; }

  const ir::Program& from_;
  ir::Program to_;  ///< has the values of `from_`, where they are kept: what is added to the one, the other has, too

 private:
  Rewrite(const ir::Program& from, bool keeps_values);
  bool is_idle(const ir::Node& n, ir::NodeId old);
  bool is_in_choice(ir::NodeId old);
  ir::ValueId made(ir::ValueId old);
  std::uint32_t set(std::uint32_t old);

  static constexpr std::uint32_t no_set = 0xffffffff;
  bool keeps_values_;           ///< the same ids in both programs
  Column<ir::ValueId> values_;  ///< by old value, where they are made anew
  Column<std::uint32_t> sets_;
  Column<ir::NodeId> nodes_;
  std::optional<ir::Flags> in_choice_;  ///< by old node, once it matters
};

/// The row that begins at a node, of rows by descending head, asked for by ascending node as `make` is. Rows before it are gone.
template <class Row>
Row* row_from(std::vector<Row>& rows, ir::NodeId head) {
  while (!rows.empty() && rows.back().head < head) rows.pop_back();
  return rows.empty() || rows.back().head != head ? nullptr : &rows.back();
}

}  // namespace weir::optimize
