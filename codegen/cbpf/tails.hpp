#pragma once
#include "cbpf/blocks.hpp"

namespace weir::cbpf {

/// Leads to one block of those that hold the same instructions and the same ways out: what these do depends on the
/// registers alone, whatever values of the graph they hold. The others are left unreached. Near-linear.
void merge_tails(Blocks& blocks);

/// Leaves out the jump of a block where another block is that jump alone, which it runs into then: where the values of one set were
/// asked one by one, and the last of them is asked elsewhere, too. Each program that is not long.
void run_into_tails(Blocks& blocks);

}  // namespace weir::cbpf
