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
  std::erase_if(captured, [&](Fact& f) {
    const auto same = std::ranges::find(other.captured, f.base, &Fact::base);
    if (same == other.captured.end()) return true;
    f.end = std::min(f.end, same->end);
    return false;
  });
}

std::uint64_t Machine::end_of(ir::ValueId base) const {
  const auto fact = std::ranges::find(captured, base, &Fact::base);
  return fact == captured.end() ? 0 : fact->end;
}

void Machine::learn(ir::ValueId base, std::uint64_t end) {
  constexpr std::size_t most_facts = 8;  // every place has its own copy
  if (const auto fact = std::ranges::find(captured, base, &Fact::base); fact != captured.end()) {
    fact->end = std::max(fact->end, end);
  } else {
    // That of the packet's beginning stays: the verifier has it in a register of its own.
    if (captured.size() == most_facts) captured.erase(captured.front().base == ir::no_value ? captured.begin() + 1 : captured.begin());
    captured.push_back({base, end});
  }
}

void Machine::come_home(ir::ValueId v) {
  const auto at = std::ranges::lower_bound(at_home, v);
  if (at == at_home.end() || *at != v) at_home.insert(at, v);
}

}  // namespace weir::ebpf
