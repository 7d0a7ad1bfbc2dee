#include "native/batch.hpp"

#include "native/encoders.hpp"

namespace weir::native {

Result<BatchCode> emit_batch(const ir::Program& p) {
  if (host_cpu() != Cpu::X86_64) return fail(weir::Code::Unsupported, {}, "there is no native code for batches on this CPU");
  const Plan plan(p);
  if (plan.too_many_homes() || plan.too_deep()) return too_large();
  auto encoded = x86_64::encode_batch(p, plan);
  if (!encoded) return std::unexpected(std::move(encoded.error()));
  auto memory = ExecutableMemory::of(encoded->bytes);
  if (!memory) return std::unexpected(std::move(memory.error()));
  return BatchCode(std::move(*memory), encoded->instruction_bytes);
}

}  // namespace weir::native
