// The walk that all passes share: a new program is built from the reachable part of an old one, operands before
// what uses them, ways out before what leads to them.
#pragma once
#include <vector>

#include "ir/order.hpp"
#include "ir/program.hpp"

namespace weir::optimize {

class Rewrite {
 public:
  explicit Rewrite(const ir::Program& from);
  virtual ~Rewrite() = default;

  ir::Program run();

 protected:
  /// The new value for one whose operands are new already. Choices come with their new root.
  virtual ir::ValueId make(const ir::Value& v, Span span) { return to_.add(v, span); }
  /// The new node for one whose values and ways out are new already. `old`: where it stood. Not asked for tests whose ways
  /// out have become one: those are left out.
  virtual ir::NodeId make(const ir::Node& n, ir::NodeId old, Span span) {
    (void)old;
    return to_.add(n, span);
  }
  /// The ways out to follow instead of those of the old node; ids of the old program.
  virtual ir::Node redirect(ir::NodeId old) { return from_[old]; }
  /// Whether an old node will be asked for.
  virtual bool wanted(ir::NodeId old) const = 0;

  ir::ValueId value(ir::ValueId old);
  /// A node of the old program with new values and the old ways out.
  ir::Node with_values(ir::Node n);
  ir::NodeId node(ir::NodeId old) const { return nodes_[static_cast<std::uint32_t>(old)]; }

  const ir::Program& from_;
  ir::Program to_;

 private:
  std::uint32_t set(std::uint32_t old);

  static constexpr std::uint32_t no_set = 0xffffffff;
  std::vector<ir::ValueId> values_;
  std::vector<std::uint32_t> sets_;
  std::vector<ir::NodeId> nodes_;
};

}  // namespace weir::optimize
