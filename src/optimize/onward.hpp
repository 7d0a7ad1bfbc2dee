// Where ways of the graph meet again.
#pragma once
#include <cstdint>

#include "base/column.hpp"
#include "ir/order.hpp"
#include "ir/program.hpp"

namespace weir::optimize {

/// Where all ways from a node lead that do not reject: its immediate postdominator when rejecting is left out.
class Onward {
 public:
  Onward(const ir::Program& p, const ir::Flags& live) : p_(p), to_(p.node_count(), ir::NodeId{nowhere}), depth_(p.node_count()) {
    for (std::uint32_t i = 0; i < p.node_count(); ++i) {  // ways out have smaller ids
      if (!live[i] || p[ir::NodeId{i}].kind == ir::NodeKind::Return) continue;
      const ir::NodeId to = meeting(p[ir::NodeId{i}]);
      to_[i] = to;
      if (is_somewhere(to)) depth_[i] = depth_[at(to)] + 1;
    }
  }

  static bool is_somewhere(ir::NodeId n) { return at(n) != nowhere; }
  ir::NodeId operator[](ir::NodeId n) const { return to_[n]; }

 private:
  static std::uint32_t at(ir::NodeId n) { return static_cast<std::uint32_t>(n); }

  ir::NodeId meeting(const ir::Node& n) const {
    if (!n.forks() || ir::rejects(p_, n.f)) return n.t;
    if (ir::rejects(p_, n.t)) return n.f;
    ir::NodeId a = n.t, b = n.f;
    for (int steps = 0; a != b && steps < farthest; ++steps) {
      ir::NodeId& deeper = depth_[at(a)] >= depth_[at(b)] ? a : b;
      deeper = to_[at(deeper)];
      if (!is_somewhere(deeper)) return ir::NodeId{nowhere};
    }
    return a == b ? a : ir::NodeId{nowhere};
  }

  static constexpr std::uint32_t nowhere = 0xffffffff;
  static constexpr int farthest = 64;
  const ir::Program& p_;
  Column<ir::NodeId> to_;
  Column<std::uint32_t> depth_;  ///< how many steps it is to the end
};

}  // namespace weir::optimize
