// Tests, one or several at once: what is compared with what.
#include "native/aarch64.hpp"
#include "native/masked.hpp"

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
  if (const auto q = comparison_of_bytes(n)) return *q;
  const auto k = constant_of(program_, n.b);
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

/// Bytes that are compared need not be put in order, nor, when nobody else wants them, be kept.
std::optional<Question> Select::comparison_of_bytes(const Node& n) {
  const auto t = masked_test(program_, n);
  if (!t || pool_.has(Held::value(n.a))) return std::nullopt;
  const Value& v = program_[t->load];
  std::uint32_t mask = t->mask;
  Question q{.k = t->wanted, .condition = t->opposite ? a64::ne : a64::eq};
  if (const auto ordered = held(Held::value(t->load))) {
    q.left = *ordered;
  } else {
    mask = swapped(mask, t->size);
    q.k = swapped(t->wanted, t->size);
    if (plan_.uses(t->load) > 1 || pool_.has(Held::raw(t->load))) {
      q.left = raw(t->load);
    } else {
      q.left = 4;
      fetch(4, t->size, pointer(v.a), v.k);
    }
  }
  if (mask == highest(t->size)) return q;
  mask = cheapest(mask, t->size);
  if (t->wanted == 0) {
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
  const auto part = masked_load(program_, n.a);
  return part ? program_[part->load].a : no_value;
}

/// A load, a mask, a look into a table; and without a jump, or anything that would touch the flags of tests before.
bool Select::is_cheap(const Node& n, const Node& first) {
  const bool is_masked = n.kind == NodeKind::Test && constant_of(program_, n.b) && masked_load(program_, n.a);
  const bool is_looked_up = n.kind == NodeKind::Member && program_[n.a].kind == ValueKind::Load && is_straight(plans_.of(n).plan);
  if (!is_masked && !is_looked_up) return false;
  const ValueId base = base_of(n);
  return base == no_value || base == base_of(first);
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
