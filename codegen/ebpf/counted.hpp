// A program that counts its verdicts.
#pragma once
#include "ebpf/program.hpp"

namespace weir::ebpf {

/// The same program, with a map at the end: an array by CPU of two numbers of 64 bits, how many packets it rejected and how many it
/// accepted. A function around it counts, at the price of a call and a look-up a packet. Not for programs with loads of kind LD, which
/// older kernels take in no function. Tracing programs count already. Tested by tests/kernel/load_test.cc.
Program counted(Program program);

}  // namespace weir::ebpf
