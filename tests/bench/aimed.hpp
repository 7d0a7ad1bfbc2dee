// Packets for a filter: a part of them aimed at it (corpus/traffic/README.md says how), the others as the table has
// them. Tested by traffic_test.cc.
#pragma once
#include "cbpf/program.hpp"
#include "traffic.hpp"

namespace weir::bench {

/// Packets aimed at the filter of which `meaning` is libpcap's program, not optimized: of `count`, every second one is
/// accepted where such packets are found.
std::vector<oracle::Sample> aimed_packets(const TrafficModel& model, const oracle::Setting& setting, const cbpf::Program& meaning,
                                          std::size_t count, oracle::Random& random);

}  // namespace weir::bench
