#pragma once
#include "base/limits.hpp"
#include "base/result.hpp"
#include "cbpf/program.hpp"
#include "ir/program.hpp"

namespace weir::cbpf {

/// The graph as a classic BPF program that runs the same on the kernel and on libpcap's interpreter. Loads come no earlier
/// than in the graph, and guards are the loads' own. TooLarge when it does not fit: says how long it would be.
Result<Program> emit(const ir::Program& p, const Limits& limits = {});

}  // namespace weir::cbpf
