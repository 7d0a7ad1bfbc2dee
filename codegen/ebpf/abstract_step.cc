// Registers: moves, numbers, and numbers added to pointers (kernel/bpf/verifier.c, adjust_reg_min_max_vals, adjust_ptr_min_max_vals).
#include "ebpf/abstract_step.hpp"

#include <fmt/format.h>

#include "ebpf/decode.hpp"

namespace weir::ebpf {
namespace {

/// No pointer may go farther (BPF_MAX_VAR_OFF).
constexpr std::int64_t farthest = std::int64_t{1} << 29;
constexpr std::uint32_t most_field_offset = 0x7fff;

/// At most it may be any 32-bit number: nothing is read through a pointer before it was compared (check_reg_sane_offset looks at
/// the lowest, too).
bool is_near(const AbstractNumber& n) { return n.lowest() > -farthest && n.lowest() < farthest && n.highest() < (std::int64_t{1} << 40); }

bool takes_offsets(AbstractKind kind) {
  return kind == AbstractKind::Context || kind == AbstractKind::Stack || kind == AbstractKind::Packet ||
         kind == AbstractKind::MapValue || kind == AbstractKind::Structure;
}
bool is_data(const AbstractValue& v) { return v.kind == AbstractKind::Packet && v.id == 0 && v.offset == 0; }

bool takes_variables(AbstractKind kind) { return kind == AbstractKind::Packet || kind == AbstractKind::MapValue; }

}  // namespace

AbstractStep::AbstractStep(const Program& program) : program_(program), uses_(program.instructions.size()) {
  for (const FieldUse& use : program.fields) uses_[use.instruction] = &use;
}

AbstractState AbstractStep::first() const {
  AbstractState s;
  s.frames.resize(1);
  s[1] = {AbstractKind::Context, 0, 0, 0, AbstractNumber::constant(0)};
  s[10] = {AbstractKind::Stack, 0, 0, 0, AbstractNumber::constant(0)};
  return s;
}

std::vector<Successor> AbstractStep::succeed(std::size_t at, AbstractState state) {
  std::vector<Successor> one;
  one.push_back({at, std::move(state)});
  return one;
}

bool AbstractStep::wrong(std::string why) {
  if (problem_.empty()) problem_ = std::move(why);
  return false;
}

std::vector<Successor> AbstractStep::run(std::size_t at, AbstractState state) {
  state_ = std::move(state);
  at_ = at;
  const Instruction& i = program_.instructions[at];
  if (is_jump(i)) {
    auto ways = jump(i);
    return problem_.empty() ? std::move(ways) : std::vector<Successor>{};
  }
  if (is_arithmetic(i)) arithmetic(i);
  else if (is_wide(i)) constant(i, program_.instructions[at + 1]);
  else memory(i);
  return problem_.empty() ? forward(at + (is_wide(i) ? 2 : 1)) : std::vector<Successor>{};
}

const AbstractValue& AbstractStep::get(unsigned r) {
  if (state_[r].kind == AbstractKind::Nothing) wrong(fmt::format("reads r{}, which nothing was written to on some way here", r));
  return state_[r];
}

AbstractNumber AbstractStep::number(unsigned r, const char* use) {
  if (!get(r).is_number()) wrong(fmt::format("{} r{}, which is an address", use, r));
  return state_[r].number;
}

void AbstractStep::forget_arguments() {
  for (unsigned r = 1; r <= 5; ++r) state_[r] = {};
}

/// The right operand: a register, or the number in the instruction.
AbstractNumber AbstractStep::operand(const Instruction& i, bool wide) {
  if (takes_register(i)) return number(i.src, "computes with");
  if (uses_[at_]) return AbstractNumber::between(0, most_field_offset);
  return AbstractNumber::constant(wide ? static_cast<std::uint64_t>(std::int64_t{i.imm}) : static_cast<std::uint32_t>(i.imm));
}

/// Copies of a number are known to be equal, so that a test of one tells of the other.
void AbstractStep::move(const Instruction& i) {
  const bool wide = class_of(i) == op::ALU64;
  if (!takes_register(i)) return set(i.dst, number_value(operand(i, wide)));
  const bool copies = wide && i.offset == 0;
  if (!get(i.src).is_number() && !copies) return void(wrong(fmt::format("moves a part of r{}, which is an address", +i.src)));
  if (copies) {
    AbstractValue& source = state_[i.src];
    if (source.is_number() && source.id == 0 && !source.number.is_constant()) source.id = next_id_++;
    return set(i.dst, source);
  }
  set(i.dst, number_value(abstract_result(i, AbstractNumber::constant(0), state_[i.src].number)));
}

void AbstractStep::add(const Instruction& i, AbstractValue pointer, const AbstractNumber& by, bool subtracts) {
  if (!takes_offsets(pointer.kind)) return void(wrong("computes with an address that stays as it is"));
  const AbstractNumber change = subtracts ? abstract_arithmetic(op::SUB, AbstractNumber::constant(0), by) : by;
  if (pointer.kind == AbstractKind::Structure) {
    pointer.offset = farthest;  // no field is read through it any more
    return set(i.dst, pointer);
  }
  if (!is_near(change)) return void(wrong("moves an address too far, or nobody knows how far"));
  if (change.is_constant()) {
    pointer.offset += static_cast<std::int64_t>(change.low());
    if (pointer.offset <= -farthest || pointer.offset >= farthest) return void(wrong("moves an address too far"));
    return set(i.dst, pointer);
  }
  if (!takes_variables(pointer.kind))
    return void(wrong("moves an address by a number that is not known, which only those of packets and map values may be"));
  pointer.number = abstract_arithmetic(op::ADD, pointer.number, change);
  if (!is_near(pointer.number)) return void(wrong("moves an address too far"));
  if (pointer.kind == AbstractKind::Packet) pointer.id = next_id_++;
  set(i.dst, pointer);
}

void AbstractStep::arithmetic(const Instruction& i) {
  const std::uint8_t operation = ebpf::operation(i);
  if (operation == op::MOV) return move(i);
  const bool wide = class_of(i) == op::ALU64, adds = operation == op::ADD || operation == op::SUB;
  const bool has_operand = operation != op::NEG && operation != op::END;  // the bit for a register says `be` there
  const AbstractValue left = get(i.dst);
  const bool left_is_address = !left.is_number(), right_is_address = has_operand && takes_register(i) && !get(i.src).is_number();
  if (!problem_.empty()) return;
  if (!left_is_address && !right_is_address) {
    const AbstractNumber right = has_operand ? operand(i, wide) : AbstractNumber::constant(0);
    return set(i.dst, number_value(abstract_result(i, left.number, right)));
  }
  if (!wide || !adds) return void(wrong("computes with an address otherwise than by adding and subtracting 64-bit numbers"));
  if (left_is_address && right_is_address) {
    const AbstractValue& right = state_[i.src];
    const auto is_packet = [](const AbstractValue& v) { return v.kind == AbstractKind::Packet || v.kind == AbstractKind::PacketEnd; };
    const bool is_length = program_.hook == Hook::SocketBtf && left.kind == AbstractKind::PacketEnd && is_data(right);
    if (operation == op::SUB && is_packet(left) && is_packet(right))
      return set(i.dst, {AbstractKind::Number, 0, is_length ? linear_length : 0, 0, AbstractNumber{}});
    return void(wrong("computes with two addresses"));
  }
  if (left_is_address && is_data(left) && operation == op::ADD && takes_register(i) && state_[i.src].which == linear_length)
    return set(i.dst, {AbstractKind::PacketEnd, 0, 0, 0, AbstractNumber::constant(0)});
  if (left_is_address) return add(i, left, operand(i, true), operation == op::SUB);
  if (operation == op::SUB) return void(wrong("subtracts an address from a number"));
  if (left.which == linear_length && is_data(state_[i.src]))
    return set(i.dst, {AbstractKind::PacketEnd, 0, 0, 0, AbstractNumber::constant(0)});
  add(i, state_[i.src], left.number, false);
}

void AbstractStep::constant(const Instruction& i, const Instruction& high) {
  const auto map = static_cast<std::uint32_t>(i.imm);
  switch (i.src) {
    case 0: return set(i.dst, number_value(AbstractNumber::constant(wide_constant(i, high))));
    case map_index:
    case map_descriptor: return set(i.dst, {AbstractKind::Map, 0, map, 0, AbstractNumber::constant(0)});
    default: return set(i.dst, {AbstractKind::MapValue, 0, map, static_cast<std::uint32_t>(high.imm), AbstractNumber::constant(0)});
  }
}

}  // namespace weir::ebpf
