// Which instructions there are, and which fields they have (kernel/bpf/core.c, public_insntable; kernel/bpf/verifier.c, the
// checks of reserved fields).
#include <algorithm>

#include "ebpf/decode.hpp"
#include "ebpf/symbols.hpp"

namespace weir::ebpf {
namespace {

constexpr std::uint8_t registers = 11;

bool is_bits(std::int32_t v) { return v == 16 || v == 32 || v == 64; }

bool arithmetic_exists(const Instruction& i) {
  const bool wide = class_of(i) == op::ALU64, from_register = takes_register(i);
  if (operation(i) == op::END) return is_bits(i.imm) && i.src == 0 && i.offset == 0 && (!wide || !from_register);
  if (operation(i) == op::NEG) return !from_register && i.src == 0 && i.offset == 0 && i.imm == 0;
  if (sign_of(arithmetic_symbols, operation(i)).empty()) return false;
  if (from_register ? i.imm != 0 : i.src != 0) return false;
  switch (operation(i)) {
    case op::DIV:
    case op::MOD: return i.offset == 0 || i.offset == 1;
    case op::MOV: return i.offset == 0 || (from_register && (i.offset == 8 || i.offset == 16 || (wide && i.offset == 32)));
    default: return i.offset == 0;
  }
}

bool jump_exists(const Instruction& i) {
  const bool wide = class_of(i) == op::JMP;
  switch (operation(i)) {
    case op::JA: return !takes_register(i) && i.dst == 0 && i.src == 0 && (wide ? i.imm == 0 : i.offset == 0);
    case op::CALL: return wide && !takes_register(i) && i.dst == 0 && i.offset == 0 && i.src <= call_local;
    case op::EXIT: return wide && !takes_register(i) && i.dst == 0 && i.src == 0 && i.offset == 0 && i.imm == 0;
    default: return !sign_of(jump_symbols, operation(i)).empty() && (takes_register(i) ? i.imm == 0 : i.src == 0);
  }
}

bool atomic_exists(const Instruction& i) {
  if (bytes_of(i) < 4) return false;
  if (i.imm == atomic_exchange || i.imm == atomic_compare_exchange) return true;
  return i.imm >= 0 && i.imm <= 0xff && !sign_of(atomic_symbols, static_cast<std::uint8_t>(i.imm & ~atomic_fetch)).empty();
}

bool constant_exists(const Instruction& i) {
  if (!is_wide(i) || i.offset != 0) return false;
  return i.src == 0 || i.src == map_descriptor || i.src == map_value_descriptor || i.src == map_index || i.src == map_value_index;
}

bool memory_exists(const Instruction& i) {
  const bool plain = mode(i) == op::MEM;
  switch (class_of(i)) {
    case op::LD:
      if (mode(i) == op::IMM) return constant_exists(i);
      if (i.dst != 0 || i.offset != 0 || bytes_of(i) == 8) return false;
      return mode(i) == op::IND || (mode(i) == op::ABS && i.src == 0);
    case op::LDX: return i.imm == 0 && (plain || (mode(i) == op::MEMSX && bytes_of(i) < 8));
    case op::ST: return plain && i.src == 0;
    default: return (plain && i.imm == 0) || (mode(i) == op::ATOMIC && atomic_exists(i));
  }
}

}  // namespace

bool exists(const Instruction& i) {
  if (i.dst >= registers || i.src >= registers) return false;
  if (is_arithmetic(i)) return arithmetic_exists(i);
  return is_jump(i) ? jump_exists(i) : memory_exists(i);
}

}  // namespace weir::ebpf
