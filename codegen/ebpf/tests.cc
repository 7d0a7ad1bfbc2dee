// What a test asks, as the comparison of a jump.
#include "ebpf/raw.hpp"
#include "ebpf/select.hpp"

namespace weir::ebpf {

using namespace ir;

namespace {

std::uint8_t jump_of(Relation r) {
  switch (r) {
    case Relation::Equal: return op::JEQ;
    case Relation::Greater: return op::JGT;
    case Relation::GreaterEqual: return op::JGE;
    case Relation::Bits: return op::JSET;
  }
  return op::JEQ;
}

}  // namespace

Condition Select::condition(const Node& n) {
  const auto k = constant_of(program_, n.b);
  if (k)
    if (const auto c = condition_of_bytes(n.relation(), n.a, *k)) return *c;
  if (k) return {.relation = jump_of(n.relation()), .left = value(n.a), .k = *k};
  const Two two = both(n.a, n.b);
  return {.relation = jump_of(n.relation()), .left = two.a, .right = two.b};
}

/// Where the value is a load compared with a constant, perhaps through a mask, its bytes need not be put in order.
std::optional<Condition> Select::condition_of_bytes(Relation relation, ValueId a, std::uint32_t k) {
  const Value* v = &program_[a];
  if (held(a, Machine::Form::Value) || (relation != Relation::Equal && relation != Relation::Bits)) return std::nullopt;
  ValueId load = a;
  std::uint32_t mask = 0xffffffff;
  if (v->kind == ValueKind::Binary && v->arith() == Arith::And) {
    const auto m = constant_of(program_, v->b);
    if (!m) return std::nullopt;
    mask = *m;
    load = v->a;
    v = &program_[load];
  }
  if (v->kind != ValueKind::Load || (!is_in_order(load) && held(load, Machine::Form::Value))) return std::nullopt;
  if (machine_.is_home(load)) return std::nullopt;
  const std::uint32_t size = v->size(), order = is_in_order(load) ? 1 : size;
  mask &= highest(size);
  if (relation == Relation::Bits) {
    mask &= k;
    return Condition{.relation = op::JSET, .left = raw(load), .k = as_raw(mask, order)};
  }
  if ((k & ~mask) != 0) return std::nullopt;
  Register r = raw(load);
  if (mask != highest(size)) {
    // Nothing but bits of the mask: one jump asks for all of them.
    r = take_over(r, load);
    code_.alu32(op::AND, r, as_raw(mask, order));
  }
  return Condition{.relation = op::JEQ, .left = r, .k = as_raw(k, order)};
}

}  // namespace weir::ebpf
