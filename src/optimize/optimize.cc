#include "optimize/optimize.hpp"

#include <cassert>

#include "optimize/passes.hpp"

namespace weir::optimize {
namespace {

constexpr Pass table[] = {
    {"values", simplify_values, "first: facts are about values in their one form"},
    {"facts", apply_facts, "behind it: finds what is decided"},
    {"sets", gather_sets, "behind both: what is decided no longer stands between tests of one value"},
};

/// Each pass lowers its measure or changes nothing, so rounds end by themselves; this many have always been enough.
constexpr int max_rounds = 4;

}  // namespace

std::span<const Pass> passes() { return table; }

ir::Program optimize(ir::Program p) {
  bool again = true;
  for (int round = 0; again && round < max_rounds; ++round) {
    again = false;
    for (const Pass& pass : table) {
      again |= pass.run(p);
      assert(!ir::verify(p));
    }
  }
  return p;
}

}  // namespace weir::optimize
