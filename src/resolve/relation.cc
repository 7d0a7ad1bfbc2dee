#include <fmt/format.h>

#include "resolve/families.hpp"
#include "wire/protocol.hpp"

namespace weir::resolve {
namespace {

using ast::Compare;
using ast::Protocol;

/// A value, and the tests that its accessors imply (`tcp[…]`: this is TCP over IPv4, and not a later fragment).
struct Guarded {
  ValueId value;
  std::vector<ExprId> guards;
};

std::optional<std::uint32_t> number(const Site& s, ValueId v) {
  const pred::Value& value = s.filter[v];
  return value.kind == pred::ValueKind::Constant ? std::optional(value.k) : std::nullopt;
}

Result<Guarded> resolve_value(const Site& s, const ast::Value& v);

// ---- accessors -----------------------------------------------------------------------------------

/// Where the bytes of an accessor are counted from, and what must hold for them to be there.
struct Base {
  Offset offset;
  std::optional<ExprId> guard;
  bool is_ipv4_first = false;  ///< before the tests of what is written within the brackets, as libpcap asks
};

Result<Base> network_base(const Site& s, Protocol p) {
  WEIR_TRY(guard, abbreviation(s, p));
  return Base{network_header(s.layers), guard};
}

Result<Base> ipv4_transport_base(const Site& s, Protocol p) {
  WEIR_TRY(ip, link_protocol(s, wire::ethertype::Ip));
  return Base{ipv4_payload(s), all(s, {ip, ipv4_protocol(s, *ip_number(p)), first_fragment(s)}), true};
}

Result<Base> icmp6_base(const Site& s) {
  WEIR_TRY(ip6, link_protocol(s, wire::ethertype::Ip6));
  const Offset network = network_header(s.layers);
  return Base{{network.variable, network.constant + ipv6_header},
              all(s, {ip6, ipv6_protocol(s, wire::ip_protocol::Icmp6)})};
}

Result<Base> base_of(const Site& s, Protocol p, Span span) {
  switch (p) {
    case Protocol::Link: return Base{s.layers.link_header, std::nullopt};
    case Protocol::Radio:
      if (s.layers.layout().prefix == wire::Prefix::None || s.layers.layout().prefix == wire::Prefix::Ppi)
        return fail(Code::LinkType, span, "radio information not present in capture", "it needs a link type such as IEEE802_11_RADIO");
      return Base{{}, std::nullopt};
    case Protocol::Ip:
    case Protocol::Ip6:
    case Protocol::Arp:
    case Protocol::Rarp:
    case Protocol::Atalk:
    case Protocol::Decnet:
    case Protocol::Sca:
    case Protocol::Lat:
    case Protocol::Moprc:
    case Protocol::Mopdl: return network_base(s, p);
    case Protocol::Tcp:
    case Protocol::Udp:
    case Protocol::Sctp:
    case Protocol::Icmp:
    case Protocol::Igmp:
    case Protocol::Igrp:
    case Protocol::Pim:
    case Protocol::Vrrp:
    case Protocol::Carp: return ipv4_transport_base(s, p);
    case Protocol::Icmp6: return icmp6_base(s);
    default:
      return fail(Code::Qualifier, span, fmt::format("'{}' does not support the index operation", keyword(p)),
                  "count from a header that does, such as ether, ip, ip6, tcp or udp");
  }
}

/// The sum of a written offset and what is known at run time wraps; the header's constant offset is added without wrap.
ValueId load_at(const Site& s, Offset base, ValueId offset, std::uint32_t size) {
  pred::Filter& f = s.filter;
  if (base.variable != pred::no_value) return f.load(size, f.binary(Arith::Add, offset, base.variable), base.constant);
  const auto k = number(s, offset);
  if (k && *k <= 0xffffffff - base.constant) return f.load(size, pred::no_value, *k + base.constant);
  return f.load(size, offset, base.constant);
}

Result<Guarded> cooked_field(const Site& s, const Guarded& offset, std::uint32_t size, Span span) {
  const auto k = number(s, offset.value);
  const auto field = k ? shown_by_kernel(s, *k, size) : std::nullopt;
  if (!field) return not_shown_by_kernel(span);
  return Guarded{*field, offset.guards};
}

Result<Guarded> accessor(const Site& s, const ast::Accessor& a, Span span) {
  WEIR_TRY(offset, resolve_value(s, *a.offset));
  if (a.size != 1 && a.size != 2 && a.size != 4)
    return fail(Code::Range, a.size_span, "data size must be 1, 2, or 4", fmt::format("{} bytes cannot be loaded at once", a.size));
  if (a.protocol == Protocol::Link && s.layers.cooked) return cooked_field(s, offset, a.size, span);
  WEIR_TRY(base, base_of(s, a.protocol, span));
  std::vector<ExprId> guards = std::move(offset.guards);
  if (base.is_ipv4_first && !guards.empty()) {  // those may ask for bytes that a packet cut off has not, where this can be told
    WEIR_TRY(ip, link_protocol(s, wire::ethertype::Ip));
    guards.insert(guards.begin(), ip);
  }
  if (base.guard) guards.push_back(*base.guard);
  return Guarded{load_at(s, base.offset, offset.value, a.size), std::move(guards)};
}

// ---- arithmetic ----------------------------------------------------------------------------------

/// What can never be evaluated is refused, wherever its constant came from.
std::optional<Diagnostic> never_evaluates(const Site& s, Arith op, ValueId right, Span span) {
  const auto k = number(s, right);
  if (!k) return std::nullopt;
  if (op == Arith::Div && *k == 0) return Diagnostic{Code::Arithmetic, span, "division by zero", {}};
  if (op == Arith::Mod && *k == 0) return Diagnostic{Code::Arithmetic, span, "modulus by zero", {}};
  if ((op == Arith::Lsh || op == Arith::Rsh) && *k > 31)
    return Diagnostic{Code::Arithmetic, span, "shift by more than 31 bits", {}};
  return std::nullopt;
}

/// Guards of the right operand are dropped, as in libpcap: `1 + ip[9] = 7` also looks at what is not IPv4.
Result<Guarded> binary(const Site& s, const ast::Binary& b) {
  WEIR_TRY(left, resolve_value(s, *b.left));
  WEIR_TRY(right, resolve_value(s, *b.right));
  if (auto wrong = never_evaluates(s, b.op, right.value, b.right->span)) return std::unexpected(*wrong);
  const auto x = number(s, left.value), y = number(s, right.value);
  if (x && y) return Guarded{s.filter.constant(*apply(b.op, *x, *y)), std::move(left.guards)};
  return Guarded{s.filter.binary(b.op, left.value, right.value), std::move(left.guards)};
}

Result<Guarded> negate(const Site& s, const ast::Negate& n) {
  WEIR_TRY(operand, resolve_value(s, *n.operand));
  const auto k = number(s, operand.value);
  return Guarded{k ? s.filter.constant(0u - *k) : s.filter.negate(operand.value), std::move(operand.guards)};
}

Result<Guarded> resolve_value(const Site& s, const ast::Value& v) {
  if (const auto* n = std::get_if<ast::Number>(&v.node)) return Guarded{s.filter.constant(n->value), {}};
  if (std::holds_alternative<ast::Length>(v.node)) return Guarded{packet_length(s), {}};
  if (const auto* a = std::get_if<ast::Accessor>(&v.node)) return accessor(s, *a, v.span);
  if (const auto* n = std::get_if<ast::Negate>(&v.node)) return negate(s, *n);
  return binary(s, std::get<ast::Binary>(v.node));
}

ExprId compare(const Site& s, Compare op, ValueId a, ValueId b) {
  const auto test = [&](Relation r) { return s.filter.compare(r, a, b, s.span); };
  switch (op) {
    case Compare::Equal: return test(Relation::Equal);
    case Compare::NotEqual: return no(s, test(Relation::Equal));
    case Compare::Greater: return test(Relation::Greater);
    case Compare::LessEqual: return no(s, test(Relation::Greater));
    case Compare::GreaterEqual: return test(Relation::GreaterEqual);
    case Compare::Less: return no(s, test(Relation::GreaterEqual));
  }
  return test(Relation::Equal);
}

}  // namespace

/// The right side's guards are asked first, then the left side's, then the relation itself.
Test relation(const Site& s, const ast::Relation& r) {
  WEIR_TRY(left, resolve_value(s, r.left));
  WEIR_TRY(right, resolve_value(s, r.right));
  std::vector<ExprId> tests = std::move(right.guards);
  tests.insert(tests.end(), left.guards.begin(), left.guards.end());
  tests.push_back(compare(s, r.op, left.value, right.value));
  return all(s, tests);
}

}  // namespace weir::resolve
