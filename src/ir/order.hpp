// The reachable part of a program in one order for values and nodes together: everything stands after what it
// uses. For printing and numbering read it forward, for facts that flow from the root read it backward.
#pragma once
#include <cstdint>
#include <vector>

#include "base/column.hpp"
#include "ir/program.hpp"

namespace weir::ir {

/// A value or a node.
struct Item {
  bool is_node = false;
  std::uint32_t id = 0;

  ValueId value() const { return ValueId{id}; }
  NodeId node() const { return NodeId{id}; }
};

/// Depends on the graph alone, not on its ids: depth first from the root, ways out before operands, so that values
/// stand close to the node that uses them first. Iterative; linear in the reachable part.
std::vector<Item> order(const Program& p);

/// A flag a node.
using Flags = Column<bool>;

/// By node: whether it can be reached from the root, choices included.
Flags live_nodes(const Program& p);

/// By node: whether it is part of a choice's graph.
Flags nodes_in_choices(const Program& p);

/// By node: how many ways lead there from the reachable part; the root of a choice, which may be evaluated anywhere, has
/// several.
Column<std::uint32_t> ways_in(const Program& p);
Column<std::uint32_t> ways_in(const Program& p, const Flags& live);

}  // namespace weir::ir
