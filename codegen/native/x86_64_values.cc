#include <algorithm>
#include <bit>
#include <cstddef>

#include "native/x86_64.hpp"

namespace weir::native::x86_64 {

using namespace ir;

namespace {

/// Registers of the pool are r8 and those after it.
constexpr int first_of_pool = 8;

/// Where Metadata keeps it.
std::size_t metadata_place(Meta m) {
  switch (m) {
    case Meta::Protocol: return offsetof(Metadata, protocol);
    case Meta::PacketType: return offsetof(Metadata, packet_type);
    case Meta::InterfaceIndex: return offsetof(Metadata, interface_index);
    case Meta::VlanTag: return offsetof(Metadata, vlan_tag);
    case Meta::VlanTagPresent: return offsetof(Metadata, vlan_tag_present);
    case Meta::VlanProtocol: return offsetof(Metadata, vlan_protocol);
  }
  return 0;
}

bool commutes(Arith op) { return op == Arith::Add || op == Arith::Mul || op == Arith::And || op == Arith::Or || op == Arith::Xor; }

}  // namespace

Xbyak::Reg32 Select::r32(Register r) const { return Xbyak::Reg32(first_of_pool + static_cast<int>(r)); }
Xbyak::Reg8 Select::r8(Register r) const { return Xbyak::Reg8(first_of_pool + static_cast<int>(r)); }
Xbyak::Reg64 Select::r64(Register r) const { return Xbyak::Reg64(first_of_pool + static_cast<int>(r)); }

// ---- registers and words of the stack --------------------------------------------------------------------

Xbyak::RegExp Select::stack_word(std::uint32_t number) {
  most_words_ = std::max(most_words_, number + 1);
  if (frame_ != 0) return rsp + static_cast<std::size_t>(number) * 4;
  return rsp - (red_zone_words - std::min(number, red_zone_words - 1)) * 4;  // with more words the code is thrown away
}

/// A register whose content nobody relies on: an empty one, or that which was not asked for for the longest time.
Select::Register Select::take() {
  Register best = pool_size;
  for (Register r = 0; r < pool_size; ++r) {
    if (pins_[r] != 0) continue;
    if (machine_.registers[r].value == no_value) {
      best = r;
      break;
    }
    if (best == pool_size || stamps_[r] < stamps_[best]) best = r;
  }
  machine_.registers[best] = {};
  stamps_[best] = ++clock_;
  return best;
}

Select::Register Select::take_over(Register from, ValueId v) {
  if (pins_[from] == 0 && plan_.uses(v) == 1) {
    machine_.registers[from] = {};
    return from;
  }
  ++pins_[from];
  const Register to = take();
  --pins_[from];
  mov(r32(to), r32(from));
  return to;
}

void Select::hold(Register r, ValueId v, bool is_raw) {
  machine_.registers[r] = {v, is_raw};
  stamps_[r] = ++clock_;
  if (!is_raw) store_home(r, v);
}

void Select::store_home(Register r, ValueId v) {
  const auto home = plan_.home(v);
  if (!home || machine_.at_home >> *home & 1) return;
  mov(dword[stack_word(*home)], r32(r));
  machine_.at_home |= std::uint64_t{1} << *home;
}

std::size_t Select::unpinned() const { return static_cast<std::size_t>(std::ranges::count(pins_, 0u)); }

bool Select::is_held(ValueId v, bool is_raw) const {
  return std::ranges::find(machine_.registers, Machine::Held{v, is_raw}) != machine_.registers.end();
}

/// Whether it takes no further register to have the value in one.
bool Select::is_at_hand(ValueId v) const { return is_held(v, false) || program_[v].kind == ValueKind::Constant; }

// ---- values ------------------------------------------------------------------------------------------------

/// The value in a register of the pool, where it stays until others need the room.
Select::Register Select::value(ValueId v) {
  const auto held = std::ranges::find(machine_.registers, Machine::Held{v, false});
  if (held != machine_.registers.end()) {
    const auto r = static_cast<Register>(held - machine_.registers.begin());
    stamps_[r] = ++clock_;
    return r;
  }
  if (const auto home = plan_.home(v); home && machine_.at_home >> *home & 1) {
    const Register r = take();
    mov(r32(r), dword[stack_word(*home)]);
    hold(r, v);
    return r;
  }
  const Register r = compute(v);
  hold(r, v);
  return r;
}

/// A load as its bytes lie in memory.
Select::Register Select::raw(ValueId v) {
  const bool is_raw = program_[v].size() != 1;  // one byte has no order
  const auto held = std::ranges::find(machine_.registers, Machine::Held{v, is_raw});
  if (held != machine_.registers.end()) {
    const auto r = static_cast<Register>(held - machine_.registers.begin());
    stamps_[r] = ++clock_;
    return r;
  }
  const Register r = load(program_[v], true);
  hold(r, v, is_raw);
  return r;
}

/// The length on the wire.
Xbyak::Address Select::length() {
  return form_ == Form::Batch ? dword[cursor + offsetof(Packet, length)] : dword[stack_word(length_word_)];
}

/// Something that the kernel knows. Takes rax.
Xbyak::Address Select::metadata(Meta m) {
  if (form_ == Form::Batch) return dword[cursor + (offsetof(Packet, meta) + metadata_place(m))];
  mov(rax, qword[stack_word(metadata_word_)]);
  return dword[rax + metadata_place(m)];
}

Select::Register Select::compute(ValueId id) {
  const Value& v = program_[id];
  switch (v.kind) {
    case ValueKind::Constant: {
      const Register r = take();
      if (v.k == 0) xor_(r32(r), r32(r));
      else mov(r32(r), v.k);
      return r;
    }
    case ValueKind::Load: return load(v, false);
    case ValueKind::Length: {
      const Register r = take();
      mov(r32(r), length());
      return r;
    }
    case ValueKind::Meta: {
      const Register r = take();
      mov(r32(r), metadata(v.meta()));
      return r;
    }
    case ValueKind::Negate: {
      const Register r = take_over(value(v.a), v.a);
      neg(r32(r));
      return r;
    }
    case ValueKind::Binary: return binary(v);
    case ValueKind::Choice: return choose(id);
  }
  return 0;
}

/// base + displacement as an address. Both are below 2^32, and their sum is that of 64 bits: without wrap.
Xbyak::RegExp Select::address(ValueId base, std::uint64_t displacement, const Xbyak::RegExp& from) {
  Xbyak::RegExp where = from;
  const bool far = displacement > 0x7fffffff;
  if (base == no_value) {
    if (!far) return where + static_cast<std::size_t>(displacement);
    mov(rax, displacement);
    return where + rax;
  }
  // A header's length is often counted in words: the address multiplies.
  const Value& b = program_[base];
  int scale = 1;
  ValueId index = base;
  if (!is_held(base, false) && b.kind == ValueKind::Binary && b.arith() == Arith::Lsh) {
    const auto by = constant_of(program_, b.b);
    if (by && *by <= 3 && std::uint64_t{ranges_.of(b.a).high} << *by <= 0xffffffff) {
      scale = 1 << *by;
      index = b.a;
    }
  }
  const Register r = value(index);
  if (!far) return where + r64(r) * scale + static_cast<std::size_t>(displacement);
  mov(rax, displacement);
  lea(rax, ptr[rax + r64(r) * scale]);
  return where + rax;
}

Select::Register Select::load(const Value& v, bool is_raw) {
  const Xbyak::RegExp where = address(v.a, v.k, rdi);
  const Register r = take();
  switch (v.size()) {
    case 1: movzx(r32(r), byte[where]); break;
    case 2: movzx(r32(r), word[where]); break;
    default: mov(r32(r), dword[where]); break;
  }
  if (!is_raw && v.size() == 2) rol(Xbyak::Reg16(r32(r).getIdx()), 8);
  if (!is_raw && v.size() == 4) bswap(r32(r));
  return r;
}

Select::Register Select::binary(const Value& v) {
  if (const auto k = constant_of(program_, v.b)) return with_constant(v.arith(), v.a, *k);
  if (const auto k = constant_of(program_, v.a); k && commutes(v.arith())) return with_constant(v.arith(), v.b, *k);
  // The costlier operand first: it may need all registers.
  const bool b_first = plan_.cost(v.b) > plan_.cost(v.a);
  const ValueId first = b_first ? v.b : v.a, second = b_first ? v.a : v.b;
  Register one = value(first);
  const bool in_memory = !is_at_hand(second) && unpinned() < 3;
  const std::uint32_t kept = next_word_;
  if (in_memory) {
    mov(dword[stack_word(next_word_++)], r32(one));
  } else {
    ++pins_[one];
  }
  const Register two = value(second);
  if (in_memory) {
    ++pins_[two];
    one = take();
    --pins_[two];
    mov(r32(one), dword[stack_word(kept)]);
    --next_word_;
  } else {
    --pins_[one];
  }
  return into_third(v.arith(), b_first ? two : one, b_first ? one : two);
}

/// a OP b in a register of its own; in that of an operand where there is no other.
Select::Register Select::into_third(Arith op, Register a, Register b) {
  ++pins_[a];
  ++pins_[b];
  const bool has_room = unpinned() != 0;
  const Register to = has_room ? take() : pins_[a] == 1 ? a : b;
  --pins_[a];
  --pins_[b];
  if (has_room) {
    mov(r32(to), r32(a));
    apply(op, to, r32(b));
  } else {
    mov(ecx, r32(b));
    if (to != a) mov(r32(to), r32(a));
    machine_.registers[to] = {};
    apply(op, to, ecx);
  }
  return to;
}

Select::Register Select::with_constant(Arith op, ValueId a, std::uint32_t k) {
  const Register r = take_over(value(a), a);
  switch (op) {
    case Arith::Add: add(r32(r), k); break;
    case Arith::Sub: sub(r32(r), k); break;
    case Arith::And: and_(r32(r), k); break;
    case Arith::Or: or_(r32(r), k); break;
    case Arith::Xor: xor_(r32(r), k); break;
    case Arith::Mul:
      if (std::has_single_bit(k)) shl(r32(r), std::countr_zero(k));
      else imul(r32(r), r32(r), static_cast<int>(k));
      break;
    case Arith::Lsh:
      if (k < 32) shl(r32(r), static_cast<int>(k));
      else xor_(r32(r), r32(r));
      break;
    case Arith::Rsh:
      if (k < 32) shr(r32(r), static_cast<int>(k));
      else xor_(r32(r), r32(r));
      break;
    case Arith::Div:
    case Arith::Mod:
      mov(ecx, k);
      apply(op, r, ecx);
      break;
  }
  return r;
}

/// to = to OP by, as weir::apply has it. rax, rcx and rdx are free.
void Select::apply(Arith op, Register to, const Xbyak::Reg32& by) {
  const Xbyak::Reg32 a = r32(to);
  switch (op) {
    case Arith::Add: return add(a, by);
    case Arith::Sub: return sub(a, by);
    case Arith::Mul: return imul(a, by);
    case Arith::And: return and_(a, by);
    case Arith::Or: return or_(a, by);
    case Arith::Xor: return xor_(a, by);
    case Arith::Div:
    case Arith::Mod:
      mov(eax, a);
      xor_(edx, edx);
      div(by);
      mov(a, op == Arith::Div ? eax : edx);
      return;
    case Arith::Lsh:
    case Arith::Rsh:  // the machine takes the low five bits alone
      mov(ecx, by);
      if (op == Arith::Lsh) shl(a, cl);
      else shr(a, cl);
      xor_(eax, eax);
      cmp(ecx, 32);
      cmovae(a, eax);
      return;
  }
}

/// The graph of a choice in line: its leaves put what was chosen into the choice's word and go on behind it.
Select::Register Select::choose(ValueId v) {
  Place join;
  Graph g = graph_of(program_[v].root());
  g.choice = v;
  g.join = &join;
  go_to(g, program_[v].root());
  select(g);
  begin(join);
  const Register r = take();
  mov(r32(r), dword[stack_word(*plan_.home(v))]);
  return r;
}

}  // namespace weir::native::x86_64
