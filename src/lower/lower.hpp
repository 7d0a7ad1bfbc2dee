// Meaning to decision graph: true and false ways out are passed down, guards are made explicit, and what depends on
// a mark is settled, since each place in the graph knows by which marks it was reached.
#pragma once
#include <cstdint>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "ir/program.hpp"
#include "pred/filter.hpp"

namespace weir::lower {

/// Which guards are made explicit: all, or those alone that whole packets may fail, for an optimizer that places the others.
enum class Guards : std::uint8_t { All, Doubtful };

/// The same verdict as pred::evaluate for every packet at every captured length; with Guards::All it verifies. Code that
/// follows both a tunnel that matched and one that did not is built twice; TooLarge when that goes beyond Limits::nodes.
Result<ir::Program> lower(const pred::Filter& filter, const Limits& limits = {}, Guards guards = Guards::All);

}  // namespace weir::lower
