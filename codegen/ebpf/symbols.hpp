// The signs of the kernel's notation (kernel/bpf/disasm.c), for printer and reader.
#pragma once
#include <cstdint>
#include <string_view>

#include "ebpf/program.hpp"

namespace weir::ebpf {

struct Symbol {
  std::uint8_t operation;
  std::string_view sign;
};

inline constexpr Symbol arithmetic_symbols[] = {
    {op::ADD, "+="}, {op::SUB, "-="},  {op::MUL, "*="},  {op::DIV, "/="}, {op::OR, "|="}, {op::AND, "&="},
    {op::LSH, "<<="}, {op::RSH, ">>="}, {op::MOD, "%="}, {op::XOR, "^="}, {op::MOV, "="}, {op::ARSH, "s>>="},
};

inline constexpr Symbol jump_symbols[] = {
    {op::JEQ, "=="},   {op::JGT, ">"},  {op::JGE, ">="}, {op::JSET, "&"},  {op::JNE, "!="},  {op::JSGT, "s>"},
    {op::JSGE, "s>="}, {op::JLT, "<"},  {op::JLE, "<="}, {op::JSLT, "s<"}, {op::JSLE, "s<="},
};

/// Of loads and stores: `u16`, with a sign `s16`.
inline constexpr Symbol size_symbols[] = {{op::B, "8"}, {op::H, "16"}, {op::W, "32"}, {op::DW, "64"}};

/// The operation of an atomic store without `fetch`.
inline constexpr Symbol atomic_symbols[] = {{op::ADD, "add"}, {op::OR, "or"}, {op::AND, "and"}, {op::XOR, "xor"}};

/// Empty when there is none.
template <std::size_t N>
constexpr std::string_view sign_of(const Symbol (&symbols)[N], std::uint8_t operation) {
  for (const Symbol& s : symbols)
    if (s.operation == operation) return s.sign;
  return {};
}

/// Null when there is none.
template <std::size_t N>
constexpr const Symbol* find_sign(const Symbol (&symbols)[N], std::string_view sign) {
  for (const Symbol& s : symbols)
    if (s.sign == sign) return &s;
  return nullptr;
}

}  // namespace weir::ebpf
