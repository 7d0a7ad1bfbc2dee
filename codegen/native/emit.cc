#include "native/emit.hpp"

#ifdef WEIR_NATIVE_X86_64
#include "native/x86_64.hpp"
#endif

namespace weir::native {

#ifdef WEIR_NATIVE_X86_64

namespace {

Result<Code> install(Select& select) {
  auto memory = ExecutableMemory::of(select.bytes());
  if (!memory) return std::unexpected(std::move(memory.error()));
  return Code(std::move(*memory), select.instruction_bytes(), std::move(select).marks());
}

}  // namespace

bool available() {
  constexpr std::uint8_t ret[] = {0xc3};
  return ExecutableMemory::of(ret).has_value();
}

Result<Code> emit(const ir::Program& p) {
  const auto too_large = [] { return fail(weir::Code::TooLarge, {}, "the filter needs more native code than is of use"); };
  const Plan plan(p);
  if (plan.too_many_homes() || plan.too_deep()) return too_large();
  try {
    Select select(p, plan, 0);
    select.run();
    if (select.too_long()) return too_large();
    if (select.words() <= red_zone_words) return install(select);
    constexpr std::uint32_t aligned = 16;
    Select framed(p, plan, (select.words() * 4 + aligned - 1) / aligned * aligned);
    framed.run();
    if (framed.too_long()) return too_large();
    return install(framed);
  } catch (const Xbyak::Error& wrong) {  // out of memory, or a mistake of ours that must not bring the program down
    return fail(weir::Code::System, {}, std::string("native code cannot be encoded: ") + wrong.what());
  }
}

#else

bool available() { return false; }

Result<Code> emit(const ir::Program&) { return fail(weir::Code::Unsupported, {}, "there is no native code for this CPU yet"); }

#endif

}  // namespace weir::native
