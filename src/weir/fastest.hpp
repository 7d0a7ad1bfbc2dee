#pragma once
#include "base/limits.hpp"
#include "base/result.hpp"
#include "cbpf/program.hpp"
#include "ir/program.hpp"
#include "optimize/profile.hpp"

namespace weir {

/// Emits an optimized graph, and brings its likely tests forward, as long as the program gets no longer by it: by all
/// passes that reorder, or by those that do not make it longer. A shorter one is taken where that costs little (docs/optimizer.md).
/// `graph` becomes the one that the program was made of, without guards.
Result<cbpf::Program> emit_fastest(ir::Program& graph, const optimize::Profile& profile, const Limits& limits);

}  // namespace weir
