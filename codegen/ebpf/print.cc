// Prints instructions in the notation of the kernel's verifier and bpftool (kernel/bpf/disasm.c). read.cc is the inverse. Tested by
// tests/unit/ebpf/text_test.cc.
#include <bit>

#include <fmt/format.h>

#include "ebpf/decode.hpp"
#include "ebpf/helpers.hpp"
#include "ebpf/symbols.hpp"

namespace weir::ebpf {
namespace {

/// 64-bit registers are r0 to r10, their lower halves w0 to w10.
std::string register_name(bool wide, unsigned number) { return fmt::format("{}{}", wide ? 'r' : 'w', number); }

std::string_view bits_of(const Instruction& i) { return sign_of(size_symbols, i.code & 0x18); }

std::string memory(const Instruction& i, unsigned base, char sign = 'u') {
  return fmt::format("*({}{} *)(r{} {:+})", sign, bits_of(i), base, i.offset);
}

/// `le`, `be` where the host's order matters; `bswap` always exchanges bytes.
std::string byte_swap(const Instruction& i) {
  const char* const word = class_of(i) == op::ALU64 ? "bswap" : takes_register(i) ? "be" : "le";
  return fmt::format("r{} = {}{} r{}", +i.dst, word, i.imm, +i.dst);
}

std::string arithmetic(const Instruction& i) {
  const bool wide = class_of(i) == op::ALU64;
  const std::uint8_t operation = ebpf::operation(i);
  const std::string dst = register_name(wide, i.dst);
  if (operation == op::END) return byte_swap(i);
  if (operation == op::NEG) return fmt::format("{} = -{}", dst, dst);
  const std::string source = takes_register(i) ? register_name(wide, i.src) : fmt::format("{}", i.imm);
  const std::string_view sign = sign_of(arithmetic_symbols, operation);
  if (i.offset != 0 && operation == op::MOV) return fmt::format("{} = (s{}){}", dst, i.offset, source);
  if (i.offset != 0) return fmt::format("{} s{} {}", dst, sign, source);  // signed division
  return fmt::format("{} {} {}", dst, sign, source);
}

std::string atomic(const Instruction& i) {
  const bool wide = (i.code & 0x18) == op::DW;
  const std::string_view bits = wide ? "64" : "";
  const std::string place = fmt::format("(u{} *)(r{} {:+})", bits_of(i), +i.dst, i.offset);
  if (i.imm == atomic_compare_exchange) return fmt::format("r0 = atomic{}_cmpxchg({}, r0, r{})", bits, place, +i.src);
  if (i.imm == atomic_exchange) return fmt::format("r{} = atomic{}_xchg({}, r{})", +i.src, bits, place, +i.src);
  const auto operation = static_cast<std::uint8_t>(i.imm & ~atomic_fetch);
  if (i.imm & atomic_fetch)
    return fmt::format("r{} = atomic{}_fetch_{}({}, r{})", +i.src, bits, sign_of(atomic_symbols, operation), place, +i.src);
  return fmt::format("lock *{} {} r{}", place, sign_of(arithmetic_symbols, operation), +i.src);
}

std::string constant(const Instruction& i, const Instruction& next) {
  switch (i.src) {
    case map_index: return fmt::format("r{} = map[idx:{}]", +i.dst, i.imm);
    case map_descriptor: return fmt::format("r{} = map[id:{}]", +i.dst, i.imm);
    case map_value_index: return fmt::format("r{} = map[idx:{}]+{}", +i.dst, i.imm, static_cast<std::uint32_t>(next.imm));
    case map_value_descriptor: return fmt::format("r{} = map[id:{}][0]+{}", +i.dst, i.imm, static_cast<std::uint32_t>(next.imm));
    default: return fmt::format("r{} = {:#x} ll", +i.dst, wide_constant(i, next));
  }
}

std::string call(const Instruction& i) {
  if (is_local_call(i)) return fmt::format("call pc{:+}", i.imm);
  const HelperRow* const helper = find_helper(i.imm);
  return fmt::format("call {}#{}", helper ? helper->name : "unknown", i.imm);
}

std::string jump(const Instruction& i) {
  if (is_exit(i)) return "exit";
  if (is_call(i)) return call(i);
  if (is_always(i)) return fmt::format("{} pc{:+}", class_of(i) == op::JMP32 ? "gotol" : "goto", distance(i));
  const bool wide = class_of(i) == op::JMP;
  const std::string right = takes_register(i) ? register_name(wide, i.src) : fmt::format("{:#x}", static_cast<std::uint32_t>(i.imm));
  return fmt::format("if {} {} {} goto pc{:+}", register_name(wide, i.dst), sign_of(jump_symbols, operation(i)), right, i.offset);
}

std::string load(const Instruction& i, const Instruction& next) {
  switch (mode(i)) {
    case op::IMM: return constant(i, next);
    case op::ABS: return fmt::format("r0 = *(u{} *)skb[{}]", bits_of(i), i.imm);
    case op::IND: return fmt::format("r0 = *(u{} *)skb[r{} + {}]", bits_of(i), +i.src, i.imm);
    case op::MEMSX: return fmt::format("r{} = {}", +i.dst, memory(i, i.src, 's'));
    default: return fmt::format("r{} = {}", +i.dst, memory(i, i.src));
  }
}

std::string text_of(const Instruction& i, const Instruction& next) {
  switch (class_of(i)) {
    case op::ALU:
    case op::ALU64: return arithmetic(i);
    case op::JMP:
    case op::JMP32: return jump(i);
    case op::ST: return fmt::format("{} = {}", memory(i, i.dst), i.imm);
    case op::STX: return mode(i) == op::ATOMIC ? atomic(i) : fmt::format("{} = r{}", memory(i, i.dst), +i.src);
    default: return load(i, next);
  }
}

}  // namespace

std::string to_string(const Instruction& i, const Instruction& next) {
  if (!exists(i)) return fmt::format(".8byte {:#x}", std::bit_cast<std::uint64_t>(i));
  return text_of(i, next);
}

std::string name(const Program& p, std::size_t index) {
  const auto& code = p.instructions;
  if (index >= code.size()) return fmt::format("instruction {}", index);
  return fmt::format("instruction {} ({})", index, to_string(code[index], index + 1 < code.size() ? code[index + 1] : Instruction{}));
}

}  // namespace weir::ebpf
