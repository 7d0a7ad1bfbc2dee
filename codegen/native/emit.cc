#include "native/emit.hpp"

#include "native/encoders.hpp"

namespace weir::native {

bool available() {
  constexpr std::uint8_t nothing[] = {0, 0, 0, 0};  // never run
  return host_cpu().has_value() && ExecutableMemory::of(nothing).has_value();
}

Result<Encoded> encode(const ir::Program& p, Cpu cpu) {
  const Plan plan(p);
  if (plan.too_large()) return too_large();
  switch (cpu) {
    case Cpu::X86_64: return x86_64::encode(p, plan);
    case Cpu::AArch64: return aarch64::encode(p, plan);
  }
  return no_encoder();
}

Result<Code> emit(const ir::Program& p) {
  constexpr auto cpu = host_cpu();
  if (!cpu) return no_encoder();
  auto encoded = encode(p, *cpu);
  if (!encoded) return std::unexpected(std::move(encoded.error()));
  auto memory = ExecutableMemory::of(encoded->bytes);
  if (!memory) return std::unexpected(std::move(memory.error()));
  return Code(std::move(*memory), encoded->instruction_bytes, std::move(encoded->marks));
}

}  // namespace weir::native
