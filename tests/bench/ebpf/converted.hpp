// What the kernel makes of classic BPF, as a program that BPF_PROG_TEST_RUN runs: the kernel's own conversion it runs on no request.
#pragma once
#include "base/result.hpp"
#include "cbpf/program.hpp"
#include "ebpf/program.hpp"

namespace weir::bench {

/// Instruction for instruction what bpf_convert_filter makes (net/core/filter.c, Linux 6.18), for traffic control, whose programs
/// can read the packet as converted ones do. What differs: loads at a variable offset call the function that reads the packet's
/// lengths itself. Errors: Unsupported (metadata).
Result<ebpf::Program> converted(const cbpf::Program& p);

}  // namespace weir::bench
