#include "repair.hpp"

#include <array>
#include <vector>

namespace weir::oracle {
namespace {

namespace op = cbpf::op;
using cbpf::Instruction;

bool is(const Instruction& i, std::uint16_t code, std::uint32_t k) { return i.code == code && i.k == k; }
bool is_store(const Instruction& i) { return (i.code & 7) == op::ST || (i.code & 7) == op::STX; }
bool is_memory_load(const Instruction& i) { return ((i.code & 7) == op::LD || (i.code & 7) == op::LDX) && (i.code & 0xe0) == op::MEM; }

/// Where a basic block begins.
std::vector<bool> leaders(const cbpf::Program& p) {
  std::vector<bool> result(p.instructions.size() + 1);
  result[0] = true;
  for (std::size_t at = 0; at < p.instructions.size(); ++at) {
    const Instruction& i = p.instructions[at];
    if ((i.code & 7) != op::JMP) continue;
    result[at + 1] = true;
    if ((i.code & 0xf0) == op::JA) {
      const auto target = static_cast<std::uint32_t>(at + 1) + i.k;
      if (target < result.size()) result[target] = true;
    } else {
      result[at + 1 + i.jt] = result[at + 1 + i.jf] = true;
    }
  }
  return result;
}

/// Whether instructions [begin, end) compute offsets: Geneve's options (length & 0x3f, times 4, plus 8), the Ethernet header
/// behind them (plus 12), or a VLAN tag that was looked for in the packet (a word read, plus 4, and written again).
/// Arithmetic never begins a block by storing something.
bool computes_offsets(const std::vector<Instruction>& code, std::size_t begin, std::size_t end) {
  if (is_store(code[begin])) return true;
  for (std::size_t at = begin; at + 2 < end; ++at) {
    const Instruction &a = code[at], &b = code[at + 1], &c = code[at + 2];
    if (is(a, op::ALU | op::AND | op::K, 0x3f) && is(b, op::ALU | op::MUL | op::K, 4) && is(c, op::ALU | op::ADD | op::K, 8)) return true;
    if (a.code == (op::MISC | op::TXA) && is(b, op::ALU | op::ADD | op::K, 12) && is_store(c)) return true;
    if (is_memory_load(a) && is(b, op::ALU | op::ADD | op::K, 4) && is_store(c) && a.k == c.k) return true;
  }
  return false;
}

}  // namespace

cbpf::Program keep_offsets_apart(const cbpf::Program& p) {
  cbpf::Program result = p;
  std::vector<Instruction>& code = result.instructions;
  const std::vector<bool> leader = leaders(p);
  for (std::size_t begin = 0, end = 0; begin < code.size(); begin = end) {
    for (end = begin + 1; end < code.size() && !leader[end];) ++end;
    if (computes_offsets(code, begin, end)) continue;
    std::array<bool, cbpf::scratch_words> moved{};
    for (std::size_t at = begin; at < end; ++at) {
      Instruction& i = code[at];
      if (is_store(i)) moved[i.k % cbpf::scratch_words] = true;
      if (is_store(i) || (is_memory_load(i) && moved[i.k % cbpf::scratch_words])) i.k += cbpf::scratch_words;
    }
  }
  return result;
}

}  // namespace weir::oracle
