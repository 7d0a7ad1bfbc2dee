// Small programs, written by hand.
#pragma once
#include "ebpf/program.hpp"

namespace weir::kernel {

/// Returns a number for every packet.
inline ebpf::Program returning(ebpf::Hook hook, std::int32_t value) {
  using namespace ebpf::op;
  ebpf::Program p;
  p.hook = hook;
  p.instructions = {{.code = ALU64 | MOV | K, .dst = 0, .imm = value}, {.code = JMP | EXIT}};
  return p;
}

/// Returns 1 where a key of the first map is 7, with as many bytes as it has keys' bytes, and 0 elsewhere.
inline ebpf::Program asking(ebpf::Map map) {
  using namespace ebpf::op;
  constexpr int lookup = 1;  // bpf_map_lookup_elem
  ebpf::Program p;
  p.hook = ebpf::Hook::Socket;
  p.maps.push_back(std::move(map));
  p.instructions = {
      {.code = ST | MEM | W, .dst = 10, .offset = -8, .imm = 7},
      {.code = ST | MEM | W, .dst = 10, .offset = -4, .imm = 0},
      {.code = LD | DW | IMM, .dst = 1, .src = ebpf::map_index, .imm = 0},
      {},
      {.code = ALU64 | MOV | X, .dst = 2, .src = 10},
      {.code = ALU64 | ADD | K, .dst = 2, .imm = -8},
      {.code = JMP | CALL, .imm = lookup},
      {.code = JMP | JEQ | K, .dst = 0, .offset = 1, .imm = 0},
      {.code = ALU64 | MOV | K, .dst = 0, .imm = 1},
      {.code = JMP | EXIT},
  };
  return p;
}

}  // namespace weir::kernel
