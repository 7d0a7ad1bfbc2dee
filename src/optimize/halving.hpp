// One of many, each for numbers of its own, by halving.
#pragma once
#include <cstddef>
#include <span>

#include "ir/program.hpp"

namespace weir::optimize {

constexpr std::size_t worth_halving = 6;  ///< fewer are found as fast one after the other

/// v >= low of the middle ? upper half : lower half, down to a few, which `in_order` makes nodes of. `links`: by ascending `numbers`.
template <class Link, class InOrder>
ir::NodeId halves(ir::Program& to, ir::ValueId v, std::span<Link> links, Span span, const InOrder& in_order) {
  if (links.size() < worth_halving) return in_order(links);
  const auto lower = links.first(links.size() / 2), upper = links.subspan(links.size() / 2);
  const ir::ValueId middle = to.constant(upper.front().numbers.low);
  const ir::NodeId below = halves(to, v, lower, span, in_order);
  const ir::NodeId above = halves(to, v, upper, span, in_order);
  return to.test(Relation::GreaterEqual, v, middle, above, below, span);
}

}  // namespace weir::optimize
