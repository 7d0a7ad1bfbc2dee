#pragma once
#include "measure.hpp"

namespace weir::bench {

/// A table of socket filters, beside the kernel's conversion of libpcap's programs.
void measure_sockets(const Options& options);

}  // namespace weir::bench
