#include "native/code.hpp"

namespace weir::native {

/// The compiler's own question looks at whether the system saves such registers, too.
Vectors host_vectors() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return Vectors::Avx2;
#endif
  return Vectors::None;
}

}  // namespace weir::native
