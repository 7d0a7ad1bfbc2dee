// The meaning on a packet without an end: f(p,∞) of the refinement relation, for our own evaluator. Written apart from
// pred::evaluate; on packets with an end the two are compared.
#pragma once
#include <cstdint>
#include <optional>

#include "base/packet.hpp"
#include "pred/filter.hpp"
#include "trace.hpp"

namespace weir::oracle {

/// What the filter returns for a packet that goes on with the tail.
std::uint32_t evaluate(const pred::Filter& f, const Packet& packet, Tail tail);

}  // namespace weir::oracle
