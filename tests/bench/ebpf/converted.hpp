// What the kernel makes of classic BPF, as a program that BPF_PROG_TEST_RUN runs: the kernel's own conversion it runs on no request.
#pragma once
#include "base/result.hpp"
#include "cbpf/program.hpp"
#include "ebpf/program.hpp"

namespace weir::bench {

/// Instruction for instruction what bpf_convert_filter makes (net/core/filter.c, Linux 6.18), for traffic control, whose programs can read the packet
/// as converted ones do. What differs: the end of the linear part comes from one load of the context, where the kernel loads and subtracts two fields; loads at
/// a variable offset call the function that reads these fields itself. Errors: Unsupported (metadata).
Result<ebpf::Program> converted(const cbpf::Program& p);

}  // namespace weir::bench
