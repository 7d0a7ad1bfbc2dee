// Ctrl-C, and what means the same.
#pragma once

namespace weir::cli {

/// From here on Ctrl-C and the like (INT, TERM, HUP) end the work in good order; a second one ends it at once. A signal that
/// is ignored stays so, as nohup(1) wants it.
void finish_on_signals();

/// Whether one came.
bool interrupted();

/// A descriptor that becomes readable then, for poll(2): no signal can slip in between a look and a wait. -1 before
/// finish_on_signals().
int interruption();

}  // namespace weir::cli
