// libpcap keeps two kinds of things in the same scratch words: intermediate results of arithmetic, and offsets of headers that
// are known at run time only (behind Geneve, or a VLAN tag that may be in the metadata). An offset that was not computed
// counts as zero, unless arithmetic to its left has left something in its word: a known bug. Here the two are taken apart.
#pragma once
#include "cbpf/program.hpp"

namespace weir::oracle {

/// The program with intermediate results moved to scratch words from 16 on. Only `run` of trace.hpp can run it.
cbpf::Program keep_offsets_apart(const cbpf::Program& p);

}  // namespace weir::oracle
