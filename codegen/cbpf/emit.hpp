#pragma once
#include "base/limits.hpp"
#include "base/result.hpp"
#include "cbpf/program.hpp"
#include "ir/program.hpp"

namespace weir::cbpf {

/// Whether what is asked alike of two places, as of the ports behind IPv4 and IPv6, stands once where that is shorter: what comes from
/// one of them executes an instruction more; and, where a test has to be asked again for it, what is found two more. Apart is for
/// comparison: code that stands twice stays, too, where one piece could run into the other. Shared are pieces that save some
/// instructions; for the Shortest program all, and behind a test of one protocol, too.
enum class Places : std::uint8_t { Apart, SharedIfAlike, Shared, Shortest };

/// The graph as a classic BPF program that runs the same on the kernel and on libpcap's interpreter. Loads come no earlier
/// than in the graph, and guards are the loads' own. TooLarge when it does not fit: says how long it would be.
Result<Program> emit(const ir::Program& p, const Limits& limits = {}, Places places = Places::Apart);

/// emit's program is no shorter, with places apart: the jumps of each test, an instruction where its value is not left by the test
/// before, two where those are bits of one, one for each place that loads count from, and one a verdict. For optimized graphs of few tests
/// against constants and small sets, of which no two can share code (least.cc); 0, which says nothing, for all others.
std::size_t least_length(const ir::Program& p);

}  // namespace weir::cbpf
