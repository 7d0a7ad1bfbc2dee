#include "native/emit.hpp"

#include "native/encoders.hpp"

namespace weir::native {

bool available() {
  constexpr std::uint8_t nothing[] = {0, 0, 0, 0};  // never run
  return host_cpu().has_value() && ExecutableMemory::of(nothing).has_value();
}

Result<Encoded> encode(const ir::Program& p, Cpu cpu, Form form, Vectors vectors) {
  const Plan plan(p);
  if (plan.too_large()) return too_large();
  if (form == Form::Views && plan.needs_metadata())
    return fail(weir::Code::Unsupported, {}, "the filter asks for what such records do not have");
  switch (cpu) {
    case Cpu::X86_64: return x86_64::encode(p, plan, form, vectors);
    case Cpu::AArch64: return aarch64::encode(p, plan, form);
  }
  return no_encoder();
}

Result<ExecutableMemory> loaded(const Result<Encoded>& code) {
  return code ? ExecutableMemory::of(code->bytes) : std::unexpected(code.error());
}

Result<Encoded> encode(const ir::Program& p, Cpu cpu) { return encode(p, cpu, Form::One); }

Result<Code> emit(const ir::Program& p) {
  constexpr auto cpu = host_cpu();
  if (!cpu) return no_encoder();
  auto encoded = encode(p, *cpu);
  auto memory = loaded(encoded);
  if (!memory) return std::unexpected(std::move(memory.error()));
  return Code(std::move(*memory), encoded->instruction_bytes, std::move(encoded->marks));
}

}  // namespace weir::native
