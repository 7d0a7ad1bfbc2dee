#include "resolve/hints.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/quotable.hpp"

namespace weir::resolve {
namespace {

using ast::Direction;
using ast::Id;
using ast::IdKind;
using ast::Protocol;
using ast::Qualifiers;
using ast::Type;

bool is_prefix(const Id& id) { return id.kind == IdKind::Ipv4Prefix || id.kind == IdKind::Ipv4Mask || id.kind == IdKind::Ipv6Prefix; }
bool is_mac(const Id& id) { return id.kind == IdKind::Mac48 || id.kind == IdKind::Mac8; }
bool is_ipv6(const Id& id) { return id.kind == IdKind::Ipv6 || id.kind == IdKind::Ipv6Prefix; }
bool is_ipv4(const Id& id) { return id.kind == IdKind::Ipv4 || id.kind == IdKind::Ipv4Prefix || id.kind == IdKind::Ipv4Mask; }
/// A port or a range, by number or name.
bool is_port(const Qualifiers& q, const Id& id) {
  return (q.type == Type::Port || q.type == Type::Portrange) && (id.kind == IdKind::Number || id.kind == IdKind::Name);
}
bool is_network_protocol(Protocol p) {
  return p == Protocol::None || p == Protocol::Ip || p == Protocol::Ip6 || p == Protocol::Arp || p == Protocol::Rarp;
}

bool has_ports(Protocol p) { return p == Protocol::Tcp || p == Protocol::Udp || p == Protocol::Sctp; }
bool carries_transport(Protocol p) { return p == Protocol::Ip || p == Protocol::Ip6; }
bool carried_by_ip(Protocol p) {
  constexpr Protocol all[] = {Protocol::Tcp, Protocol::Udp, Protocol::Sctp, Protocol::Icmp, Protocol::Igmp, Protocol::Igrp,
                              Protocol::Pim, Protocol::Vrrp, Protocol::Carp, Protocol::Ah, Protocol::Esp, Protocol::Icmp6};
  return std::ranges::find(all, p) != std::end(all);
}

/// `PROTOCOL DIRECTION TYPE ID`, as far as there is something to say.
std::string phrase(Protocol p, Direction d, Type t, const Id& id) {
  std::string words;
  for (const char* word : {keyword(p), keyword(d), keyword(t)})
    if (*word) words += fmt::format("{} ", word);
  return words + written(id);
}

/// `10.0.0.1-10.0.0.9`, `80-90`: numbers on both sides of one hyphen.
bool is_range(const std::string& text) {
  return std::ranges::count(text, '-') == 1 && text.front() != '-' && text.back() != '-' &&
         text.find_first_not_of("0123456789.-") == text.npos;
}

bool is_gateway(const Qualifiers& q, const Id&) { return q.type == Type::Gateway; }
std::string say_gateway(const Qualifiers&, const Id&) {
  return "a gateway is given by a name that has a MAC address (/etc/ethers) and an IPv4 address (/etc/hosts); with addresses: "
         "'ether host 00:11:22:33:44:55 and not host 10.0.0.1'";
}

struct Row {
  Code error;
  bool (*applies)(const Qualifiers&, const Id&);
  std::string (*hint)(const Qualifiers&, const Id&);
};

/// The first row that applies speaks.
constexpr Row rows[] = {
    {Code::Name,
     [](const Qualifiers& q, const Id& id) { return id.kind == IdKind::Name && q.type == Type::Port && is_range(id.text); },
     [](const Qualifiers& q, const Id& id) {
       return fmt::format("a range is '{}'", phrase(q.protocol, q.direction, Type::Portrange, id));
     }},
    {Code::Name,
     [](const Qualifiers& q, const Id& id) { return id.kind == IdKind::Name && is_host_or_net(q.type) && is_range(id.text); },
     [](const Qualifiers&, const Id&) {
       return std::string("there are no ranges of addresses; networks have a prefix length, as in 'net 10.0.0.0/29', and lists "
                          "are joined with 'or', as in 'host (10.0.0.1 or 10.0.0.2)'");
     }},
    {Code::Qualifier,
     [](const Qualifiers& q, const Id& id) {
       return is_prefix(id) && (q.type == Type::Host || q.type == Type::None) && is_network_protocol(q.protocol);
     },
     [](const Qualifiers& q, const Id& id) {
       return fmt::format("a mask or prefix belongs to a network: '{}'", phrase(q.protocol, q.direction, Type::Net, id));
     }},
    {Code::Qualifier,
     [](const Qualifiers& q, const Id& id) {
       return is_host_or_net(q.type) && is_ipv6(id) && (q.protocol == Protocol::Arp || q.protocol == Protocol::Rarp);
     },
     [](const Qualifiers& q, const Id&) {
       return fmt::format("'{}' carries IPv4 addresses; neighbours in IPv6 are found with ICMPv6: "
                          "'icmp6[icmp6type] = icmp6-neighborsolicit'", keyword(q.protocol));
     }},
    {Code::Qualifier,
     [](const Qualifiers& q, const Id& id) { return is_host_or_net(q.type) && is_ipv6(id) && q.protocol == Protocol::Ip; },
     [](const Qualifiers& q, const Id& id) {
       return fmt::format("'ip' is IPv4; this address is one of IPv6: '{}'", phrase(Protocol::Ip6, q.direction, q.type, id));
     }},
    {Code::Qualifier,
     [](const Qualifiers& q, const Id& id) { return is_host_or_net(q.type) && is_ipv4(id) && q.protocol == Protocol::Ip6; },
     [](const Qualifiers& q, const Id& id) {
       return fmt::format("'ip6' is IPv6; this address is one of IPv4: '{}'", phrase(Protocol::Ip, q.direction, q.type, id));
     }},
    {Code::Qualifier,
     [](const Qualifiers& q, const Id& id) {
       const bool of_ip = (is_ipv4(id) || is_ipv6(id)) && q.direction < Direction::Addr1;
       return is_host_or_net(q.type) && q.protocol == Protocol::Link && of_ip;
     },
     [](const Qualifiers& q, const Id& id) {
       return fmt::format("this is an address of IP: '{}'", phrase(Protocol::None, q.direction, is_prefix(id) ? Type::Net : q.type, id));
     }},
    {Code::Qualifier,
     [](const Qualifiers& q, const Id&) {
       return is_host_or_net(q.type) && q.protocol == Protocol::Decnet && q.direction < Direction::Addr1;
     },
     [](const Qualifiers&, const Id&) {
       return std::string("DECnet addresses have the form AREA.NODE, as in 'decnet host 1.10'");
     }},
    {Code::Qualifier, is_gateway, say_gateway},
    {Code::Name, is_gateway, say_gateway},
    {Code::Name,
     [](const Qualifiers& q, const Id& id) {
       return is_host_or_net(q.type) && id.text.find_first_not_of("0123456789.") == id.text.npos;
     },
     [](const Qualifiers&, const Id&) { return std::string("an IPv4 address has four parts, as 10.0.0.1 has"); }},
    {Code::Qualifier, [](const Qualifiers& q, const Id& id) { return is_port(q, id) && q.direction >= Direction::Addr1; },
     [](const Qualifiers& q, const Id& id) {
       return fmt::format("ports are those of a source and a destination: '{}'", phrase(q.protocol, Direction::Src, q.type, id));
     }},
    {Code::Qualifier, [](const Qualifiers& q, const Id& id) { return is_port(q, id) && carries_transport(q.protocol); },
     [](const Qualifiers& q, const Id& id) {
       return fmt::format("only 'tcp', 'udp' and 'sctp' have ports; as two conditions: '{} and {}'", keyword(q.protocol),
                          phrase(Protocol::None, q.direction, q.type, id));
     }},
    {Code::Qualifier,
     [](const Qualifiers& q, const Id& id) { return is_port(q, id) && q.protocol != Protocol::None && !has_ports(q.protocol); },
     [](const Qualifiers& q, const Id&) {
       return fmt::format("only 'tcp', 'udp' and 'sctp' have ports, '{}' has none", keyword(q.protocol));
     }},
    {Code::Qualifier,
     [](const Qualifiers& q, const Id& id) {
       return q.type == Type::None && has_ports(q.protocol) && id.kind == IdKind::Number && id.value <= 0xffff;
     },
     [](const Qualifiers& q, const Id& id) {
       return fmt::format("for a port write '{}'", phrase(q.protocol, q.direction, Type::Port, id));
     }},
    {Code::Qualifier,
     [](const Qualifiers& q, const Id& id) {
       return is_host_or_net(q.type) && carried_by_ip(q.protocol) && q.direction < Direction::Addr1 && !is_mac(id);
     },
     [](const Qualifiers& q, const Id& id) {
       const Type type = q.type == Type::None ? Type::Host : q.type;
       return fmt::format("as two conditions: '{} and {}'", keyword(q.protocol), phrase(Protocol::None, q.direction, type, id));
     }},
};

}  // namespace

std::string written(const Id& id) {
  switch (id.kind) {
    case IdKind::Number: return std::to_string(id.value);
    case IdKind::Ipv4Prefix:
    case IdKind::Ipv6Prefix: return fmt::format("{}/{}", id.text, id.value);
    case IdKind::Ipv4Mask: return fmt::format("{} mask {}", id.text, id.mask);
    default: return quotable(id.text);
  }
}

std::string hint_about(const Qualifiers& q, const Id& id, const Diagnostic& error) {
  const auto row = std::ranges::find_if(rows, [&](const Row& r) { return r.error == error.code && r.applies(q, id); });
  return row == std::end(rows) ? std::string() : row->hint(q, id);
}

}  // namespace weir::resolve
