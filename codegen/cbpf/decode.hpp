// What the parts of an instruction's code say, for all who give programs a meaning.
#pragma once
#include <cstdint>
#include <optional>

#include "base/arith.hpp"
#include "cbpf/program.hpp"

namespace weir::cbpf {

/// How many bytes an instruction of class LD or LDX loads.
constexpr std::uint32_t size_of(std::uint16_t code) { return 4u >> ((code & 0x18) / op::H); }
static_assert(size_of(op::W) == 4 && size_of(op::H) == 2 && size_of(op::B) == 1);

/// What an instruction of class ALU computes; `neg` has a way of its own.
constexpr std::optional<Arith> arith_of(std::uint16_t code) {
  switch (code & 0xf0) {
    case op::ADD: return Arith::Add;
    case op::SUB: return Arith::Sub;
    case op::MUL: return Arith::Mul;
    case op::DIV: return Arith::Div;
    case op::MOD: return Arith::Mod;
    case op::AND: return Arith::And;
    case op::OR: return Arith::Or;
    case op::XOR: return Arith::Xor;
    case op::LSH: return Arith::Lsh;
    case op::RSH: return Arith::Rsh;
  }
  return std::nullopt;
}

/// What an instruction of class JMP asks; `ja` asks nothing.
constexpr std::optional<Relation> relation_of(std::uint16_t code) {
  switch (code & 0xf0) {
    case op::JEQ: return Relation::Equal;
    case op::JGT: return Relation::Greater;
    case op::JGE: return Relation::GreaterEqual;
    case op::JSET: return Relation::Bits;
  }
  return std::nullopt;
}

}  // namespace weir::cbpf
