#pragma once
#include "base/result.hpp"
#include "ir/program.hpp"
#include "native/code.hpp"

namespace weir::native {

/// Whether this build and this process can have native code at all: an x86-64 CPU, and a kernel that lets new code run.
bool available();

/// The graph, which ir::verify must find right, as code that returns what ir::evaluate does for every packet. Errors, all of
/// which leave the other engines: Unsupported (another CPU), System (no executable memory), TooLarge (code beyond any use).
Result<Code> emit(const ir::Program& p);

}  // namespace weir::native
