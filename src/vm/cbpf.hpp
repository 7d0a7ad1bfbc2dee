// Runs classic BPF on bytes. Knows no filters.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/packet.hpp"
#include "cbpf/program.hpp"

namespace weir::vm {

/// The two machines differ (libpcap bpf_filter.c; kernel net/core/filter.c):
/// Libpcap: [x+k] that passes 2^32 rejects, offsets of 2^31 and more reject (but metadata, see below), a shift by 32 and more gives 0,
///   jumps may go backward (run: at most a million steps, then reject).
/// Kernel: [x+k] wraps to 32 bits and is signed: from 0xfff00000 (SKF_NET_OFF) on relative to the network header, from 0xffe00000
///   (SKF_LL_OFF) to the link-layer header, other negative ones reject; shifts use the low 5 bits. The headers are taken
///   to begin at 14 and 0, as on an Ethernet socket that sees whole frames.
/// On both: scratch words start as 0; a load past the captured bytes and a division by 0 return 0 at once; `ld #len` is the
/// length on the wire.
/// Metadata loads (0xfffff000 and up) are those by absolute offset alone. Kernel: any size of load gets the whole value; what Packet does
///   not tell is 0, but for SKF_AD_ALU_XOR_X, which is no load. Libpcap: `ldb` of VlanTag and VlanTagPresent, its aux data; others reject.
enum class Machine : std::uint8_t { Libpcap, Kernel };

/// Runs a program that `cbpf::check` accepts (Libpcap: also one with backward jumps). Any bytes are safe.
/// `steps` (may be null) receives the number of executed instructions.
std::uint32_t run(const cbpf::Program& p, const Packet& packet, Machine machine = Machine::Kernel,
                  std::uint64_t* steps = nullptr);

/// What is true before an instruction is executed.
struct Step {
  std::size_t instruction = 0;
  std::uint32_t a = 0, x = 0;
};
/// Why a program that `cbpf::check` refuses has no verdict.
struct Fault {
  std::size_t instruction = 0;
  const char* reason = "";
};
struct Traced {
  std::uint32_t result = 0;
  std::optional<Fault> fault = {};
};
/// As run; `trace` is called before each instruction. What a program without a verdict returns to `run` is 0.
Traced run_traced(const cbpf::Program& p, const Packet& packet, Machine machine, const std::function<void(const Step&)>& trace);

/// The same for programs that `cbpf::check` has accepted, at the speed of libpcap's bpf_filter: what it refuses may read and jump anywhere.
std::uint32_t run_checked(const cbpf::Program& p, const Packet& packet, Machine machine = Machine::Kernel);

}  // namespace weir::vm
