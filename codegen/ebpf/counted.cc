#include "ebpf/counted.hpp"

#include <utility>

#include "ebpf/helpers.hpp"

namespace weir::ebpf {
Program counted(Program p) {
  using namespace op;
  const auto map = static_cast<std::int32_t>(p.maps.size());
  p.maps.push_back({.name = "weir_count",
                    .kind = MapKind::PerCpuArray,
                    .key_bytes = 4,
                    .value_bytes = 8,
                    .max_entries = 2,
                    .keys = {},
                    .span = {}});
  std::vector<Instruction> around = {
      {.code = JMP | CALL, .src = call_local, .imm = 0},  // of what comes behind these
      {.code = ALU64 | MOV | X, .dst = 6, .src = 0},
      {.code = ST | MEM | W, .dst = 10, .offset = -4, .imm = 0},
      {.code = JMP32 | JEQ | K, .dst = 0, .offset = 1, .imm = p.no_match},
      {.code = ST | MEM | W, .dst = 10, .offset = -4, .imm = 1},
      {.code = LD | DW | IMM, .dst = 1, .src = map_index, .imm = map},
      {},
      {.code = ALU64 | MOV | X, .dst = 2, .src = 10},
      {.code = ALU64 | ADD | K, .dst = 2, .imm = -4},
      {.code = JMP | CALL, .imm = map_lookup},
      {.code = JMP | JEQ | K, .dst = 0, .offset = 3, .imm = 0},
      {.code = LDX | MEM | DW, .dst = 1, .src = 0},
      {.code = ALU64 | ADD | K, .dst = 1, .imm = 1},
      {.code = STX | MEM | DW, .dst = 0, .src = 1},  // nobody else writes it: the array is this CPU's
      {.code = ALU64 | MOV | X, .dst = 0, .src = 6},
      {.code = JMP | EXIT},
  };
  const std::size_t count = around.size();
  around[0].imm = static_cast<std::int32_t>(count - 1);
  p.instructions.insert(p.instructions.begin(), around.begin(), around.end());
  if (!p.spans.empty()) p.spans.insert(p.spans.begin(), count, Span{});
  for (FieldUse& use : p.fields) use.instruction += count;
  return p;
}

}  // namespace weir::ebpf
