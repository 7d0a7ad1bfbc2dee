#include "ir/depths.hpp"

#include <algorithm>

namespace weir::ir {

std::vector<std::uint32_t> depths(const Program& p) {
  std::vector<std::uint32_t> depths(p.value_count());
  std::vector<std::uint32_t> below(p.node_count());  // of values in the graph below a node
  const auto of = [&](ValueId v) { return v == no_value ? 0 : depths[static_cast<std::size_t>(v)]; };
  std::uint32_t node = 0;
  for (std::uint32_t i = 0; i < p.value_count(); ++i) {
    const Value& v = p[ValueId{i}];
    if (v.kind != ValueKind::Choice) {
      depths[i] = std::max(of(v.a), of(v.b)) + 1;
      continue;
    }
    // All nodes up to a choice's root are older than the choice, and so are their values.
    for (; node <= v.k; ++node) {
      const Node& n = p[NodeId{node}];
      below[node] = std::max(of(n.a), of(n.b));
      if (n.kind != NodeKind::Return) below[node] = std::max(below[node], below[static_cast<std::size_t>(n.t)]);
      if (n.forks()) below[node] = std::max(below[node], below[static_cast<std::size_t>(n.f)]);
    }
    depths[i] = below[v.k] + 1;
  }
  return depths;
}

}  // namespace weir::ir
