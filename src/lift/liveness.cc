#include "lift/liveness.hpp"

#include "cbpf/opcodes.hpp"

namespace weir::lift {
namespace {

using cbpf::Instruction;
using cbpf::Opcode;
namespace op = cbpf::op;

/// Which places an instruction reads and which it writes.
struct Use {
  Places reads = 0;
  Places writes = 0;
};

Use use_of(const Instruction& i) {
  const Places a = place(place_a), x = place(place_x);
  const Places operands = (i.code & op::X) != 0 ? a | x : a;
  const int mode = i.code & 0xe0;
  switch (i.code & 0x07) {
    case op::LD:
      if (mode == op::IND) return {x, a};
      if (mode == op::MEM) return {place(first_scratch + i.k), a};
      return {mode == op::ABS && i.k == cbpf::xor_x ? a | x : 0, a};
    case op::LDX: return {mode == op::MEM ? place(first_scratch + i.k) : 0, x};
    case op::ST: return {a, place(first_scratch + i.k)};
    case op::STX: return {x, place(first_scratch + i.k)};
    case op::ALU: return {operands, a};
    case op::JMP: return {static_cast<Opcode>(i.code) == Opcode::Ja ? 0 : operands, 0};
    case op::RET: return {static_cast<Opcode>(i.code) == Opcode::RetA ? a : 0, 0};
    default: return static_cast<Opcode>(i.code) == Opcode::Tax ? Use{a, x} : Use{x, a};
  }
}

}  // namespace

std::vector<Places> live_places(const std::vector<Instruction>& code) {
  std::vector<Places> live(code.size(), 0);
  for (std::size_t at = code.size(); at-- > 0;) {
    const Instruction& i = code[at];
    Places behind = 0;
    if (static_cast<Opcode>(i.code) == Opcode::Ja) behind = live[at + 1 + i.k];
    else if ((i.code & 0x07) == op::JMP) behind = live[at + 1 + i.jt] | live[at + 1 + i.jf];
    else if ((i.code & 0x07) != op::RET) behind = live[at + 1];
    const Use use = use_of(i);
    live[at] = (behind & ~use.writes) | use.reads;
  }
  return live;
}

}  // namespace weir::lift
