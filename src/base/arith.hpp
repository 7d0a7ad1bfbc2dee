#pragma once
#include <cstdint>
#include <optional>

namespace weir {

/// Operators on unsigned 32-bit values, as classic BPF has them.
enum class Arith : std::uint8_t { Add, Sub, Mul, Div, Mod, And, Or, Xor, Lsh, Rsh };

/// a OP b as libpcap's interpreter computes it: wraps modulo 2^32, a shift by 32 and more gives 0.
/// Nothing when b is zero in a division or remainder: that ends the filter with "reject".
constexpr std::optional<std::uint32_t> apply(Arith op, std::uint32_t a, std::uint32_t b) {
  switch (op) {
    case Arith::Add: return a + b;
    case Arith::Sub: return a - b;
    case Arith::Mul: return a * b;
    case Arith::Div: return b ? std::optional(a / b) : std::nullopt;
    case Arith::Mod: return b ? std::optional(a % b) : std::nullopt;
    case Arith::And: return a & b;
    case Arith::Or: return a | b;
    case Arith::Xor: return a ^ b;
    case Arith::Lsh: return b < 32 ? a << b : 0;
    case Arith::Rsh: return b < 32 ? a >> b : 0;
  }
  return std::nullopt;
}

/// The symbol of an operator in filters and dumps.
constexpr const char* symbol(Arith op) {
  constexpr const char* names[] = {"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"};
  return names[static_cast<int>(op)];
}

/// Tests on two unsigned values. The other relations are these with exchanged ways out.
enum class Relation : std::uint8_t { Equal, Greater, GreaterEqual, Bits };

/// `Bits` asks whether the two have a bit in common (classic BPF's jset).
constexpr bool holds(Relation op, std::uint32_t a, std::uint32_t b) {
  switch (op) {
    case Relation::Equal: return a == b;
    case Relation::Greater: return a > b;
    case Relation::GreaterEqual: return a >= b;
    case Relation::Bits: return (a & b) != 0;
  }
  return false;
}

/// The symbol of a relation in dumps.
constexpr const char* symbol(Relation op) {
  constexpr const char* names[] = {"==", ">", ">=", "&?"};
  return names[static_cast<int>(op)];
}

}  // namespace weir
