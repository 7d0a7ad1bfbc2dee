// Every word of the language on every link type, under every qualifier.
#pragma once
#include <cstdint>

#include "examine.hpp"

namespace weir::oracle {

/// One of `every` filters of the sweep, the `first`-th and so on; prints how many there were.
void run_sweep(Examiner& examiner, std::uint64_t every, std::uint64_t first, std::uint64_t seed);

}  // namespace weir::oracle
