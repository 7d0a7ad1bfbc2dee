// Jumps, calls and ends (kernel/bpf/verifier.c, check_cond_jmp_op, find_good_pkt_pointers, check_helper_call, check_func_call,
// check_return_code).
#include <algorithm>

#include <fmt/format.h>

#include "ebpf/abstract_step.hpp"
#include "ebpf/decode.hpp"

namespace weir::ebpf {
namespace {

constexpr std::uint64_t most_packet_offset = 0xffff;  // MAX_PACKET_OFF

/// All that have the id get the number.
void spread(AbstractState& s, std::uint32_t id, const AbstractNumber& number) {
  if (id == 0) return;
  s.for_each_value([&](AbstractValue& v) {
    if (v.is_number() && v.id == id) v.number = number;
  });
}

void learn(AbstractState& s, unsigned r, const AbstractNumber& number) {
  s[r].number = number;
  spread(s, s[r].id, number);
  if (s[r].which == linear_length)
    s.ranges[0] = std::max(s.ranges[0], static_cast<std::uint32_t>(std::min(number.low(), most_packet_offset)));
}

/// The pointer is known to be null, or not to be.
void decide_null(AbstractState& s, std::uint32_t id, bool is_null) {
  s.for_each_value([&](AbstractValue& v) {
    if (v.kind != AbstractKind::MapValueOrNull || v.id != id) return;
    if (is_null) v = number_value(AbstractNumber::constant(0));
    else v.kind = AbstractKind::MapValue, v.id = 0;
  });
}

/// A packet pointer is not behind the end (`before`: it is before it).
void learn_range(AbstractState& s, const AbstractValue& pointer, bool before) {
  if (pointer.offset < 0 || pointer.offset > static_cast<std::int64_t>(most_packet_offset) || pointer.number.lowest() < 0 ||
      pointer.number.high() > most_packet_offset)
    return;
  std::uint32_t& range = s.ranges[pointer.id];
  range = std::max(range, static_cast<std::uint32_t>(pointer.offset) + before);
}

}  // namespace

std::size_t AbstractStep::target(const Instruction& i) const {
  return static_cast<std::size_t>(static_cast<std::int64_t>(at_) + 1 + distance(i));
}

std::vector<Successor> AbstractStep::jump(const Instruction& i) {
  if (is_exit(i)) return leave();
  if (is_local_call(i)) return enter(i);
  if (is_call(i)) return call(i) ? forward(at_ + 1) : std::vector<Successor>{};
  if (is_always(i)) return forward(target(i));
  const AbstractValue& left = get(i.dst);
  if (takes_register(i)) get(i.src);
  if (!problem_.empty()) return {};
  if (left.kind == AbstractKind::MapValueOrNull) return null_branch(i);
  const auto is_packet = [](const AbstractValue& v) { return v.kind == AbstractKind::Packet || v.kind == AbstractKind::PacketEnd; };
  if (is_packet(left)) return packet_branch(i);
  return branch(i);
}

std::vector<Successor> AbstractStep::branch(const Instruction& i) {
  const bool wide = class_of(i) == op::JMP;
  number(i.dst, "compares");
  const AbstractNumber right = takes_register(i) ? number(i.src, "compares") : operand(i, wide);
  std::vector<Successor> ways;
  for (const bool taken : {false, true}) {
    if (!problem_.empty()) return {};
    AbstractNumber a = state_[i.dst].number, b = right;
    if (!assume(operation(i), taken, wide, a, b)) continue;
    Successor way{taken ? target(i) : at_ + 1, state_};
    learn(way.state, i.dst, a);
    if (takes_register(i)) learn(way.state, i.src, b);
    ways.push_back(std::move(way));
  }
  return ways;
}

std::vector<Successor> AbstractStep::null_branch(const Instruction& i) {
  const std::uint8_t relation = operation(i);
  const bool is_test = class_of(i) == op::JMP && !takes_register(i) && i.imm == 0 && (relation == op::JEQ || relation == op::JNE);
  if (!is_test) return wrong(fmt::format("compares r{}, which may be null, otherwise than with 0", +i.dst)), std::vector<Successor>{};
  std::vector<Successor> ways;
  for (const bool taken : {false, true}) {
    Successor way{taken ? target(i) : at_ + 1, state_};
    decide_null(way.state, state_[i.dst].id, taken == (relation == op::JEQ));
    ways.push_back(std::move(way));
  }
  return ways;
}

/// A packet pointer and the end, in either order.
std::vector<Successor> AbstractStep::packet_branch(const Instruction& i) {
  const AbstractValue left = state_[i.dst], right = takes_register(i) ? state_[i.src] : AbstractValue{};
  const bool pointer_left = left.kind == AbstractKind::Packet && right.kind == AbstractKind::PacketEnd;
  const bool pointer_right = left.kind == AbstractKind::PacketEnd && right.kind == AbstractKind::Packet;
  if (class_of(i) != op::JMP || (!pointer_left && !pointer_right))
    return wrong("compares an address of the packet with something else than its end"), std::vector<Successor>{};
  std::vector<Successor> ways;
  for (const bool taken : {false, true}) {
    Successor way{taken ? target(i) : at_ + 1, state_};
    const std::uint8_t relation = operation(i);
    // With the pointer p on the left: p > end, p >= end, p < end, p <= end; on the right they are turned around.
    const bool greater = relation == (pointer_left ? op::JGT : op::JLT), not_less = relation == (pointer_left ? op::JGE : op::JLE);
    const bool less = relation == (pointer_left ? op::JLT : op::JGT), not_greater = relation == (pointer_left ? op::JLE : op::JGE);
    const AbstractValue& pointer = pointer_left ? left : right;
    if ((less && taken) || (not_less && !taken)) learn_range(way.state, pointer, true);
    if ((not_greater && taken) || (greater && !taken)) learn_range(way.state, pointer, false);
    ways.push_back(std::move(way));
  }
  return ways;
}

std::vector<Successor> AbstractStep::enter(const Instruction& i) {
  if (state_.frames.size() == call_depth) return wrong(fmt::format("calls deeper than {} functions", call_depth)), std::vector<Successor>{};
  Frame callee;
  for (unsigned r = 1; r <= 5; ++r) callee.registers[r] = state_[r];
  callee.registers[10] = {AbstractKind::Stack, 0, static_cast<std::uint32_t>(state_.frames.size()), 0, AbstractNumber::constant(0)};
  callee.returns_to = at_ + 1;
  state_.frames.push_back(std::move(callee));
  return forward(target(i));
}

std::vector<Successor> AbstractStep::leave() {
  const AbstractValue result = get(0);
  if (!problem_.empty()) return {};
  const auto depth = static_cast<std::uint32_t>(state_.frames.size() - 1);
  if (depth == 0) {
    if (!result.is_number()) return wrong("ends with an address in r0"), std::vector<Successor>{};
    if (program_.hook == Hook::Cgroup && result.number.high() > 1)
      wrong("returns something else than 0 or 1, which is all that a control group takes");
    return {};
  }
  if (result.kind == AbstractKind::Stack && result.which == depth)
    return wrong("returns an address of the stack that ends here"), std::vector<Successor>{};
  const std::size_t back = state_.frame().returns_to;
  state_.frames.pop_back();
  state_.for_each_value([&](AbstractValue& v) {
    if (v.kind == AbstractKind::Stack && v.which == depth) v = {};
  });
  forget_arguments();
  set(0, result);
  return forward(back);
}

bool AbstractStep::call(const Instruction& i) {
  const HelperRow& row = *find_helper(i.imm);
  std::optional<std::uint32_t> map;
  for (unsigned n = 0; n < row.arguments.size() && row.arguments[n] != Argument::None; ++n)
    if (!argument(row, n, map)) return false;
  forget_arguments();
  set(0, number_value(AbstractNumber{}));
  if (row.returns == Returns::ValueOrNull)
    set(0, {AbstractKind::MapValueOrNull, next_id_++, map.value_or(0), 0, AbstractNumber::constant(0)});
  if (row.helper != Helper::PullData) return true;
  state_.ranges.clear();  // the packet may have moved
  state_.for_each_value([](AbstractValue& v) {
    if (v.kind == AbstractKind::Packet || v.kind == AbstractKind::PacketEnd) v = {};
  });
  return true;
}

}  // namespace weir::ebpf
