#include <algorithm>
#include <bit>
#include <cstddef>

#include "native/x86_64.hpp"

namespace weir::native::x86_64 {

using namespace ir;

namespace {

/// Registers of the pool are r8 and those after it.
constexpr int first_of_pool = 8;

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

Select::Register Select::take_over(Register from, ValueId v) {
  if (!pool_.is_pinned(from) && plan_.uses(v) == 1) {
    pool_.forget(from);
    return from;
  }
  const Register to = take_beside(from);
  mov(r32(to), r32(from));
  return to;
}

Select::Register Select::take_beside(Register r) {
  pool_.pin(r);
  const Register other = pool_.take();
  pool_.unpin(r);
  return other;
}

void Select::store_home(Register r, ValueId v) {
  const auto home = plan_.home(v);
  if (!home || machine_.at_home >> *home & 1) return;
  mov(dword[stack_word(*home)], r32(r));
  machine_.at_home |= std::uint64_t{1} << *home;
}

/// Whether it takes no further register to have the value in one.
bool Select::is_at_hand(ValueId v) const { return pool_.has(Held::value(v)) || program_[v].kind == ValueKind::Constant; }

// ---- values ------------------------------------------------------------------------------------------------

/// The value in a register of the pool, where it stays until others need the room.
Select::Register Select::value(ValueId v) {
  if (const auto known = pool_.find(Held::value(v))) return *known;
  if (const auto home = plan_.home(v); home && machine_.at_home >> *home & 1) {
    const Register r = pool_.take();
    mov(r32(r), dword[stack_word(*home)]);
    pool_.hold(r, Held::value(v));
    return r;
  }
  const Register r = compute(v);
  pool_.hold(r, Held::value(v));
  store_home(r, v);
  return r;
}

/// A load as its bytes lie in memory.
Select::Register Select::raw(ValueId v) {
  if (program_[v].size() == 1) return value(v);  // one byte has no order
  if (const auto known = pool_.find(Held::raw(v))) return *known;
  const Register r = load(program_[v], true);
  pool_.hold(r, Held::raw(v));
  return r;
}

/// The length on the wire.
Xbyak::Address Select::length() {
  return loops() ? dword[cursor + records_.length] : dword[stack_word(length_word_)];
}

/// Something that the kernel knows. Takes rax.
Xbyak::Address Select::metadata(Meta m) {
  if (loops()) return dword[cursor + (records_.meta + metadata_place(m))];
  mov(rax, qword[stack_word(metadata_word_)]);
  return dword[rax + metadata_place(m)];
}

Select::Register Select::compute(ValueId id) {
  const Value& v = program_[id];
  switch (v.kind) {
    case ValueKind::Constant: {
      const Register r = pool_.take();
      if (v.k == 0) xor_(r32(r), r32(r));
      else mov(r32(r), v.k);
      return r;
    }
    case ValueKind::Load: return load(v, false);
    case ValueKind::Length: {
      const Register r = pool_.take();
      mov(r32(r), length());
      return r;
    }
    case ValueKind::Meta: {
      const Register r = pool_.take();
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
  if (!pool_.has(Held::value(base)) && b.kind == ValueKind::Binary && b.arith() == Arith::Lsh) {
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
  const Register r = pool_.take();
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
  const bool in_memory = !is_at_hand(second) && pool_.unpinned() < most_wanted;
  const std::uint32_t kept = next_word_;
  if (in_memory) {
    mov(dword[stack_word(next_word_++)], r32(one));
  } else {
    pool_.pin(one);
  }
  const Register two = value(second);
  if (in_memory) {
    pool_.pin(two);
    one = pool_.take();
    pool_.unpin(two);
    mov(r32(one), dword[stack_word(kept)]);
    --next_word_;
  } else {
    pool_.unpin(one);
  }
  return into_third(v.arith(), b_first ? two : one, b_first ? one : two);
}

/// a OP b in a register of its own; in that of an operand where there is no other.
Select::Register Select::into_third(Arith op, Register a, Register b) {
  const Register of_operand = pool_.is_pinned(a) ? b : a;
  pool_.pin(a);
  pool_.pin(b);
  const bool has_room = pool_.unpinned() != 0;
  const Register to = has_room ? pool_.take() : of_operand;
  pool_.unpin(a);
  pool_.unpin(b);
  if (has_room) {
    mov(r32(to), r32(a));
    apply(op, to, r32(b));
  } else {
    mov(ecx, r32(b));
    if (to != a) mov(r32(to), r32(a));
    pool_.forget(to);
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

Select::Register Select::choose(ValueId v) {
  select_choice(v);
  const Register r = pool_.take();
  mov(r32(r), dword[stack_word(*plan_.home(v))]);
  return r;
}

}  // namespace weir::native::x86_64
