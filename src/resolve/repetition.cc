#include "resolve/repetition.hpp"

#include "resolve/families.hpp"

namespace weir::resolve {
namespace {

using ast::IdKind;

constexpr unsigned port_shape = 33;  // below: lengths of IPv4 prefixes

/// Never 0: no primitive is without a type and a direction.
std::uint32_t key_of(const ast::Qualifiers& q, unsigned shape) {
  return shape | static_cast<std::uint32_t>(q.protocol) << 8 | static_cast<std::uint32_t>(q.direction) << 16 |
         static_cast<std::uint32_t>(q.type) << 24;
}

}  // namespace

std::optional<Listed> listed(const ast::Qualifiers& q, const ast::Id& id) {
  if (id.kind == IdKind::Number && q.type == ast::Type::Port && id.value <= 0xffff) return Listed{id.value, key_of(q, port_shape)};
  if (id.kind != IdKind::Ipv4 && id.kind != IdKind::Ipv4Prefix) return std::nullopt;
  const auto network = ipv4_network(id);
  if (!network || q.protocol == ast::Protocol::Decnet) return std::nullopt;
  // `net 10` and `net 10.0.0.0/8` mean the same, but only one of `host 10` and `host 10.0.0.0/8` is right.
  if (id.kind == IdKind::Ipv4 && network->bits != 32) return std::nullopt;
  if (id.kind == IdKind::Ipv4Prefix && q.type != ast::Type::Net) return std::nullopt;
  return Listed{network->address, key_of(q, network->bits)};
}

std::optional<ExprId> Repetition::repeated(pred::Filter& f, Listed what, Span span) const {
  const Pattern& p = patterns_[place(what.key)];
  if (p.key != what.key || p.count == 0) return std::nullopt;
  const auto begin = static_cast<std::uint32_t>(f.expr_count());
  f.repeat(p.first, p.count, p.number, f.constant(what.number), span);
  return ExprId{begin + p.test};
}

/// Of the second of its kind, all numbers but its own have been there before: a constant that is new is its own.
void Repetition::learn(pred::Filter& f, Listed what, ExprId test, std::size_t first, std::size_t new_values) {
  Pattern& p = patterns_[place(what.key)];
  if (p.key != what.key) {
    p = {.key = what.key};
    return;
  }
  const ValueId number = f.constant(what.number);
  const auto at = static_cast<std::uint32_t>(test);
  if (static_cast<std::uint32_t>(number) < new_values || at < first) return;
  p = {what.key, static_cast<std::uint32_t>(f.expr_count() - first), ExprId{static_cast<std::uint32_t>(first)},
       static_cast<std::uint32_t>(at - first), number};
}

}  // namespace weir::resolve
