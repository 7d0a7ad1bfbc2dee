// The encoders, one a CPU, all of the same shape.
#pragma once
#include "base/result.hpp"
#include "ir/program.hpp"
#include "native/code.hpp"
#include "native/plan.hpp"
#include "native/records.hpp"

namespace weir::native {

/// What an encoder says that gives up.
inline std::unexpected<Diagnostic> too_large() {
  return fail(weir::Code::TooLarge, {}, "the filter needs more native code than is of use");
}

/// And what is said where there is none.
inline std::unexpected<Diagnostic> no_encoder() { return fail(weir::Code::Unsupported, {}, "there is no native code for this CPU yet"); }

namespace x86_64 {
Result<Encoded> encode(const ir::Program& p, const Plan& plan, Form form, Vectors vectors);
}
namespace aarch64 {
Result<Encoded> encode(const ir::Program& p, const Plan& plan, Form form);
}

/// By the encoder of that CPU.
Result<Encoded> encode(const ir::Program& p, Cpu cpu, Form form, Vectors vectors = Vectors::None);
/// In memory from which it may run.
Result<ExecutableMemory> loaded(const Result<Encoded>& code);

}  // namespace weir::native
