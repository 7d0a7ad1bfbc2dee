// What the running kernel can do, asked of itself.
#pragma once

namespace weir::attach {

/// Whether programs for hook socket-btf load here: the kernel is new enough (6.17), and this process may. A tiny program tries
/// it; what the kernel answers is remembered, for it stays as it is, but not that rights, memory or descriptors are missing. Any
/// number of threads may ask. Tested by tests/kernel/load_test.cc.
bool gives_packet_pointers();

}  // namespace weir::attach
