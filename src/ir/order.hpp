// The reachable part of a program in one order for values and nodes together: everything stands after what it
// uses. For printing and numbering read it forward, for facts that flow from the root read it backward.
#pragma once
#include <cstdint>
#include <vector>

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

/// Whether some value is a choice.
bool has_choices(const Program& p);

/// By node: whether it is part of a choice's graph.
std::vector<bool> nodes_in_choices(const Program& p);

/// By node: how many ways lead there from the reachable part; the root of a choice, which may be evaluated anywhere, has
/// several.
std::vector<std::uint32_t> ways_in(const Program& p);

}  // namespace weir::ir
