#include "native/batch.hpp"

#include "native/encoders.hpp"

namespace weir::native {

Result<Encoded> encode_batch(const ir::Program& p, Cpu cpu) {
  const Plan plan(p);
  if (plan.too_large()) return too_large();
  switch (cpu) {
    case Cpu::X86_64: return x86_64::encode_batch(p, plan);
    case Cpu::AArch64: return aarch64::encode_batch(p, plan);
  }
  return no_encoder();
}

Result<BatchCode> emit_batch(const ir::Program& p) {
  constexpr auto cpu = host_cpu();
  if (!cpu) return no_encoder();
  const auto encoded = encode_batch(p, *cpu);
  if (!encoded) return std::unexpected(encoded.error());
  auto memory = ExecutableMemory::of(encoded->bytes);
  if (!memory) return std::unexpected(std::move(memory.error()));
  return BatchCode(std::move(*memory), encoded->instruction_bytes);
}

}  // namespace weir::native
