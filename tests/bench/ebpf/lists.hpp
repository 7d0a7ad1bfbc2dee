#pragma once
#include "measure.hpp"

namespace weir::bench {

/// A table for lists of hosts and of networks, by their lengths: asked by comparisons, and of a map.
void measure_lists(ebpf::Hook hook, const Options& options);

}  // namespace weir::bench
