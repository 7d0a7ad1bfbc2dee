#pragma once
#include "measure.hpp"

namespace weir::bench {

/// A table for a hook with packet pointers; `prefix` of the names in hand.bpf.c.
void measure_hook(ebpf::Hook hook, const char* prefix, const Options& options);

/// A table for what a filter can do with a loop, and does without one.
void measure_loops(const Options& options);

}  // namespace weir::bench
