// Programs run on a packet that is not known: the interpreters of the rooms pred, ir and vm once more, computing with
// formulas. Where ways meet, what they bring is merged under the condition that tells them apart, so there are as
// many steps as instructions, not as paths.
#pragma once
#include <cstdint>

#include "cbpf/program.hpp"
#include "ebpf/program.hpp"
#include "ir/program.hpp"
#include "pred/filter.hpp"
#include "prove/algebra.hpp"
#include "vm/cbpf.hpp"

namespace weir::prove {

/// How much of the packet there is.
struct Extent {
  /// false: as many bytes as are captured, which is any number. true: whatever is asked for, up to `longest`.
  bool whole = false;
  std::uint32_t longest = longest_packet;
  /// Also tell whether all that was asked for lies within the length on the wire.
  bool compare_with_length = false;
  /// What there is of a packet: eBPF knows no other length than that on the wire.
  Bytes measured = Bytes::Captured;
};

struct Meaning {
  Ref returned;       ///< value: 0 when the packet is rejected
  Ref within_length;  ///< truth: nothing was asked for that a packet of this length cannot have; true when not wanted
};

Meaning meaning_of(const pred::Filter& f, Algebra& algebra, Extent extent);
Meaning meaning_of(const ir::Program& p, Algebra& algebra, Extent extent);
/// Throws GivenUp for what cannot be run without bound, or no machine takes.
Meaning meaning_of(const cbpf::Program& p, Algebra& algebra, Extent extent, vm::Machine machine);
/// The same; any part of the packet may lie where packet pointers do not reach. Wants an extent that measures Bytes::Length.
Meaning meaning_of(const ebpf::Program& p, Algebra& algebra, Extent extent);

}  // namespace weir::prove
