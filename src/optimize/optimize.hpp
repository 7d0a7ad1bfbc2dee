// Graph to better graph: the result refines the input (pred/filter.hpp, "refines": it loses no packet that the input
// accepts, and accepts none that the input would not accept whole). Protocols are unknown here.
#pragma once
#include <span>
#include <string_view>

#include "ir/program.hpp"
#include "optimize/profile.hpp"

namespace weir::optimize {

/// All passes, in order, until none finds anything or the stated number of rounds is over.
ir::Program optimize(ir::Program p);

/// One pass: its name, what it does, and why it stands where it stands. It says whether the passes before it may now find
/// more; one that reorders, whether it changed anything.
struct Pass {
  std::string_view name;
  bool (*run)(ir::Program&, const Profile&);
  std::string_view why_here;
  bool reorders = false;  ///< not run by `optimize`: it pays in time alone, and may part what a back end would share
};
std::span<const Pass> passes();

}  // namespace weir::optimize
