#include "native/encoders.hpp"

#ifdef WEIR_NATIVE_X86_64
#include "native/x86_64.hpp"
#endif

namespace weir::native::x86_64 {

#ifdef WEIR_NATIVE_X86_64

namespace {

Encoded finished(Select& select) {
  const auto bytes = select.bytes();
  return {Cpu::X86_64, {bytes.begin(), bytes.end()}, select.instruction_bytes(), std::move(select).marks()};
}

}  // namespace

Result<Encoded> encode(const ir::Program& p, const Plan& plan, Form form, Vectors vectors) {
  try {
    Select select(p, plan, 0, form, vectors);
    select.run();
    if (select.too_long()) return too_large();
    if (select.words() <= red_zone_words) return finished(select);
    constexpr std::uint32_t aligned = 16;
    Select framed(p, plan, (select.words() * 4 + aligned - 1) / aligned * aligned, form, vectors);
    framed.run();
    if (framed.too_long()) return too_large();
    return finished(framed);
  } catch (const Xbyak::Error& wrong) {  // out of memory, or a mistake of ours that must not bring the program down
    return fail(weir::Code::System, {}, std::string("native code cannot be encoded: ") + wrong.what());
  }
}

#else

Result<Encoded> encode(const ir::Program&, const Plan&, Form, Vectors) {
  return fail(weir::Code::Unsupported, {}, "this build of weir makes no code for x86-64");
}

#endif

}  // namespace weir::native::x86_64
