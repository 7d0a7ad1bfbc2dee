#include "aimed.hpp"

#include <algorithm>

#include "explore.hpp"
#include "vm/cbpf.hpp"

namespace weir::bench {
namespace {

using oracle::Random;
using oracle::Sample;

constexpr std::size_t seeds = 12;  ///< packets of the table to begin with

/// Runs that are spent on finding the filter's ways: more when it has more.
std::size_t budget(const cbpf::Program& p) { return std::min<std::size_t>(60 + 4 * p.instructions.size(), 3000); }

}  // namespace

std::vector<Sample> aimed_packets(const TrafficModel& model, const oracle::Setting& setting, const cbpf::Program& meaning,
                                  std::size_t count, Random& random) {
  std::vector<Sample> pool;
  for (std::size_t i = 0; i < seeds; ++i) pool.push_back(packet(model, setting, random));
  oracle::explore(meaning, pool, budget(meaning), random);
  std::vector<std::size_t> accepted;
  oracle::Trace trace;
  for (std::size_t i = 0; i < pool.size(); ++i) {
    oracle::run(meaning, pool[i].whole(), oracle::Tail::None, trace);
    if (trace.returned != 0) accepted.push_back(i);
  }
  std::vector<Sample> packets;
  packets.reserve(count);
  while (packets.size() < count) {
    const bool accept = packets.size() % 2 == 0 && !accepted.empty();
    packets.push_back(pool[accept ? accepted[random.below(accepted.size())] : random.below(pool.size())]);
  }
  return packets;
}

}  // namespace weir::bench
