#pragma once
#include "cbpf/blocks.hpp"

namespace weir::cbpf {

/// Has one piece of code serve two places of a packet, where that makes the program shorter by some instructions: each program
/// that is not long. `may_ask_again`: also where the test that leads to both has to be asked again behind it.
void share_code(Blocks& blocks, bool may_ask_again);

}  // namespace weir::cbpf
