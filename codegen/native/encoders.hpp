// The encoders, one a CPU, all of the same shape.
#pragma once
#include "base/result.hpp"
#include "ir/program.hpp"
#include "native/code.hpp"
#include "native/plan.hpp"

namespace weir::native {

/// What an encoder says that gives up.
inline std::unexpected<Diagnostic> too_large() { return fail(weir::Code::TooLarge, {}, "the filter needs more native code than is of use"); }

namespace x86_64 {
Result<Encoded> encode(const ir::Program& p, const Plan& plan);
Result<Encoded> encode_batch(const ir::Program& p, const Plan& plan);  ///< a native::BatchFunction
}
namespace aarch64 {
Result<Encoded> encode(const ir::Program& p, const Plan& plan);
}

}  // namespace weir::native
