// Packets made for a program: starting from realistic ones, a run shows which bytes each test looked at, and those
// bytes are changed so that a test goes the other way, until no way is left that has not been taken (or the budget is
// spent). The program is any classic BPF program: libpcap's for a filter, and ours.
#pragma once
#include <string_view>
#include <vector>

#include "random.hpp"
#include "setting.hpp"
#include "trace.hpp"

namespace weir::oracle {

/// The ways out of the tests of a program: two for each conditional jump.
struct Ways {
  std::vector<bool> taken;  ///< by 2 * instruction + (1 when the jump was taken)
  std::size_t total = 0;
  std::size_t covered = 0;
};

/// Changes the sample so that the branch of its run goes the other way; false when no way to do so was found. (Other
/// tests that look at the same bytes may change as well.)
bool flip(Sample& sample, const Trace& trace, const Branch& branch, Random& random);

/// Adds to `samples` until the program's ways are covered or `budget` runs are spent; starts from what is there.
/// A sample is kept when it covers something new.
Ways explore(const cbpf::Program& program, std::vector<Sample>& samples, std::size_t budget, Random& random);

/// A sample with a few random changes along its run: another packet that gets about as far.
Sample vary(const cbpf::Program& program, const Sample& sample, Random& random);

}  // namespace weir::oracle
