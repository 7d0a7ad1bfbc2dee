#include <charconv>

#include <fmt/format.h>

#include "base/quotable.hpp"
#include "resolve/families.hpp"
#include "wire/protocol.hpp"

namespace weir::resolve {
namespace {

using ast::Direction;
using ast::Protocol;
using wire::Addresses;

constexpr names::Mac everyone{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr const char* how_written = "link host XX:XX:XX:XX:XX:XX";

/// `at` tests the address at an offset in the link-layer header.
template <class TestAt>
ExprId in_direction(const Site& s, Direction d, TestAt at) {
  const wire::Layout& layout = s.layers.layout();
  if (d == Direction::Src) return at(layout.source);
  if (d == Direction::Dst) return at(layout.destination);
  const ExprId source = at(layout.source), destination = at(layout.destination);
  return d == Direction::SrcAndDst ? all(s, {source, destination}) : any(s, {source, destination});
}

ExprId mac8_host(const Site& s, Direction d, std::uint8_t address) {
  return in_direction(s, d, [&](std::uint32_t offset) { return equals(s, in_link_header(s, offset, 1), address); });
}

ExprId in_frame(const Site& s, ExprId e) {
  const auto frame = has_link_header(s);
  return frame ? all(s, {*frame, e}) : e;
}

std::optional<names::Mac> parse_mac(std::string_view text) {
  // The shapes are the lexer's: six groups of one or two digits, three groups of four, or twelve digits.
  names::Mac mac{};
  std::uint64_t bits = 0;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  const bool short_groups = text.find_first_of(":-") != text.npos || (text.find('.') != text.npos && text.find('.') < 3);
  std::uint64_t group = 0;
  for (const char c : text) {
    if (c != ':' && c != '-' && c != '.') {
      group = group << 4 | static_cast<std::uint64_t>(digit(c));
      if (!short_groups) bits = bits << 4 | static_cast<std::uint64_t>(digit(c));
    } else if (short_groups) {
      bits = bits << 8 | group;
      group = 0;
    }
  }
  if (short_groups) bits = bits << 8 | group;
  for (std::size_t i = 0; i < 6; ++i) mac[i] = static_cast<std::uint8_t>(bits >> (40 - 8 * i));
  return mac;
}

Test ip_broadcast(const Site& s) {
  // All ones is what libpcap's callers say for "not known".
  if (!s.target.netmask || *s.target.netmask == 0xffffffff)
    return fail(Code::LinkType, s.span, "netmask not known, so 'ip broadcast' not supported",
                "give it with -m NETMASK; tcpdump takes 0.0.0.0 where it knows none, which finds 255.255.255.255 and 0.0.0.0 only");
  WEIR_TRY(ip, link_protocol(s, wire::ethertype::Ip));
  const std::uint32_t host_bits = ~*s.target.netmask;
  const ValueId destination = in_network(s, 16, 4);
  return all(s, {ip, any(s, {masked(s, destination, host_bits, 0), masked(s, destination, host_bits, host_bits)})});
}

Test link_multicast(const Site& s) {
  const wire::Layout& layout = s.layers.layout();
  switch (layout.addresses) {
    case Addresses::Mac48: return in_frame(s, any_bit(s, in_link_header(s, layout.destination, 1), 1));
    case Addresses::Wlan: return wlan_multicast(s);
    case Addresses::Mac8:
      if (layout.multicast) return mac8_host(s, Direction::Dst, *layout.broadcast);  // no other group exists
      break;
    case Addresses::None: break;
  }
  return not_on_link_type(s, "multicast");
}

bool has_mac48(const Site& s) {
  const Addresses a = s.layers.layout().addresses;
  return a == Addresses::Mac48 || a == Addresses::Wlan;
}

/// For frames to all or to a group, of a protocol that has no word for them.
std::unexpected<Diagnostic> not_to_many(const Site& s, Protocol p, std::string_view word) {
  auto error = invalid_qualifier(s.span, keyword(p), word);
  if (p == Protocol::Ip6) error.error().hint = "IPv6 has no broadcast; its groups are 'ip6 multicast'";
  else if (p != Protocol::Radio) error.error().hint = fmt::format("as two conditions: '{} and {}'", keyword(p), word);
  return error;
}

}  // namespace

Test mac48_host(const Site& s, const ast::Qualifiers& q, const names::Mac& mac, std::string_view words) {
  switch (s.layers.layout().addresses) {
    case Addresses::Wlan: return wlan_host(s, q.direction, mac);
    case Addresses::Mac8:
    case Addresses::None: return not_on_link_type(s, words);
    case Addresses::Mac48: break;
  }
  if (auto wrong = no_wlan_direction(q)) return std::unexpected(*wrong);
  return in_frame(s, in_direction(s, q.direction, [&](std::uint32_t offset) { return bytes_equal(s, s.layers.link_header, offset, mac); }));
}

Test mac48_by_name(const Site& s, const ast::Qualifiers& q, const ast::Id& id, std::string_view words) {
  if (!has_mac48(s)) return not_on_link_type(s, words);
  auto mac = s.names.ether(id.text);
  if (!mac) {
    mac.error().span = id.span;
    return std::unexpected(std::move(mac.error()));
  }
  if (!*mac)
    return fail(Code::Name, id.span, fmt::format("unknown Ethernet-like host '{}'", quotable(id.text)),
                "such names are kept in /etc/ethers; or give the MAC address");
  return mac48_host(s, q, **mac, words);
}

Test mac48(const Site& s, const ast::Qualifiers& q, const ast::Id& id) {
  const bool is_host = q.type == ast::Type::Host || q.type == ast::Type::None;
  if (!is_host || q.protocol != Protocol::Link)
    return fail(Code::Qualifier, id.span, "Ethernet address used in non-ether expression",
                fmt::format("write 'ether host {}'", quotable(id.text)));
  if (!has_mac48(s)) return not_on_link_type(s, how_written);
  const auto mac = parse_mac(id.text);
  if (!mac) return fail(Code::Address, id.span, fmt::format("invalid MAC-48 address '{}'", quotable(id.text)));
  return mac48_host(s, q, *mac, how_written);
}

/// `$ab`: one byte in hexadecimal.
Test mac8(const Site& s, const ast::Qualifiers& q, const ast::Id& id) {
  if (auto wrong = no_wlan_direction(q)) return std::unexpected(*wrong);
  if (q.type != ast::Type::Host && q.type != ast::Type::None) {
    auto error = invalid_qualifier(s.span, keyword(q.type), "$XX");
    error.error().hint = fmt::format("'{}' is the address of a station, as in 'link host $1f'; a number has no '$' before it", quotable(id.text));
    return error;
  }
  if (q.protocol != Protocol::Link)
    return fail(Code::Qualifier, s.span, "'link' is the only valid proto qualifier for 'host $XX'",
                fmt::format("write 'link host {}'", quotable(id.text)));
  if (s.layers.layout().addresses != Addresses::Mac8) return not_on_link_type(s, "link host $XX");
  std::uint8_t address = 0;
  std::from_chars(id.text.data() + 1, id.text.data() + id.text.size(), address, 16);
  return mac8_host(s, q.direction, address);
}

Test broadcast(const Site& s, Protocol p) {
  if (p == Protocol::Ip) return ip_broadcast(s);
  if (p != Protocol::None && p != Protocol::Link) return not_to_many(s, p, "broadcast");
  if (const auto everybody = s.layers.layout().broadcast) return mac8_host(s, Direction::Dst, *everybody);
  return mac48_host(s, {.direction = Direction::Dst, .span = s.span}, everyone, "broadcast");
}

Test multicast(const Site& s, Protocol p) {
  if (p == Protocol::None || p == Protocol::Link) return link_multicast(s);
  if (p == Protocol::Ip) {  // 224.0.0.0/4, RFC 1112 §4
    WEIR_TRY(ip, link_protocol(s, wire::ethertype::Ip));
    return all(s, {ip, masked(s, in_network(s, 16, 1), 0xf0, 0xe0)});
  }
  if (p == Protocol::Ip6) {  // ff00::/8, RFC 4291 §2.7
    WEIR_TRY(ip6, link_protocol(s, wire::ethertype::Ip6));
    return all(s, {ip6, equals(s, in_network(s, 24, 1), 0xff)});
  }
  return not_to_many(s, p, "multicast");
}

}  // namespace weir::resolve
