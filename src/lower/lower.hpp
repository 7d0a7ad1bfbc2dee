// Meaning to decision graph: true and false ways out are passed down, guards are made explicit, and what depends on
// a mark is settled, since each place in the graph knows by which marks it was reached.
#pragma once
#include "base/limits.hpp"
#include "base/result.hpp"
#include "ir/program.hpp"
#include "pred/filter.hpp"

namespace weir::lower {

/// The same verdict as pred::evaluate for every packet at every captured length. Code that follows both a tunnel that
/// matched and one that did not is built twice; TooLarge when that goes beyond Limits::nodes.
Result<ir::Program> lower(const pred::Filter& filter, const Limits& limits = {});

}  // namespace weir::lower
