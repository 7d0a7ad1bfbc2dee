#include "native/masked.hpp"

#include "native/bytes.hpp"

namespace weir::native {

using namespace ir;

std::optional<Masked> masked_load(const Program& p, ValueId id) {
  const Value* v = &p[id];
  std::uint32_t mask = 0xffffffff;
  if (v->kind == ValueKind::Binary && v->arith() == Arith::And) {
    const auto k = constant_of(p, v->b);
    if (!k) return std::nullopt;
    mask = *k;
    id = v->a;
    v = &p[id];
  }
  if (v->kind != ValueKind::Load) return std::nullopt;
  return Masked{id, mask & highest(v->size())};
}

std::optional<MaskedTest> masked_test(const Program& p, const Node& n) {
  const auto k = constant_of(p, n.b);
  const bool is_bits = n.relation() == Relation::Bits;
  if (!k || (!is_bits && n.relation() != Relation::Equal)) return std::nullopt;
  const auto part = masked_load(p, n.a);
  if (!part) return std::nullopt;
  const MaskedTest t{part->load, p[part->load].size(), is_bits ? part->mask & *k : part->mask, is_bits ? 0 : *k, is_bits};
  return (t.wanted & ~t.mask) == 0 ? std::optional(t) : std::nullopt;
}

}  // namespace weir::native
