// Classic BPF made by others back to a decision graph: what goes in is any program that a machine would run, what comes
// out returns the same for every packet at every captured length, on the machine that was meant.
//
// Programs may mean something else on the two machines (vm/cbpf.hpp): shifts by 32 and more, offsets that pass 2^32 or
// are negative, metadata. Libpcap: its interpreter, which knows no metadata but VLAN tags. Kernel: shifts use five bits,
// offsets wrap, and those from SKF_LL_OFF and SKF_NET_OFF on count from the link-layer and the network header, which are
// taken to be at 0 and 14 as on an Ethernet socket.
//
// The walk goes through the instructions in their order (kernels take no jump back) and follows each state of the registers
// and of the scratch words that are still read; states that are equal are one. So the graph grows where ways that meet bring
// different values. Where it grows far, values that meet become a choice between them, if that takes less.
// Tested by tests/unit/lift/, tests/oracle/ (the engines `lifted …`), tests/prove/ and tests/fuzz/.
#pragma once
#include <cstdint>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "cbpf/program.hpp"
#include "ir/program.hpp"

namespace weir::lift {

enum class Machine : std::uint8_t { Libpcap, Kernel };

/// The program as a graph; nodes and loads have the spans of their instructions. Errors name the instruction: one that does not
/// exist or leaves the program, a jump back (a filter has no loops), metadata that the graph does not know (random numbers,
/// marks, netlink attributes …), and TooLarge when states get more than Limits::lifted_most and a choice takes
/// more than Limits::lifted_tests.
Result<ir::Program> lift(const cbpf::Program& program, Machine machine, const Limits& limits = {});

/// Whether the program asks what only the kernel knows: metadata other than as libpcap has it, or an offset from a header.
bool is_for_kernel(const cbpf::Program& program);

}  // namespace weir::lift
