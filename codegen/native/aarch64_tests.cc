// Tests, one or several at once: what is compared with what.
#include "native/aarch64.hpp"

namespace weir::native::aarch64 {

using namespace ir;

namespace {

constexpr std::uint64_t highest_beside_flags = 31;  ///< in a `ccmp`

bool fits_comparison(std::uint64_t k) {
  const auto with_sign = static_cast<std::int64_t>(static_cast<std::int32_t>(k));
  return a64::Assembler::IsImmAddSub(with_sign) || a64::Assembler::IsImmAddSub(-with_sign);
}

/// A mask for what a load of so many bytes leaves in a register, as one that fits an instruction where one does: bits
/// beyond the load are 0 whatever the mask says.
std::uint32_t cheapest(std::uint32_t mask, std::uint32_t size) {
  const std::uint32_t beyond = mask | ~highest(size);
  return !a64::Assembler::IsImmLogical(mask, 32) && a64::Assembler::IsImmLogical(beyond, 32) ? beyond : mask;
}

}  // namespace

Question Select::comparison(const Node& n) {
  const auto k = constant_of(program_, n.b);
  if (k)
    if (auto q = comparison_of_bytes(n.relation(), n.a, *k)) return *q;
  Question q;
  switch (n.relation()) {
    case Relation::Equal: q.condition = a64::eq; break;
    case Relation::Greater: q.condition = a64::hi; break;
    case Relation::GreaterEqual: q.condition = a64::hs; break;
    case Relation::Bits: q.kind = Question::Kind::Bits, q.condition = a64::ne; break;
  }
  q.left = value(n.a);
  if (k) {
    q.k = *k;
    return q;
  }
  if (is_pooled(q.left) && pool_.unpinned() < most_wanted && !is_at_hand(n.b)) {
    const auto kept = stack_word(next_word_++);
    asm_->Str(w(q.left), kept);
    q.right = value(n.b);
    --next_word_;
    q.left = 4;
    asm_->Ldr(a64::w4, kept);
    return q;
  }
  pin(q.left);
  q.right = value(n.b);
  unpin(q.left);
  return q;
}

/// Where the value is a load compared with a constant, perhaps through a mask: then the bytes need not be put in order, nor,
/// when nobody else wants them, be kept.
std::optional<Question> Select::comparison_of_bytes(Relation relation, ValueId a, std::uint32_t k) {
  if (pool_.has(Held::value(a)) || (relation != Relation::Equal && relation != Relation::Bits)) return std::nullopt;
  ValueId load = a;
  std::uint32_t mask = 0xffffffff;
  if (const Value& v = program_[a]; v.kind == ValueKind::Binary && v.arith() == Arith::And) {
    const auto m = constant_of(program_, v.b);
    if (!m) return std::nullopt;
    mask = *m;
    load = v.a;
  }
  const Value& v = program_[load];
  if (v.kind != ValueKind::Load) return std::nullopt;
  const std::uint32_t size = v.size();
  mask &= highest(size);
  Question q;
  if (relation == Relation::Bits) {
    mask &= k;
    k = 0;
    q.condition = a64::ne;
  } else if ((k & ~mask) != 0) {
    return std::nullopt;
  }
  if (const auto ordered = held(Held::value(load))) {
    q.left = *ordered;
  } else {
    mask = swapped(mask, size);
    k = swapped(k, size);
    if (plan_.uses(load) > 1 || pool_.has(Held::raw(load))) {
      q.left = raw(load);
    } else {
      q.left = 4;
      fetch(4, size, pointer(v.a), v.k);
    }
  }
  q.k = k;
  if (mask == highest(size)) return q;
  mask = cheapest(mask, size);
  if (k == 0) {
    q.kind = Question::Kind::Bits;
    q.k = mask;
  } else {
    asm_->And(a64::w4, w(q.left), operand(mask));
    q.left = 4;
  }
  return q;
}

Question Select::settled(Question q, std::uint64_t most) {
  if (q.right || q.kind == Question::Kind::Flags) return q;
  const bool fits = q.kind == Question::Kind::Bits ? a64::Assembler::IsImmLogical(q.k, 32) : !q.wide && q.k <= most && fits_comparison(q.k);
  if (fits) return q;
  pin(q.left);
  q.right = number(q.k);
  unpin(q.left);
  return q;
}

// ---- several tests at once ---------------------------------------------------------------------------------

Question Select::ask_piece(const Piece& p, bool is_first) {
  const Reg base = pointer(p.base);
  Question q{.left = 4, .k = in_memory(p.value, p.size), .wide = p.size == 8};
  if (is_first) {
    pin(base);
    q = settled(q);
    unpin(base);
  } else if (q.wide) {
    q.right = 5;
    asm_->Mov(a64::x5, q.k);
  }
  fetch(4, p.size, base, p.at);
  return q;
}

/// What is at hand besides the packet when a load, or a part of one, is asked for.
ValueId Select::base_of(const Node& n) const {
  const Value& v = program_[n.a];
  const Value& load = program_[v.kind == ValueKind::Binary ? v.a : n.a];
  return load.kind == ValueKind::Load ? load.a : no_value;
}

/// A load, a mask, a look into a table; and without a jump, or anything that would touch the flags of tests before.
bool Select::is_cheap(const Node& n, const Node& first) {
  const Value* v = &program_[n.a];
  if (n.kind == NodeKind::Test) {
    if (!constant_of(program_, n.b)) return false;
    if (v->kind == ValueKind::Binary && v->arith() == Arith::And && constant_of(program_, v->b)) v = &program_[v->a];
  } else if (n.kind != NodeKind::Member || !is_straight(plans_.of(n).plan)) {
    return false;
  }
  return v->kind == ValueKind::Load && (v->a == no_value || v->a == base_of(first));
}

Question Select::ask_all(const Either& all) {
  const Reg packet = pointer(base_of(program_[all.links.front().node]));
  pin(packet);
  a64::Condition any{};
  for (const Either::Link& l : all.links) {
    const Node& n = program_[l.node];
    const bool is_first = &l == &all.links.front();
    if (!is_first) mark(program_.span(l.node));
    Question q = n.kind == NodeKind::Member ? ask_member(n, std::nullopt) : comparison(n);
    if (!l.when) q = opposite(q);
    if (is_first) compare(settled(q));
    else compare_unless(any, settled(q, highest_beside_flags));
    any = q.condition;
  }
  unpin(packet);
  return {.kind = Question::Kind::Flags, .condition = any};
}

}  // namespace weir::native::aarch64
