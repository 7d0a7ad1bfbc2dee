// Arithmetic of eBPF (RFC 9669, section 4.1; kernel/bpf/core.c, ___bpf_prog_run), for any operands.
#pragma once
#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "ebpf/decode.hpp"

namespace weir::ebpf {

template <class Unsigned>
using SignedOf = std::make_signed_t<Unsigned>;

template <class Unsigned>
constexpr Unsigned negated(Unsigned v) { return static_cast<Unsigned>(Unsigned{0} - v); }

/// A division by zero gives 0; the smallest number by -1 is itself.
template <class Unsigned>
constexpr Unsigned divided(Unsigned a, Unsigned b, bool with_sign) {
  if (b == 0) return 0;
  if (!with_sign) return a / b;
  if (b == static_cast<Unsigned>(-1)) return negated(a);
  return static_cast<Unsigned>(static_cast<SignedOf<Unsigned>>(a) / static_cast<SignedOf<Unsigned>>(b));
}

/// A remainder by zero is what there was; with a sign it has that of the dividend.
template <class Unsigned>
constexpr Unsigned remainder(Unsigned a, Unsigned b, bool with_sign) {
  if (b == 0) return a;
  if (!with_sign) return a % b;
  if (b == static_cast<Unsigned>(-1)) return 0;
  return static_cast<Unsigned>(static_cast<SignedOf<Unsigned>>(a) % static_cast<SignedOf<Unsigned>>(b));
}

/// The low `bits` (8, 16, 32) as a number with a sign.
constexpr std::uint64_t sign_extended(std::uint64_t v, int bits) {
  const int spare = 64 - bits;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(v << spare) >> spare);
}

/// `offset` is the instruction's: division with a sign, the bits of a move. Shifts use the low 5 or 6 bits.
template <class Unsigned>
constexpr Unsigned arithmetic(std::uint8_t operation, std::int16_t offset, Unsigned a, Unsigned b) {
  constexpr Unsigned mask = std::numeric_limits<Unsigned>::digits - 1;
  const bool with_sign = offset != 0;
  switch (operation) {
    case op::ADD: return a + b;
    case op::SUB: return a - b;
    case op::MUL: return a * b;
    case op::DIV: return divided(a, b, with_sign);
    case op::OR: return a | b;
    case op::AND: return a & b;
    case op::LSH: return a << (b & mask);
    case op::RSH: return a >> (b & mask);
    case op::NEG: return negated(a);
    case op::MOD: return remainder(a, b, with_sign);
    case op::XOR: return a ^ b;
    case op::MOV: return with_sign ? static_cast<Unsigned>(sign_extended(b, offset)) : b;
    case op::ARSH: return static_cast<Unsigned>(static_cast<SignedOf<Unsigned>>(a) >> (b & mask));
    default: return 0;
  }
}

constexpr std::uint64_t swapped(std::uint64_t v, std::int32_t bits) { return __builtin_bswap64(v) >> (64 - bits); }
constexpr std::uint64_t cut(std::uint64_t v, std::int32_t bits) { return bits == 64 ? v : v & ((std::uint64_t{1} << bits) - 1); }

/// Byte order: `be` exchanges the bytes of a little-endian host, `le` only cuts off, `bswap` (ALU64) always exchanges.
constexpr std::uint64_t byte_swapped(const Instruction& i, std::uint64_t v) {
  const bool exchanges = class_of(i) == op::ALU64 || takes_register(i);
  return exchanges ? swapped(v, i.imm) : cut(v, i.imm);
}

template <class Unsigned>
constexpr bool holds(std::uint8_t operation, Unsigned a, Unsigned b) {
  const auto signed_a = static_cast<SignedOf<Unsigned>>(a), signed_b = static_cast<SignedOf<Unsigned>>(b);
  switch (operation) {
    case op::JEQ: return a == b;
    case op::JGT: return a > b;
    case op::JGE: return a >= b;
    case op::JSET: return (a & b) != 0;
    case op::JNE: return a != b;
    case op::JSGT: return signed_a > signed_b;
    case op::JSGE: return signed_a >= signed_b;
    case op::JLT: return a < b;
    case op::JLE: return a <= b;
    case op::JSLT: return signed_a < signed_b;
    case op::JSLE: return signed_a <= signed_b;
    default: return false;
  }
}

}  // namespace weir::ebpf
