// The passes, a file each. Each ends with place_guards, so its result verifies.
#pragma once
#include "ir/program.hpp"
#include "optimize/profile.hpp"

namespace weir::optimize {

/// values.cc: constants, identities, tests brought into one form. Lowers the number of operations.
bool simplify_values(ir::Program& p);
/// facts.cc: what is known along an edge decides later tests. Lowers the number of tests on the longest path.
bool apply_facts(ir::Program& p);
/// sets.cc: tests of one value with one outcome in one. Lowers the number of tests on the longest path.
bool gather_sets(ir::Program& p);
/// order.cc: the likely ones of tests that exclude each other first. Lowers the expected number of tests.
bool order_tests(ir::Program& p, const Profile& profile);
/// defer.cc: what hardly ever rejects, last. Lowers the expected number of instructions.
bool defer_tests(ir::Program& p, const Profile& profile);
/// guards.cc: each load is guarded at its first use on a path, and nowhere else. The end of every pass, since the
/// others move and drop loads; takes graphs whose guards do not fit their loads.
void place_guards(ir::Program& p);

}  // namespace weir::optimize
