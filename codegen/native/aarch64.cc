#include "native/encoders.hpp"

namespace weir::native::aarch64 {

Result<Encoded> encode(const ir::Program&, const Plan&) {
  return fail(weir::Code::Unsupported, {}, "this build of weir makes no code for AArch64");
}

}  // namespace weir::native::aarch64
