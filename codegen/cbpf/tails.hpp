#pragma once
#include "cbpf/blocks.hpp"

namespace weir::cbpf {

/// Leads to one block of those that hold the same instructions and the same ways out: what these do depends on the
/// registers alone, whatever values of the graph they hold. The others are left unreached. Near-linear.
void merge_tails(Blocks& blocks);

}  // namespace weir::cbpf
