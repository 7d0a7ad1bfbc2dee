// From what a solver found to a packet: built, run through both programs, and made as short as it can be.
#pragma once
#include <optional>

#include "prove/prove.hpp"
#include "prove/smt.hpp"

namespace weir::prove {

/// Whether evaluating the program may ask for the length on the wire.
bool mentions_length(const Program& program);

/// No longer packets are built.
inline constexpr std::uint32_t longest_replayed = 1u << 28;

/// The packet of a model on which the programs really do not agree; nothing when they do.
std::optional<Counterexample> confirm(const Program& first, const Program& second, const Question& question, vm::Machine machine,
                                      const Model& model, bool asks_length);

}  // namespace weir::prove
