#include "ebpf/machine.hpp"

namespace weir::ebpf {

void Machine::meet(const Machine& other) {
  if (known != other.known) known = {};
  for (std::size_t i = 0; i < registers.size(); ++i) {
    const Held& there = other.registers[i];
    if (registers[i].is_same(there)) registers[i].end = std::min(registers[i].end, there.end);
    else registers[i] = {};
  }
  std::erase_if(at_home, [&](ir::ValueId v) { return !other.is_home(v); });
  captured.meet(other.captured);
}

void Machine::come_home(ir::ValueId v) {
  const auto at = std::ranges::lower_bound(at_home, v);
  if (at == at_home.end() || *at != v) at_home.insert(at, v);
}

}  // namespace weir::ebpf
