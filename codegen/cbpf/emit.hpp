#pragma once
#include "base/limits.hpp"
#include "base/result.hpp"
#include "cbpf/program.hpp"
#include "ir/program.hpp"

namespace weir::cbpf {

/// The graph as a classic BPF program that runs the same on the kernel and on libpcap's interpreter. Loads come no earlier
/// than in the graph, and guards are the loads' own. TooLarge when it does not fit: says how long it would be.
Result<Program> emit(const ir::Program& p, const Limits& limits = {});

/// emit's program is no shorter: a jump a test, an instruction where its value is not left by the test before, one for each place
/// that loads count from, and one a verdict. For graphs of few tests against constants, of which no two can share code (least.cc); 0,
/// which says nothing, for all others.
std::size_t least_length(const ir::Program& p);

}  // namespace weir::cbpf
