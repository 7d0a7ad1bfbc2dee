// Which values of a program get a variable of their own. Tested through tests/unit/c/emit_test.cc.
#pragma once
#include <vector>

#include "ir/program.hpp"

namespace weir::c {

/// By value: a choice; what is worked out and used more than once; what a set is asked for by several comparisons; and, so that
/// no expression gets long, every so many operators. `p` is compact.
std::vector<bool> variables(const ir::Program& p);

/// Sets of so many comparisons stand in the condition; of so many numbers they are a switch.
inline constexpr std::size_t most_comparisons = 4, most_cases = 32;

}  // namespace weir::c
