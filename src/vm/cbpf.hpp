// Runs classic BPF on bytes. Knows no filters.
#pragma once
#include <cstdint>

#include "base/packet.hpp"
#include "cbpf/program.hpp"

namespace weir::vm {

/// The two machines differ (libpcap bpf_filter.c; kernel net/core/filter.c):
/// Libpcap: [x+k] that passes 2^32 rejects, offsets of 2^31 and more reject (but metadata, see below), a shift by 32 and more gives 0,
///   scratch words start as 0, jumps may go backward (run: at most a stated number of steps, then reject).
/// Kernel: [x+k] wraps to 32 bits and is signed: from 0xfffff000 on metadata, from 0xfff00000 (SKF_NET_OFF) relative to the network header,
///   from 0xffe00000 (SKF_LL_OFF) to the link-layer header, other negative ones reject; shifts use the low 5 bits.
/// On both: a load past the captured bytes and a division by 0 return 0 at once; `ld #len` is the length on the wire.
/// Metadata loads by absolute offset (SKF_AD_OFF + Meta) work on both: libpcap is given its aux data.
enum class Machine : std::uint8_t { Libpcap, Kernel };

/// Runs a program that `cbpf::check` accepts (Libpcap: also one with backward jumps). Any bytes are safe.
/// `steps` (may be null) receives the number of executed instructions.
std::uint32_t run(const cbpf::Program& p, const Packet& packet, Machine machine = Machine::Kernel,
                  std::uint64_t* steps = nullptr);

}  // namespace weir::vm
