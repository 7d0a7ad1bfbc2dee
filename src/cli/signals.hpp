// Ctrl-C, and what means the same; and readers that go away.
#pragma once
#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace weir::cli {

/// From here on Ctrl-C and the like (INT, TERM, HUP) end the work in good order; the same signal a second time ends it at
/// once. A signal that is ignored stays so, as nohup(1) wants it.
Result<void> finish_on_signals();

/// Whether one came.
bool interrupted();

/// A descriptor that becomes readable then, for poll(2): no signal can slip in between a look and a wait. -1 before
/// finish_on_signals().
int interruption();

/// What a second signal does with a file that is not complete yet.
enum class Unfinished : std::uint8_t {
  Remove,  ///< what it is made from is still there
  Keep,    ///< there are no other copies of its packets: a message says what it is called
};
/// Empty path: there is no such file.
void on_second_signal(Unfinished what, const std::string& path);

/// A reader of a pipe that goes away is an error of that pipe from here on, and does not end the program. For work whose
/// result goes elsewhere.
void outlive_readers();

}  // namespace weir::cli
