#include <fmt/format.h>

#include "resolve/families.hpp"

namespace weir::resolve {
namespace {

/// if_packet.h: PACKET_OUTGOING.
constexpr std::uint32_t outgoing = 4;

std::optional<Diagnostic> needs_live_capture(const Site& s, std::string_view word) {
  if (s.target.linux_ext) return std::nullopt;
  return Diagnostic{
      Code::LinkType, s.span,
      fmt::format("not a live capture, '{}' not supported on DLT_{} ({})", word, s.layers.link->name, s.layers.link->description),
      s.target.savefile == wire::Savefile::None ? "only the kernel knows: --linux-ext compiles for a live capture, weir attach "
                                                  "asks it at traffic control (--hook=tc-ingress)"
                                                : "a savefile of this link type does not say; weir capture asks the kernel"};
}

}  // namespace

Test length_test(const Site& s, const ast::LengthTest& t) {
  return t.greater ? at_least(s, packet_length(s), t.value) : at_most(s, packet_length(s), t.value);
}

Test byte_test(const Site& s, const ast::ByteTest& t) {
  if (t.value > 255) return out_of_range(t.value_span, "byte argument", t.value, 255);
  if (s.layers.cooked && !shown_by_kernel(s, t.offset, 1)) return not_shown_by_kernel(s.span);
  const ValueId byte = in_link_header(s, t.offset, 1);
  switch (t.op) {
    case ast::ByteOp::Equal: return equals(s, byte, t.value);
    case ast::ByteOp::Less: return no(s, at_least(s, byte, t.value));
    case ast::ByteOp::Greater: return test(s, Relation::Greater, byte, t.value);
    case ast::ByteOp::And: return any_bit(s, byte, t.value);
    case ast::ByteOp::Or: return no(s, equals(s, s.filter.binary(Arith::Or, byte, s.filter.constant(t.value)), 0));
  }
  return truth(s, false);
}

Test inbound(const Site& s, const ast::Inbound& i) {
  const wire::Direction& d = s.layers.layout().direction;
  if (d.size > 0) {
    const ValueId field = in_link_header(s, d.offset, d.size);
    const ExprId out = masked(s, field, d.mask, d.outbound);
    if (i.outbound) return out;
    return d.inbound ? masked(s, field, d.inbound_mask, *d.inbound) : no(s, out);
  }
  if (auto wrong = needs_live_capture(s, i.outbound ? "outbound" : "inbound")) return std::unexpected(*wrong);
  const ExprId out = equals(s, s.filter.meta(Meta::PacketType), outgoing);
  return i.outbound ? out : no(s, out);
}

Test ifindex(const Site& s, const ast::Ifindex& i) {
  if (const auto interface = s.layers.layout().interface) return equals(s, in_link_header(s, *interface, 4), i.value);
  if (auto wrong = needs_live_capture(s, "ifindex")) return std::unexpected(*wrong);
  return equals(s, s.filter.meta(Meta::InterfaceIndex), i.value);
}

}  // namespace weir::resolve
