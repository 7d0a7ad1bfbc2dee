#include "resolve/families.hpp"
#include "wire/protocol.hpp"

namespace weir::resolve {
namespace {

namespace ipp = wire::ip_protocol;

/// Where a header of the chain starts, at `offset` + `plus` behind the network header's start, and what it is.
struct Link {
  ValueId offset;
  std::uint32_t plus;
  ValueId protocol;
};

ValueId byte_at(const Site& s, const Link& link, std::uint32_t plus) {
  return s.filter.load(1, link.offset, network_header(s.layers).constant + link.plus + plus);
}

/// What each header but the first is behind its `offset`: lengths do not count the first 8 bytes of an IPv6 extension header
/// (RFC 8200 §4.3), or those of AH, where they count words of 4 bytes (RFC 4302 §2.2).
constexpr std::uint32_t not_counted = 8;

/// The header after this one. Behind AH libpcap takes the length alone as the new offset, and so does everyone who
/// means the same by `protochain`.
Link next(const Site& s, const Link& link, bool ipv6) {
  pred::Filter& f = s.filter;
  const auto counted = [&](std::uint32_t unit) { return f.binary(Arith::Mul, byte_at(s, link, 1), f.constant(unit)); };
  const auto after_extension = [&] {
    const ValueId end = f.binary(Arith::Add, counted(8), link.offset);
    return link.plus == 0 ? end : f.binary(Arith::Add, end, f.constant(link.plus));
  };
  const ValueId offset = ipv6 ? f.choice(equals(s, link.protocol, ipp::Ah), counted(4), after_extension()) : counted(4);
  return {offset, not_counted, byte_at(s, link, 0)};
}

ExprId goes_on(const Site& s, const Link& link, bool ipv6) {
  if (!ipv6) return equals(s, link.protocol, ipp::Ah);
  std::vector<Interval> headers;
  for (const std::uint32_t number : {ipp::HopByHop, ipp::Routing, ipp::Fragment, ipp::Ah, ipp::DestOpts})
    headers.push_back({number, number});
  return s.filter.member(link.protocol, Set::join(std::move(headers)), s.span);
}

/// This header is the one, or it is one that another follows and one of those is. Unrolled from the end.
ExprId chain(const Site& s, Link first, std::uint32_t number, bool ipv6) {
  std::vector<Link> links{first};
  for (std::uint32_t i = 0; i < s.limits.protochain; ++i) links.push_back(next(s, links.back(), ipv6));
  ExprId found = equals(s, links.back().protocol, number);
  for (std::size_t i = links.size() - 1; i-- > 0;)
    found = any(s, {equals(s, links[i].protocol, number), all(s, {goes_on(s, links[i], ipv6), found})});
  return found;
}

Test over(const Site& s, std::uint32_t number, bool ipv6) {
  WEIR_TRY(protocol, link_protocol(s, ipv6 ? wire::ethertype::Ip6 : wire::ethertype::Ip));
  if (ipv6) return all(s, {protocol, chain(s, {s.filter.constant(ipv6_header), 0, in_network(s, 6, 1)}, number, true)});
  return all(s, {protocol, chain(s, {ipv4_payload(s).variable, 0, in_network(s, 9, 1)}, number, false)});
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
