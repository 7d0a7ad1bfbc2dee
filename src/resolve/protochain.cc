#include "resolve/families.hpp"
#include "wire/protocol.hpp"

namespace weir::resolve {
namespace {

namespace ipp = wire::ip_protocol;

/// Where a header of the chain starts (relative to the network header) and what it is.
struct Link {
  ValueId offset;
  ValueId protocol;
};

ValueId byte_at(const Site& s, ValueId offset, std::uint32_t plus) {
  return s.filter.load(1, offset, network_header(s.layers).constant + plus);
}

/// (byte 1 of the header + extra) * unit, as IPv6 extension headers (RFC 8200 §4.3) and AH (RFC 4302 §2.2) count.
ValueId header_length(const Site& s, ValueId offset, std::uint32_t extra, std::uint32_t unit) {
  pred::Filter& f = s.filter;
  const ValueId units = f.binary(Arith::Add, byte_at(s, offset, 1), f.constant(extra));
  return f.binary(Arith::Mul, units, f.constant(unit));
}

/// The header after this one. Behind AH libpcap takes the length alone as the new offset, and so does everyone who
/// means the same by `protochain`.
Link next(const Site& s, const Link& link) {
  pred::Filter& f = s.filter;
  const ValueId after_extension = f.binary(Arith::Add, header_length(s, link.offset, 1, 8), link.offset);
  const ValueId after_ah = header_length(s, link.offset, 2, 4);
  const ValueId offset = f.choice(equals(s, link.protocol, ipp::Ah), after_ah, after_extension);
  return {offset, byte_at(s, link.offset, 0)};
}

ExprId goes_on(const Site& s, const Link& link, bool ipv6) {
  const auto is = [&](std::uint8_t number) { return equals(s, link.protocol, number); };
  if (!ipv6) return is(ipp::Ah);
  return any(s, {is(ipp::HopByHop), is(ipp::DestOpts), is(ipp::Routing), is(ipp::Fragment), is(ipp::Ah)});
}

/// This header is the one, or it is one that another follows and one of those is. Unrolled from the end.
ExprId chain(const Site& s, Link first, std::uint32_t number, bool ipv6) {
  std::vector<Link> links{first};
  for (std::uint32_t i = 0; i < s.limits.protochain; ++i) links.push_back(next(s, links.back()));
  ExprId found = equals(s, links.back().protocol, number);
  for (std::size_t i = links.size() - 1; i-- > 0;)
    found = any(s, {equals(s, links[i].protocol, number), all(s, {goes_on(s, links[i], ipv6), found})});
  return found;
}

Test over(const Site& s, std::uint32_t number, bool ipv6) {
  WEIR_TRY(protocol, link_protocol(s, ipv6 ? wire::ethertype::Ip6 : wire::ethertype::Ip));
  if (ipv6) return all(s, {protocol, chain(s, {s.filter.constant(ipv6_header), in_network(s, 6, 1)}, number, true)});
  return all(s, {protocol, chain(s, {ipv4_payload(s).variable, in_network(s, 9, 1)}, number, false)});
}

}  // namespace

Test protochain(const Site& s, ast::Protocol p, std::uint32_t number) {
  if (p != ast::Protocol::None && p != ast::Protocol::Ip && p != ast::Protocol::Ip6)
    return invalid_qualifier(s.span, keyword(p), "protochain");
  if (number > 255) return out_of_range(s.span, "protocol number", number, 255);
  if (s.layers.payload.variable != pred::no_value)
    return fail(Code::LinkType, s.span, "'protochain' not supported with variable length headers",
                "'proto' looks at the first header only, and works here");
  if (p != ast::Protocol::None) return over(s, number, p == ast::Protocol::Ip6);
  WEIR_TRY(v4, over(s, number, false));
  WEIR_TRY(v6, over(s, number, true));
  return any(s, {v4, v6});
}

}  // namespace weir::resolve
