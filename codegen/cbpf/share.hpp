#pragma once
#include "cbpf/blocks.hpp"
#include "cbpf/emit.hpp"

namespace weir::cbpf {

/// Has one piece of code serve two places of a packet, where that makes the program shorter by some instructions: each program
/// that is not long.
void share_code(Blocks& blocks, Places places);

}  // namespace weir::cbpf
