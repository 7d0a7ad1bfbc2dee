#include "optimize/optimize.hpp"

#include <cassert>

#include "optimize/passes.hpp"

namespace weir::optimize {
namespace {

constexpr Pass table[] = {
    {"values", simplify_values, "first: facts are about values in their one form"},
    {"facts", apply_facts, "behind it: finds what is decided"},
};

/// Each pass lowers its measure or changes nothing, so rounds end by themselves; this many have always been enough.
constexpr int max_rounds = 4;

}  // namespace

std::span<const Pass> passes() { return table; }

ir::Program optimize(ir::Program p) {
  for (int round = 0; round < max_rounds; ++round) {
    ir::Program next = p;
    for (const Pass& pass : table) {
      next = pass.run(next);
      assert(!ir::verify(next));
    }
    const bool settled = next.node_count() == p.node_count() && next.value_count() == p.value_count();
    p = std::move(next);
    if (settled) break;
  }
  return p;
}

}  // namespace weir::optimize
