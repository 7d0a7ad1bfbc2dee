// The passes, a file each. They look through guards that all whole packets pass, and leave loads without one: the graphs
// between them are bare, and place_guards makes the last one verify.
#pragma once
#include "ir/program.hpp"
#include "optimize/profile.hpp"

namespace weir::optimize {

/// values.cc: constants, identities, tests brought into one form; guards that all whole packets pass go. Lowers the number
/// of operations. Says whether there were any; nothing stands before it.
bool simplify_values(ir::Program& p);
/// facts.cc: what is known along an edge decides later tests. Lowers the number of tests on the longest path.
bool apply_facts(ir::Program& p);
/// sets.cc: tests of one value with one outcome in one. Lowers the number of tests on the longest path.
bool gather_sets(ir::Program& p);
/// overlaps.cc: what a test of some bytes says about a part of them. Lowers the number of tests.
bool drop_overlapped(ir::Program& p);
/// halve.cc: of many tests of one value, each for numbers of its own, by halving. Lowers the number of tests on the longest path.
bool halve_rows(ir::Program& p);
/// turn.cc: of many links about two values that each go on to others, those others first, by halving. Lowers the number of tests on the
/// longest path.
bool turn_rows(ir::Program& p);
/// screen.cc: of many tests of a few values first whether any can hold. Lowers the number of tests on the way of what passes them all.
bool screen_rows(ir::Program& p);
/// order.cc: the likely ones of tests that exclude each other first. Lowers the expected number of tests.
bool order_tests(ir::Program& p, const Profile& profile);
/// conjuncts.cc: of what all has to hold, what rejects most for least first. Lowers the expected number of instructions.
bool order_conjuncts(ir::Program& p, const Profile& profile);
/// narrow.cc: of a load of which the first bytes decide, only those. Lowers the number of instructions.
bool narrow_loads(ir::Program& p, const Profile& profile);
/// join.cc: tests of bytes side by side in one. Lowers the number of instructions.
bool join_loads(ir::Program& p, const Profile& profile);

}  // namespace weir::optimize
