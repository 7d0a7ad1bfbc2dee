// Which tests of a graph can be asked together: adjacent bytes by one comparison, cheap tests with one outcome by one branch.
#include <cstddef>

#include "native/walk.hpp"

namespace weir::native {

using namespace ir;

std::optional<Adjacent> Walk::adjacent_from(NodeId id) const {
  return ir::adjacent_from(program_, id, [&](NodeId to) { return follow(to); }, [](NodeId) { return true; });
}

std::optional<Walk::Either> Walk::either_from(NodeId id, const std::function<bool(const Node&)>& is_cheap) const {
  constexpr std::size_t most_links = 4;
  const Node& n = program_[id];
  for (const bool when : {true, false}) {
    Either e{{{id, when}}, follow(when ? n.t : n.f), follow(when ? n.f : n.t)};
    while (e.links.size() < most_links && e.rest != e.there) {
      const Node& m = program_[e.rest];
      if (!m.forks() || !is_cheap(m)) break;
      const NodeId t = follow(m.t), f = follow(m.f);
      if (t == f || (t != e.there && f != e.there)) break;
      e.links.push_back({e.rest, t == e.there});
      e.rest = t == e.there ? f : t;
    }
    if (e.links.size() >= 2 && e.rest != e.there) return e;
  }
  return std::nullopt;
}

}  // namespace weir::native
