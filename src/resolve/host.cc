#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/quotable.hpp"
#include "resolve/families.hpp"
#include "wire/protocol.hpp"

namespace weir::resolve {
namespace {

using ast::Direction;
using ast::Protocol;

/// Where a protocol keeps the two IPv4 addresses, from the start of its header.
struct AddressOffsets { std::uint32_t source, destination; };
constexpr AddressOffsets ip_addresses{12, 16};   // RFC 791 §3.1
constexpr AddressOffsets arp_addresses{14, 24};  // RFC 826, for 6-byte hardware addresses
constexpr AddressOffsets ip6_addresses{8, 24};   // RFC 8200 §3

/// One test a direction, joined as the qualifier says.
template <class TestAt>
ExprId in_direction(const Site& s, Direction d, AddressOffsets at, TestAt test) {
  switch (d) {
    case Direction::Src: return test(at.source);
    case Direction::Dst: return test(at.destination);
    case Direction::SrcAndDst: {
      const ExprId source = test(at.source);
      return all(s, {source, test(at.destination)});
    }
    default: {
      const ExprId source = test(at.source);
      return any(s, {source, test(at.destination)});
    }
  }
}

/// One test a range; mostly there is one range.
template <class Range, class TestOf>
ExprId any_range(const Site& s, std::span<const Range> ranges, TestOf test) {
  if (ranges.size() == 1) return test(ranges.front());
  std::vector<ExprId> tests;
  for (const Range& r : ranges) tests.push_back(test(r));
  return any(s, tests);
}

Test ipv4_in(const Site& s, Protocol p, Direction d, std::span<const Ipv4Range> ranges, bool negated) {
  const std::uint32_t type = p == Protocol::Ip    ? wire::ethertype::Ip
                             : p == Protocol::Arp ? wire::ethertype::Arp
                                                  : wire::ethertype::Revarp;
  WEIR_TRY(protocol, link_protocol(s, type));
  const ExprId found = any_range(s, ranges, [&](const Ipv4Range& r) {
    return in_direction(s, d, p == Protocol::Ip ? ip_addresses : arp_addresses, [&](std::uint32_t offset) {
      return masked(s, in_network(s, offset, 4), r.mask, r.address);
    });
  });
  return all(s, {protocol, negated ? no(s, found) : found});
}

ExprId ipv6_in(const Site& s, Direction d, const Ipv6Range& r) {
  return in_direction(s, d, ip6_addresses, [&](std::uint32_t offset) {
    std::array<ExprId, 4> words;
    std::size_t count = 0;
    for (std::uint32_t i = 0; i < 4; ++i)
      if (r.mask[i]) words[count++] = masked(s, in_network(s, offset + 4 * i, 4), r.mask[i], r.address[i]);
    return all(s, std::span(words).first(count));
  });
}

Ipv6Range exactly(const names::Ipv6& address) {
  Ipv6Range r{{}, {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}};
  for (std::size_t i = 0; i < 16; ++i) r.address[i / 4] = r.address[i / 4] << 8 | address[i];
  return r;
}

/// Look-ups know nothing of the text: give their errors the place of the name.
Diagnostic at(Span span, Diagnostic d) {
  d.span = span;
  return d;
}

std::unexpected<Diagnostic> unknown_host(const ast::Id& id, bool other_family) {
  return fail(
      Code::Name, id.span,
      fmt::format("unknown host '{}'{}", quotable(id.text), other_family ? " for specified address family" : ""),
      other_family ? "the name has addresses, but none that this qualifier can match" : "check the name, or give an address");
}

bool skips_ipv6(Protocol p) { return p == Protocol::Arp || p == Protocol::Ip || p == Protocol::Rarp; }

Result<std::vector<ExprId>> by_addresses(const Site& s, const ast::Qualifiers& q, const names::Addresses& found) {
  std::vector<ExprId> tests;
  if (q.protocol != Protocol::Ip6 && !found.ipv4.empty()) {
    std::vector<Ipv4Range> ranges;
    for (const std::uint32_t a : found.ipv4) ranges.push_back({a, 0xffffffff});
    WEIR_TRY(test, ipv4_hosts(s, q, ranges, false, "host <Internet hostname>"));
    tests.push_back(test);
  }
  if (!skips_ipv6(q.protocol) && !found.ipv6.empty()) {
    std::vector<Ipv6Range> ranges;
    for (const names::Ipv6& a : found.ipv6) ranges.push_back(exactly(a));
    WEIR_TRY(test, ipv6_hosts(s, q, ranges, "host <Internet hostname>"));
    tests.push_back(test);
  }
  return tests;
}

}  // namespace

std::optional<Diagnostic> no_wlan_direction(const ast::Qualifiers& q) {
  if (q.direction < Direction::Addr1) return std::nullopt;
  return Diagnostic{Code::Qualifier, q.span,
                    fmt::format("'{}' is valid for 802.11 syntax only", keyword(q.direction)),
                    "it needs a MAC address and a wireless link type, as in 'wlan addr1 00:11:22:33:44:55'"};
}

Test ipv4_hosts(const Site& s, const ast::Qualifiers& q, std::span<const Ipv4Range> ranges, bool negated,
                std::string_view what) {
  if (auto wrong = no_wlan_direction(q)) return std::unexpected(*wrong);
  switch (q.protocol) {
    case Protocol::Ip:
    case Protocol::Arp:
    case Protocol::Rarp: return ipv4_in(s, q.protocol, q.direction, ranges, negated);
    case Protocol::None: break;
    default: return invalid_qualifier(s.span, keyword(q.protocol), what);
  }
  WEIR_TRY(ip, ipv4_in(s, Protocol::Ip, q.direction, ranges, negated));
  if (s.layers.mpls_labels > 0) return ip;  // ARP cannot be told apart there
  WEIR_TRY(arp, ipv4_in(s, Protocol::Arp, q.direction, ranges, negated));
  WEIR_TRY(rarp, ipv4_in(s, Protocol::Rarp, q.direction, ranges, negated));
  return any(s, {ip, arp, rarp});
}

Test ipv6_hosts(const Site& s, const ast::Qualifiers& q, std::span<const Ipv6Range> ranges, std::string_view what) {
  if (auto wrong = no_wlan_direction(q)) return std::unexpected(*wrong);
  if (q.protocol != Protocol::None && q.protocol != Protocol::Ip6)
    return invalid_qualifier(s.span, keyword(q.protocol), what);
  WEIR_TRY(ip6, link_protocol(s, wire::ethertype::Ip6));
  return all(s, {ip6, any_range(s, ranges, [&](const Ipv6Range& r) { return ipv6_in(s, q.direction, r); })});
}

Test host_by_name(const Site& s, const ast::Qualifiers& q, const ast::Id& id) {
  auto found = s.names.host(id.text);
  if (!found) return std::unexpected(at(id.span, std::move(found.error())));
  if (found->ipv4.empty() && found->ipv6.empty()) return unknown_host(id, false);
  WEIR_TRY(tests, by_addresses(s, q, *found));
  if (tests.empty()) return unknown_host(id, q.protocol != Protocol::None);
  return any(s, tests);
}

Test net_by_name(const Site& s, const ast::Qualifiers& q, const ast::Id& id) {
  auto found = s.names.network(id.text);
  if (!found) return std::unexpected(at(id.span, std::move(found.error())));
  std::uint32_t address = found->value_or(0), mask = 0xffffffff;
  if (address == 0)
    return fail(Code::Name, id.span, fmt::format("unknown network '{}'", quotable(id.text)), "give its prefix, as in 'net 10.0.0.0/8'");
  for (; (address & 0xff000000) == 0; address <<= 8) mask <<= 8;
  const Ipv4Range range{address, mask};
  return ipv4_hosts(s, q, {&range, 1}, false, "net <IPv4 network name>");
}

/// `gateway G`: G's hardware address with an IPv4 address that is not G's.
Test gateway(const Site& s, const ast::Qualifiers& q, const ast::Id& id) {
  if (q.protocol != Protocol::None && q.protocol != Protocol::Ip && q.protocol != Protocol::Arp && q.protocol != Protocol::Rarp)
    return invalid_qualifier(s.span, keyword(q.protocol), "gateway");
  if (s.layers.mpls_labels > 0) return fail(Code::LinkType, s.span, "'gateway' cannot be used within MPLS");
  if (s.layers.encapsulated) return fail(Code::LinkType, s.span, "'gateway' cannot be used within VXLAN or Geneve");
  const ast::Qualifiers either{q.protocol, Direction::SrcOrDst, q.type, q.span};
  WEIR_TRY(hardware, mac48_by_name(s, either, id, "gateway"));
  auto found = s.names.host(id.text);
  if (!found) return std::unexpected(at(id.span, std::move(found.error())));
  if (found->ipv4.empty()) return unknown_host(id, false);
  std::vector<Ipv4Range> ranges;
  for (const std::uint32_t a : found->ipv4) ranges.push_back({a, 0xffffffff});
  WEIR_TRY(others, ipv4_hosts(s, either, ranges, true, "gateway"));
  return all(s, {hardware, others});
}

}  // namespace weir::resolve
