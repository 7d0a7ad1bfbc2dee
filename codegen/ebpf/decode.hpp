// Parts of an instruction (RFC 9669, section 3).
#pragma once
#include <cstdint>

#include "ebpf/program.hpp"

namespace weir::ebpf {

constexpr std::uint8_t class_of(const Instruction& i) { return i.code & 0x07; }
constexpr std::uint8_t operation(const Instruction& i) { return i.code & 0xf0; }
constexpr std::uint8_t mode(const Instruction& i) { return i.code & 0xe0; }
constexpr bool takes_register(const Instruction& i) { return (i.code & op::X) != 0; }
constexpr bool is_wide(const Instruction& i) { return i.code == (op::LD | op::IMM | op::DW); }
constexpr bool is_arithmetic(const Instruction& i) { return class_of(i) == op::ALU || class_of(i) == op::ALU64; }
constexpr bool is_jump(const Instruction& i) { return class_of(i) == op::JMP || class_of(i) == op::JMP32; }
constexpr bool is_exit(const Instruction& i) { return i.code == (op::JMP | op::EXIT); }
constexpr bool is_call(const Instruction& i) { return i.code == (op::JMP | op::CALL); }
constexpr bool is_local_call(const Instruction& i) { return is_call(i) && i.src == call_local; }
constexpr bool is_always(const Instruction& i) { return is_jump(i) && operation(i) == op::JA; }
constexpr bool is_conditional(const Instruction& i) {
  return is_jump(i) && operation(i) != op::JA && operation(i) != op::CALL && operation(i) != op::EXIT;
}

/// Bytes of a load or store.
constexpr std::uint32_t bytes_of(const Instruction& i) {
  switch (i.code & 0x18) {
    case op::B: return 1;
    case op::H: return 2;
    case op::W: return 4;
    default: return 8;
  }
}

/// Registers are numbers from 0 to 10.
constexpr Instruction make(std::uint8_t code, unsigned dst, unsigned src, std::int16_t offset, std::int32_t imm) {
  Instruction i{code, 0, 0, offset, imm};
  i.dst = dst & 0xf;
  i.src = src & 0xf;
  return i;
}

/// How many instructions a jump or a local call skips; `gotol` has it in imm.
constexpr std::int64_t distance(const Instruction& i) {
  return is_call(i) || i.code == (op::JMP32 | op::JA) ? i.imm : i.offset;
}

/// The two halves of a 64-bit constant.
constexpr std::uint64_t wide_constant(const Instruction& low, const Instruction& high) {
  return std::uint64_t{static_cast<std::uint32_t>(high.imm)} << 32 | static_cast<std::uint32_t>(low.imm);
}

}  // namespace weir::ebpf
