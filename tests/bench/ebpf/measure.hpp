// What a program costs in the kernel, and how many instructions it executes.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <bpf/libbpf.h>

#include "attach/load.hpp"
#include "ebpf/program.hpp"
#include "rows.hpp"

namespace weir::bench {

struct Options {
  double seconds = 0.1;  ///< for each number
  std::string only;      ///< a row's name
};

/// Programs in the kernel, measured one after the other again and again, so that what else the machine does strikes all alike: nanoseconds a run by
/// BPF_PROG_TEST_RUN, the mean of the better half.
struct Timed {
  int program;
  const Bytes* packet;
  double nanoseconds = 0;
  std::vector<double> times = {};  ///< by round: those of all programs in one are as far from each other as the programs
};
void measure(std::vector<Timed*> all, double seconds);

/// As sockets get it: behind a header of the link layer, which the kernel takes away.
Bytes framed(const Bytes& packet);

std::uint64_t executed(const ebpf::Program& p, const Bytes& data);
ebpf::Program empty_program(ebpf::Hook hook);

}  // namespace weir::bench
