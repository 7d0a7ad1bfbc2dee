// Several values by one load. Where memory is read that the kernel's verifier does not know, each load costs as much as eight
// instructions, one of them a jump that is taken (arch/x86/net/bpf_jit_comp.c, BPF_PROBE_MEM); to take a value out of a register
// costs two.
#include <algorithm>
#include <bit>

#include "ebpf/raw.hpp"
#include "ebpf/select.hpp"

namespace weir::ebpf {

using namespace ir;

namespace {

constexpr std::uint32_t widest = 8;      ///< of loads
constexpr std::uint32_t deepest_looked_at = 8;     ///< values inside values that are looked at
constexpr std::size_t nodes_ahead = 32;  ///< that a guard looks at

/// Where the bytes from `at` on are in a register that has those from `window` on, in bits.
std::uint32_t shift_of(std::uint64_t window, std::uint32_t window_bytes, std::uint64_t at, std::uint32_t bytes) {
  const auto before = static_cast<std::uint32_t>(at - window);
  return 8 * (std::endian::native == std::endian::little ? before : window_bytes - before - bytes);
}

}  // namespace

/// The end of the bytes that guards behind this one ask for, where they are few more.
std::uint64_t Select::end_soon(NodeId guard, std::uint64_t end) const {
  std::vector<NodeId> found{guard};
  std::uint64_t most = end;
  for (std::size_t i = 0; i < found.size() && i < nodes_ahead; ++i) {
    const Node& n = program_[found[i]];
    if (n.kind == NodeKind::Return) continue;
    if (const std::uint64_t own = end_of(n); n.kind == NodeKind::Guard && n.a == program_[guard].a && own <= end + widest)
      most = std::max(most, own);
    found.push_back(n.t);
    if (n.forks()) found.push_back(n.f);
  }
  return most;
}

/// Whether a load is in a register or on the stack.
bool Select::is_known(ValueId load) const {
  return machine_.is_home(load) || std::ranges::any_of(machine_.registers, [&](const Machine::Held& h) {
           return h.is(load, Machine::Form::Value) || h.is(load, Machine::Form::Raw);
         });
}

void Select::collect_loads(ValueId v, ValueId base, std::uint32_t likely, std::uint32_t depth, Loads& found) const {
  if (v == no_value || depth > deepest_looked_at || is_known(v)) return;
  const Value& value = program_[v];
  if (value.kind == ValueKind::Choice) return;
  if (value.kind == ValueKind::Load && value.a == base) found[v] = std::max(found[v], likely);
  collect_loads(value.a, base, likely, depth + 1, found);
  collect_loads(value.b, base, likely, depth + 1, found);
}

/// Loads behind the base that this question and the next ones want. Most questions are answered with no.
Select::Loads Select::loads_soon(ValueId base) const {
  constexpr std::uint32_t if_so = 1, if_not = 2, always = 3;
  Loads found;
  const auto collect = [&](const Node& n, std::uint32_t likely) {
    collect_loads(n.a, base, likely, 0, found);
    collect_loads(n.b, base, likely, 0, found);
  };
  const auto follow_guards = [&](NodeId to, std::uint32_t likely) {
    for (; program_[to].kind == NodeKind::Guard; to = program_[to].t) collect(program_[to], likely);
    collect(program_[to], likely);
  };
  const Node& now = program_[current_];
  collect(now, always);
  follow_guards(now.t, if_so);
  if (now.forks()) follow_guards(now.f, if_not);
  return found;
}

/// What to load when these bytes are wanted: the fewest that have most of what is wanted soon.
Select::Window Select::window_of(ValueId base, std::uint64_t at, std::uint32_t bytes, std::uint64_t known_end) const {
  const Loads soon = loads_soon(base);
  const auto worth = [&](std::uint64_t from, std::uint64_t end) {
    std::uint32_t sum = 0;
    for (const auto& [load, likely] : soon)
      if (const Value& v = program_[load];
          (v.k != at || v.size() != bytes) && v.k >= from && std::uint64_t{v.k} + v.size() <= end)
        sum += likely;
    return sum;
  };
  Window best{at, bytes};
  std::uint32_t most = 0;
  for (std::uint32_t size = 2 * bytes; size <= widest; size *= 2)
    for (std::uint64_t from = at + bytes < size ? 0 : at + bytes - size; from <= at && from + size <= known_end; ++from)
      if (const std::uint32_t is = worth(from, from + size); is > most) most = is, best = {from, size};
  return best;
}

std::optional<Register> Select::window_with(ValueId base, std::uint64_t at, std::uint32_t bytes) {
  for (const Register r : pool())
    if (machine_.registers[r].is_window_of(base, at, at + bytes)) {
      stamps_[r] = ++clock_;
      return r;
    }
  return std::nullopt;
}

/// Bytes of a window as they lie in memory, in a register that nobody holds yet. `in_place`: where 32-bit instructions see
/// nothing else, the window itself.
Register Select::take_out(Register window, std::uint64_t at, std::uint32_t bytes, bool in_place) {
  const Machine::Held held = machine_.registers[window];
  const auto all = static_cast<std::uint32_t>(held.end - held.at);
  const std::uint32_t shift = shift_of(held.at, all, at, bytes);
  if (in_place && shift == 0 && bytes == 4) return window;
  ++pins_[window];
  const Register to = take();
  --pins_[window];
  const bool is_narrow = shift + 8 * bytes <= 32;
  if (is_narrow) code_.move32(to, window);
  else code_.move(to, window);
  if (shift != 0) is_narrow ? code_.alu32(op::RSH, to, shift) : code_.alu64(op::RSH, to, static_cast<std::int32_t>(shift));
  const bool is_last = shift + 8 * bytes == (is_narrow ? 32 : 64);
  if (!is_last && bytes == 4) code_.move32(to, to);
  else if (!is_last) code_.alu32(op::AND, to, highest(bytes));
  return to;
}

}  // namespace weir::ebpf
