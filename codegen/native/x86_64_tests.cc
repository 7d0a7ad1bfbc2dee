// Tests: comparisons that leave their answer in the flags.
#include "native/x86_64.hpp"

namespace weir::native::x86_64 {

using namespace ir;

Select::Condition Select::flags(const Node& n) {
  Condition c{};
  const auto k = constant_of(program_, n.b);
  if (k && flags_of_bytes(n.relation(), n.a, *k, c)) return c;
  switch (n.relation()) {
    case Relation::Equal: c = Condition::Equal; break;
    case Relation::Greater: c = Condition::Above; break;
    case Relation::GreaterEqual: c = Condition::AboveEqual; break;
    case Relation::Bits: c = Condition::NotEqual; break;
  }
  if (k) {
    if (program_[n.a].kind == ValueKind::Length && !is_held(n.a, false)) {
      if (n.relation() == Relation::Bits) test(length(), *k);
      else cmp(length(), *k);
      return c;
    }
    const Register a = value(n.a);
    if (n.relation() == Relation::Bits) test(r32(a), *k);
    else if (*k == 0 && n.relation() == Relation::Equal) test(r32(a), r32(a));
    else cmp(r32(a), *k);
    return c;
  }
  const Register a = value(n.a);
  if (unpinned() < 3 && !is_at_hand(n.b)) {
    const auto kept = dword[stack_word(next_word_++)];
    mov(kept, r32(a));
    const Register b = value(n.b);
    --next_word_;
    if (n.relation() == Relation::Bits) test(kept, r32(b));
    else cmp(kept, r32(b));
    return c;
  }
  ++pins_[a];
  const Register b = value(n.b);
  --pins_[a];
  if (n.relation() == Relation::Bits) test(r32(a), r32(b));
  else cmp(r32(a), r32(b));
  return c;
}

/// Whether the value is a load compared with a constant, perhaps through a mask: then the bytes need not be put in order,
/// nor, when nobody else wants them, into a register.
bool Select::flags_of_bytes(Relation relation, ValueId a, std::uint32_t k, Condition& c) {
  const Value* v = &program_[a];
  if (is_held(a, false) || (relation != Relation::Equal && relation != Relation::Bits)) return false;
  ValueId load = a;
  std::uint32_t mask = 0xffffffff;
  if (v->kind == ValueKind::Binary && v->arith() == Arith::And) {
    const auto m = constant_of(program_, v->b);
    if (!m) return false;
    mask = *m;
    load = v->a;
    v = &program_[load];
    if (is_held(load, false) && v->size() != 1) return false;
  }
  if (v->kind != ValueKind::Load) return false;
  const std::uint32_t size = v->size();
  mask &= highest(size);
  if (relation == Relation::Bits) {
    mask &= k;
    k = 0;
    c = Condition::NotEqual;
  } else {
    if ((k & ~mask) != 0) return false;
    c = Condition::Equal;
  }
  const std::uint32_t m = swapped(mask, size), wanted = swapped(k, size);
  const bool whole = mask == highest(size), in_register = plan_.uses(load) > 1 || is_held(load, size != 1);
  const Xbyak::RegExp where = in_register ? Xbyak::RegExp() : address(v->a, v->k, rdi);
  const Xbyak::Reg32 r = in_register ? r32(raw(load)) : eax;
  const Xbyak::Address memory = size == 1 ? byte[where] : size == 2 ? word[where] : dword[where];
  if (!whole && wanted != 0) {
    if (in_register) mov(eax, r);
    else if (size == 4) mov(eax, memory);
    else movzx(eax, memory);
    and_(eax, m);
    cmp(eax, wanted);
  } else if (in_register) {
    if (whole && relation == Relation::Equal) cmp(r, wanted);
    else test(r, m);
  } else {
    if (whole && relation == Relation::Equal) cmp(memory, sign_extended(wanted, size));
    else test(memory, m);
  }
  return true;
}

}  // namespace weir::native::x86_64
