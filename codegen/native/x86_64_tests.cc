// Tests, one or several at once: comparisons that leave their answer in the flags.
#include "native/masked.hpp"
#include "native/x86_64.hpp"

namespace weir::native::x86_64 {

using namespace ir;

Condition Select::ask(const Node& n) {
  if (const auto c = ask_bytes(n)) return *c;
  Condition c{};
  const auto k = constant_of(program_, n.b);
  switch (n.relation()) {
    case Relation::Equal: c = Condition::Equal; break;
    case Relation::Greater: c = Condition::Above; break;
    case Relation::GreaterEqual: c = Condition::AboveEqual; break;
    case Relation::Bits: c = Condition::NotEqual; break;
  }
  if (k) {
    if (program_[n.a].kind == ValueKind::Length && !pool_.has(Held::value(n.a))) {
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
  if (pool_.unpinned() < most_wanted && !is_at_hand(n.b)) {
    const auto kept = dword[stack_word(next_word_++)];
    mov(kept, r32(a));
    const Register b = value(n.b);
    --next_word_;
    if (n.relation() == Relation::Bits) test(kept, r32(b));
    else cmp(kept, r32(b));
    return c;
  }
  pool_.pin(a);
  const Register b = value(n.b);
  pool_.unpin(a);
  if (n.relation() == Relation::Bits) test(r32(a), r32(b));
  else cmp(r32(a), r32(b));
  return c;
}

/// Bytes that are compared need not be put in order, nor, when nobody else wants them, into a register.
std::optional<Condition> Select::ask_bytes(const Node& n) {
  const auto t = masked_test(program_, n);
  if (!t || pool_.has(Held::value(n.a)) || (t->size != 1 && pool_.has(Held::value(t->load)))) return std::nullopt;
  const Value& v = program_[t->load];
  const std::uint32_t m = swapped(t->mask, t->size), wanted = swapped(t->wanted, t->size);
  const bool compares = t->mask == highest(t->size) && !t->opposite;
  const bool in_register = plan_.uses(t->load) > 1 || pool_.has(t->size != 1 ? Held::raw(t->load) : Held::value(t->load));
  const Xbyak::RegExp where = in_register ? Xbyak::RegExp() : address(v.a, v.k, rdi);
  const Xbyak::Reg32 r = in_register ? r32(raw(t->load)) : eax;
  const Xbyak::Address memory = t->size == 1 ? byte[where] : t->size == 2 ? word[where] : dword[where];
  if (!compares && wanted != 0) {
    if (in_register) mov(eax, r);
    else if (t->size == 4) mov(eax, memory);
    else movzx(eax, memory);
    and_(eax, m);
    cmp(eax, wanted);
  } else if (in_register) {
    if (compares) cmp(r, wanted);
    else test(r, m);
  } else {
    if (compares) cmp(memory, sign_extended(wanted, t->size));
    else test(memory, m);
  }
  return t->opposite ? Condition::NotEqual : Condition::Equal;
}

// ---- several tests at once ---------------------------------------------------------------------------------

Condition Select::ask_piece(const Piece& p, bool) {
  const Xbyak::RegExp where = address(p.base, p.at, rdi);
  const std::uint64_t wanted = in_memory(p.value, p.size);
  const auto k = static_cast<std::int64_t>(wanted);
  if (p.size == 8 && (k < 0 || k > 0x7fffffff)) {
    mov(rcx, wanted);
    cmp(qword[where], rcx);
  } else if (p.size == 8) {
    cmp(qword[where], static_cast<std::uint32_t>(k));
  } else if (p.size == 4) {
    cmp(dword[where], static_cast<std::uint32_t>(k));
  } else if (p.size == 2) {
    cmp(word[where], sign_extended(static_cast<std::uint32_t>(k), 2));
  } else {
    cmp(byte[where], static_cast<std::uint32_t>(k));
  }
  return Condition::Equal;
}

/// A load, a mask, one look into a table.
bool Select::is_cheap(const Node& n, const Node&) {
  if (n.kind == NodeKind::Member) {
    if (program_[n.a].kind != ValueKind::Load) return false;
    const SetPlan& plan = plans_.of(n).plan;
    // With displacements, two loads and more wait for one another: a branch lets the next packet begin meanwhile.
    const auto* h = std::get_if<SetPlan::Hash>(&plan.how);
    return is_straight(plan) && (h == nullptr || h->bucket_bits == 0);
  }
  return n.kind == NodeKind::Test && constant_of(program_, n.b) && masked_load(program_, n.a);
}

Condition Select::ask_all(const Either& all) {
  const Register any = pool_.take();
  for (const Either::Link& l : all.links) {
    const Node& n = program_[l.node];
    const bool is_first = &l == &all.links.front();
    if (!is_first) mark(program_.span(l.node));
    pool_.pin(any);
    Condition c = n.kind == NodeKind::Member ? ask_member(n, std::nullopt) : ask(n);
    pool_.unpin(any);
    if (!l.when) c = opposite(c);
    set(c, is_first ? r8(any) : al);
    if (!is_first) or_(r8(any), al);  // its flags are those of the answers so far
  }
  return Condition::NotEqual;
}

}  // namespace weir::native::x86_64
