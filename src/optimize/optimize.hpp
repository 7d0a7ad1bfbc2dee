// Graph to better graph: the result refines the input (pred/filter.hpp, "refines": it loses no packet that the input
// accepts, and accepts none that the input would not accept whole). Protocols are unknown here.
#pragma once
#include <span>
#include <string_view>

#include "ir/program.hpp"
#include "optimize/profile.hpp"

namespace weir::optimize {

/// All passes that do not reorder, in order, until none finds anything or the stated number of rounds is over. The graph is
/// bare: only guards that whole packets may fail stand in it, others are for place_guards.
ir::Program optimize(ir::Program p);
/// The same, and says whether a pass that lengthens has found something.
ir::Program optimize(ir::Program p, bool& is_lengthened);
/// The same without those passes: for graphs that get too long for a back end by them.
ir::Program shorten(ir::Program p);

/// guards.cc: each load is guarded at its first use on a path, and nowhere else. What makes a graph verify that passes have
/// moved and dropped loads in; takes graphs whose guards do not fit their loads, and trimmed ones.
void place_guards(ir::Program& p);

/// One pass: its name, what it does, and why it stands where it stands. It says whether the passes before it may now find
/// more; one that reorders, whether it changed anything.
struct Pass {
  std::string_view name;
  bool (*apply)(ir::Program&, const Profile&);  ///< leaves the graph bare
  std::string_view why_here;
  bool reorders = false;  ///< not run by `optimize`: it pays in time alone, and may part what a back end would share
  bool lengthens = false;  ///< tests stand in more places by it, for shorter ways

  /// The pass alone: what it gives verifies.
  bool run(ir::Program& p, const Profile& profile) const;
};
std::span<const Pass> passes();

}  // namespace weir::optimize
