// Tests of bytes that lie side by side, which wider loads can ask for at once. Whatever they are asked with.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "ir/program.hpp"

namespace weir::ir {

/// Bytes at a place that have to be these: 1, 2, 4 or 8 of them, as a number in network order.
struct Piece {
  ValueId base;
  std::uint32_t at, size;
  std::uint64_t value;
};

/// A chain of equalities of adjacent bytes with one outcome when they fail. Its pieces come in the order in which it asks.
struct Adjacent {
  std::vector<NodeId> links;
  std::vector<Piece> pieces;
  NodeId then, otherwise;
};

/// The chain from a test on, where there are two links and more of which pieces can be made. `follow`: where an edge leads in the end;
/// `may_go_on`: whether a test may be a link of a chain that began before it.
std::optional<Adjacent> adjacent_from(const Program& p, NodeId id, const std::function<NodeId(NodeId)>& follow,
                                      const std::function<bool(NodeId)>& may_go_on);

}  // namespace weir::ir
