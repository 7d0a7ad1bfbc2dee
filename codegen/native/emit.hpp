#pragma once
#include "base/result.hpp"
#include "ir/program.hpp"
#include "native/code.hpp"

namespace weir::native {

/// Whether this build and this process can have native code at all: a CPU that there is an encoder for, and a kernel that lets
/// new code run.
bool available();

/// The graph, which ir::verify must find right, as code that returns what ir::evaluate does for every packet. Errors:
/// Unsupported (this build has no encoder for the CPU), TooLarge (code beyond any use).
Result<Encoded> encode(const ir::Program& p, Cpu cpu);

/// The same for the CPU of this process, ready to run. Errors besides those, all of which leave the other engines: System (no
/// executable memory).
Result<Code> emit(const ir::Program& p);

}  // namespace weir::native
