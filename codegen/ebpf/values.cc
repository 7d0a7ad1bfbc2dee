#include <bit>
#include <utility>

#include <fmt/format.h>

#include "ebpf/select.hpp"

namespace weir::ebpf {

using namespace ir;

namespace {

bool commutes(Arith op) { return op == Arith::Add || op == Arith::Mul || op == Arith::And || op == Arith::Or || op == Arith::Xor; }

std::uint8_t operation(Arith op) {
  switch (op) {
    case Arith::Add: return op::ADD;
    case Arith::Sub: return op::SUB;
    case Arith::Mul: return op::MUL;
    case Arith::Div: return op::DIV;
    case Arith::Mod: return op::MOD;
    case Arith::And: return op::AND;
    case Arith::Or: return op::OR;
    case Arith::Xor: return op::XOR;
    case Arith::Lsh: return op::LSH;
    case Arith::Rsh: return op::RSH;
  }
  return op::ADD;
}

/// What the kernel's word for it is called in messages.
std::string_view words_of(Meta m) {
  switch (m) {
    case Meta::Protocol: return "the packet's protocol";
    case Meta::PacketType: return "the packet's direction";
    case Meta::InterfaceIndex: return "the interface";
    case Meta::VlanTag:
    case Meta::VlanTagPresent:
    case Meta::VlanProtocol: return "a VLAN tag that was taken out of the packet";
  }
  return "it";
}

}  // namespace

// ---- registers and words of the stack --------------------------------------------------------------------

/// Registers that hold values, those that calls leave alone first where there are calls.
std::span<const Register> Select::pool() const {
  static constexpr Register pointers[] = {1, 2, 3, 4, 5, 0, 9}, with_argument[] = {2, 3, 4, 5, 0, 9, saved_context};
  static constexpr Register loads[] = {9, 7, 1, 2, 3, 4, 5, 0};
  static constexpr Register absolute[] = {0, 9, 7, 1, 2, 3, 4, 5};  // r0 first: there they come
  static constexpr Register probes[] = {9, 1, 2, 3, 4, 5, 0};
  static constexpr Register alone[] = {1, 2, 3, 9, 7, 8}, absolute_alone[] = {0, 1, 2, 3, 4, 5};
  if (is_alone_) return reach_ == Reach::Pointers ? std::span<const Register>(alone) : absolute_alone;
  if (reach_ == Reach::Pointers && context_ == argument) return with_argument;
  if (reach_ == Reach::Pointers) return pointers;
  if (reach_ == Reach::Absolute) return absolute;
  if (row_.packets == Packets::Probe) return probes;
  return loads;
}

/// Whether the only one who wants what is in a register has had it.
bool Select::is_done_with(Register r) const {
  const Machine::Held& h = machine_.registers[r];
  return (h.form == Machine::Form::Value || h.form == Machine::Form::Raw) && h.value != no_value && plan_->uses(h.value) == 1;
}

/// A register whose content nobody relies on: an empty one, or that which was not asked for for the longest time. Rather one
/// whose value is done with than the first that would have to be saved.
Register Select::take() {
  std::optional<Register> best;
  for (const Register r : pool()) {
    if (pins_[r] != 0) continue;
    if (machine_.registers[r].is_nothing()) {
      if (!(is_alone_ && r >= saved_context && best && is_done_with(*best))) best = r;
      break;
    }
    const bool is_better = !best || (is_alone_ && is_done_with(r) != is_done_with(*best) ? is_done_with(r) : stamps_[r] < stamps_[*best]);
    if (is_better) best = r;
  }
  machine_.registers[*best] = {};
  stamps_[*best] = ++clock_;
  return *best;
}

/// One that calls leave alone, when such a one is free; otherwise r0.
Register Select::take_saved() {
  if (is_alone_) return 0;
  for (const Register r : {Register{9}, Register{7}})
    if (pins_[r] == 0 && machine_.registers[r].is_nothing()) return r;
  return 0;
}

Register Select::take_over(Register from, ValueId v) {
  if (pins_[from] == 0 && plan_->uses(v) == 1 && !is_window(from)) {
    machine_.registers[from] = {};
    return from;
  }
  ++pins_[from];
  const Register to = take();
  --pins_[from];
  code_.move(to, from);
  return to;
}

void Select::hold(Register r, ValueId v, Machine::Form form) {
  machine_.registers[r] = {v, form};
  stamps_[r] = ++clock_;
  if (form == Machine::Form::Value && plan_->is_kept(v) && !machine_.is_home(v)) keep(r, v);
}

/// Eight bytes, for the verifier knows bounds only of what it has seen stored whole.
void Select::keep(Register r, ValueId v) {
  code_.store(home(v), 0, r, 8);
  machine_.come_home(v);
}

Slot Select::home(ValueId v) {
  const auto found = homes_.find(static_cast<std::uint32_t>(v));
  if (found != homes_.end()) return found->second;
  return homes_.emplace(static_cast<std::uint32_t>(v), code_.slot()).first->second;
}

std::optional<Register> Select::held(ValueId v, Machine::Form form) {
  for (const Register r : pool())
    if (machine_.registers[r].is(v, form)) {
      stamps_[r] = ++clock_;
      return r;
    }
  return std::nullopt;
}

/// Whether having the value in a register destroys nothing.
bool Select::is_at_hand(ValueId v) {
  return held(v, Machine::Form::Value) || machine_.is_home(v) || !plan_->may_call(v);
}

void Select::call(std::int32_t helper) {
  lost_context_ |= context_ == argument || is_alone_;
  code_.call(helper);
  forget_arguments();
}

void Select::forget_arguments() {
  for (Register r = 0; r <= 5; ++r) machine_.registers[r] = {};
}

// ---- values ------------------------------------------------------------------------------------------------

/// The value in a register, where it stays until others need the room.
Register Select::value(ValueId v) {
  if (const auto r = held(v, Machine::Form::Value)) return *r;
  if (machine_.is_home(v)) {
    const Register r = take();
    code_.load(r, home(v), 0, 8);
    hold(r, v);
    return r;
  }
  const Register r = compute(v);
  hold(r, v);
  return r;
}

/// Whether a load gives its value at once, and not bytes of another order.
bool Select::is_in_order(ValueId load) const { return reach_ == Reach::Absolute || program_[load].size() == 1; }

/// A load as its bytes lie in memory, for 32-bit instructions; perhaps in a window, which has to stay.
Register Select::raw(ValueId v) {
  const Machine::Form form = is_in_order(v) ? Machine::Form::Value : Machine::Form::Raw;
  if (const auto r = held(v, form)) return *r;
  const Register r = load(program_[v], true, plan_->uses(v) > 1);
  if (!is_window(r)) hold(r, v, form);
  return r;
}

Register Select::compute(ValueId id) {
  const Value& v = program_[id];
  switch (v.kind) {
    case ValueKind::Constant: {
      const Register r = take();
      code_.set(r, v.k);
      return r;
    }
    case ValueKind::Load: {
      const auto r = held(id, Machine::Form::Raw);
      if (!r || pins_[*r] != 0) return load(v, false, plan_->uses(id) > 1);
      code_.swap(*r, v.size());
      return *r;
    }
    case ValueKind::Length: return whole_length();
    case ValueKind::Meta: return metadata(id);
    case ValueKind::Negate: {
      const Register r = take_over(value(v.a), v.a);
      code_.alu32(op::NEG, r, 0u);
      return r;
    }
    case ValueKind::Binary: return binary(v);
    case ValueKind::Choice: return choose(id);
  }
  return 0;
}

Select::Two Select::both(ValueId a, ValueId b) {
  const Register one = value(a);
  const std::size_t free = static_cast<std::size_t>(std::ranges::count_if(pool(), [&](Register r) { return pins_[r] == 0; }));
  if (is_at_hand(b) && free > 3) {
    ++pins_[one];
    const Register two = value(b);
    --pins_[one];
    return {one, two};
  }
  const Slot kept = code_.slot();
  code_.store(kept, 0, one, 8);
  const Register two = value(b);
  ++pins_[two];
  const Register again = take();
  --pins_[two];
  code_.load(again, kept, 0, 8);
  return {again, two};
}

Register Select::binary(const Value& v) {
  if (const auto k = constant_of(program_, v.b)) return with_constant(v.arith(), v.a, *k);
  if (const auto k = constant_of(program_, v.a); k && commutes(v.arith())) return with_constant(v.arith(), v.b, *k);
  // The costlier operand first: it may need all registers.
  const bool b_first = plan_->cost(v.b) > plan_->cost(v.a);
  Two two = b_first ? both(v.b, v.a) : both(v.a, v.b);
  if (b_first) std::swap(two.a, two.b);
  ++pins_[two.a];
  ++pins_[two.b];
  const Register to = take();
  --pins_[two.a];
  --pins_[two.b];
  code_.move(to, two.a);
  apply(v.arith(), to, two.b, v.b);
  return to;
}

Register Select::with_constant(Arith op, ValueId a, std::uint32_t k) {
  const Register r = take_over(value(a), a);
  const bool is_shift = op == Arith::Lsh || op == Arith::Rsh;
  if ((is_shift && k > 31) || (op == Arith::Div && k == 0)) code_.set(r, 0);  // the kernel refuses such operands
  else if (op == Arith::Mod && k == 0) return r;
  else code_.alu32(operation(op), r, k);
  return r;
}

/// to = to OP by, as weir::apply has it; `distance` is the value in `by`. The machine shifts by the low five bits.
void Select::apply(Arith op, Register to, Register by, ValueId distance) {
  code_.alu32(operation(op), to, by);
  if ((op != Arith::Lsh && op != Arith::Rsh) || ranges_.of(distance).high < 32) return;
  const Label fits = code_.label();
  code_.jump({.relation = op::JLT, .left = by, .k = 32}, fits);
  code_.set(to, 0);
  code_.bind(fits);
}

/// The graph of a choice in line: its leaves put what was chosen into the choice's home and go on behind it.
Register Select::choose(ValueId v) {
  Place join;
  Graph g = graph_of(program_[v].root());
  g.choice = v;
  g.join = &join;
  go_to(g, program_[v].root());
  select(g);
  if (join.reached) begin(join);  // otherwise what follows has no way in, and is left out in the end
  const Register r = take();
  code_.load(r, home(v), 0, 8);
  return r;
}

Register Select::whole_length() {
  const Register r = take();
  if (length_slot_) code_.load(r, *length_slot_, 0, 8);
  else if (reach_ != Reach::Pointers && !is_alone_) code_.move(r, length), uses_length_ = true;
  else ask_length(r);
  machine_.registers[r] = {};
  return r;
}

/// In a register that stays as it is.
Register Select::length_at_hand() {
  uses_length_ = true;
  if (!is_alone_) return length;
  const Register r = take();
  ask_length(r);
  return r;
}

Register Select::metadata(ValueId id) {
  const Meta what = program_[id].meta();
  const Register r = take();
  if (row_.packets == Packets::Probe) return traced_metadata(id, r);
  if (const auto row = metadata_row(row_.context, what)) {
    code_.load(r, context_, row->offset, 4);
    if (row->network_order) code_.swap(r, 2);
  } else {
    refuse(id);
  }
  return r;
}

/// A hook that does not know what is asked.
void Select::refuse(ValueId id) {
  if (trouble_) return;
  trouble_ = Diagnostic{weir::Code::Unsupported, program_.span(id),
                        fmt::format("programs of hook {} cannot ask for {}", to_string(options_.hook), words_of(program_[id].meta())),
                        "leave it out, or attach where the kernel tells it: --hook=tc-ingress"};
}

}  // namespace weir::ebpf
