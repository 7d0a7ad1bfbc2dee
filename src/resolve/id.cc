#include <arpa/inet.h>

#include <fmt/format.h>

#include "base/quotable.hpp"
#include "resolve/families.hpp"
#include "resolve/hints.hpp"

namespace weir::resolve {
namespace {

using ast::IdKind;
using ast::Protocol;
using ast::Type;

/// The octets written, left-justified, and how many bits they are; octets are always decimal.
struct Dotted { std::uint32_t address; unsigned bits; };

std::optional<Dotted> dotted(const std::string& text) {
  std::uint32_t address = 0, octet = 0;
  unsigned bits = 0;
  bool digits = false;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] >= '0' && text[i] <= '9') {
      octet = octet * 10 + static_cast<std::uint32_t>(text[i] - '0');
      digits = true;
      if (octet > 255) return std::nullopt;
    } else {
      if (!digits || (i < text.size() && text[i] != '.') || bits == 32) return std::nullopt;
      address = address << 8 | octet;
      bits += 8;
      octet = 0;
      digits = false;
    }
  }
  return Dotted{bits == 32 ? address : address << (32 - bits), bits};
}

std::uint32_t mask_of(unsigned bits) { return bits == 0 ? 0 : 0xffffffff << (32 - bits); }

Result<Dotted> ipv4(const std::string& text, Span span) {
  if (const auto d = dotted(text)) return *d;
  return fail(Code::Address, span, fmt::format("invalid IPv4 address '{}'", text), "each part is a decimal number up to 255");
}

std::string quad(std::uint32_t a) { return fmt::format("{}.{}.{}.{}", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255); }

/// What a message calls the qualifiers: the type, or the direction where there is only that.
const char* type_word(const ast::Qualifiers& q) { return q.type == Type::None ? keyword(q.direction) : keyword(q.type); }

/// An address where a port, protocol and the like must stand.
std::optional<Diagnostic> address_as_number(const ast::Qualifiers& q, const ast::Id& id) {
  if (q.type != Type::Port && q.type != Type::Portrange && q.type != Type::Proto && q.type != Type::Protochain) return std::nullopt;
  const bool six = id.kind == IdKind::Ipv6 || id.kind == IdKind::Ipv6Prefix;
  const bool prefix = id.kind == IdKind::Ipv4Prefix || id.kind == IdKind::Ipv6Prefix;
  return Diagnostic{Code::Qualifier, join(q.span, id.span),
                    fmt::format("'{}' qualifier applied to {} address{}", keyword(q.type), six ? "IPv6" : "IPv4",
                                prefix ? " and prefix length" : id.kind == IdKind::Ipv4Mask ? " and netmask" : ""),
                    fmt::format("addresses go with 'host' or 'net'; '{}' needs a number or a name", keyword(q.type))};
}

/// A number out of range is the id's fault, not that of the words before it.
Test at_id(const ast::Id& id, Test test) {
  if (!test && test.error().code == Code::Range) test.error().span = id.span;
  return test;
}

// ---- each kind of id under its qualifiers ----------------------------------------------------------

Test with_name(const Site& s, const ast::Qualifiers& q, const ast::Id& id) {
  if (q.protocol == Protocol::Decnet)
    return invalid_qualifier(s.span, "decnet", keyword(q.type == Type::None ? Type::Host : q.type));
  switch (q.type) {
    case Type::Net: return net_by_name(s, q, id);
    case Type::None:
    case Type::Host:
      return q.protocol == Protocol::Link ? mac48_by_name(s, q, id, "link host NAME") : host_by_name(s, q, id);
    case Type::Port: return port(s, q, id);
    case Type::Portrange: return portrange(s, q, id);
    case Type::Gateway: return gateway(s, q, id);
    case Type::Proto: {
      WEIR_TRY(number, protocol_by_name(s, q, id));
      return protocol_number(s, q.protocol, number);
    }
    case Type::Protochain: {
      WEIR_TRY(number, protocol_by_name(s, q, id));
      return protochain(s, q.protocol, number);
    }
  }
  return invalid_qualifier(s.span, keyword(q.type), quotable(id.text));
}

Test with_one_ipv4(const Site& s, const ast::Qualifiers& q, const ast::Id& id, Ipv4Range range) {
  if (q.protocol == Protocol::Link)
    return fail(Code::Address, id.span, fmt::format("illegal link-layer address '{}'", written(id)),
                "link-layer addresses look like 00:11:22:33:44:55");
  return ipv4_hosts(s, q, {&range, 1}, false, q.type == Type::Net ? "net <IPv4 address>" : "host <IPv4 address>");
}

/// A number as an address: `host 0x0a000001`; as a network it is shifted left until its first octet is not 0.
Ipv4Range number_as_address(std::uint32_t value, bool net) {
  Ipv4Range range{value, 0xffffffff};
  if (net)
    for (; range.address && (range.address & 0xff000000) == 0; range.address <<= 8) range.mask <<= 8;
  return range;
}

Test with_number(const Site& s, const ast::Qualifiers& q, const ast::Id& id) {
  if (q.protocol == Protocol::Decnet) return decnet_host(s, q, id);
  switch (q.type) {
    case Type::None:
    case Type::Host:
    case Type::Net: return with_one_ipv4(s, q, id, number_as_address(id.value, q.type == Type::Net));
    case Type::Port: return port(s, q, id);
    case Type::Portrange: return portrange(s, q, id);
    case Type::Proto: return at_id(id, protocol_number(s, q.protocol, id.value));
    case Type::Protochain: return at_id(id, protochain(s, q.protocol, id.value));
    case Type::Gateway: break;
  }
  return invalid_qualifier(s.span, keyword(q.type), written(id));
}

Test with_ipv4(const Site& s, const ast::Qualifiers& q, const ast::Id& id) {
  if (auto wrong = address_as_number(q, id)) return std::unexpected(*wrong);
  if (q.protocol == Protocol::Decnet) return decnet_host(s, q, id);
  WEIR_TRY(address, ipv4(id.text, id.span));
  if (!is_host_or_net(q.type)) return invalid_qualifier(s.span, keyword(q.type), quotable(id.text));
  return with_one_ipv4(s, q, id, {address.address, mask_of(address.bits)});
}

Result<std::uint32_t> mask_of(const ast::Id& id) {
  if (id.kind == IdKind::Ipv4Prefix) {
    if (id.value > 32) return out_of_range(id.span, "netmask length", id.value, 32);
    return mask_of(id.value);
  }
  WEIR_TRY(mask, ipv4(id.mask, id.span));
  return mask.address;
}

Test with_ipv4_net(const Site& s, const ast::Qualifiers& q, const ast::Id& id) {
  if (auto wrong = address_as_number(q, id)) return std::unexpected(*wrong);
  if (q.protocol == Protocol::Decnet)
    return invalid_qualifier(s.span, "decnet", keyword(q.type == Type::None ? Type::Host : q.type));
  WEIR_TRY(address, ipv4(id.text, id.span));
  WEIR_TRY(mask, mask_of(id));
  if (address.address & ~mask) {
    const std::string net = quad(address.address & mask);
    return fail(Code::Address, id.span, fmt::format("non-network bits set in \"{}\"", written(id)),
                id.kind == IdKind::Ipv4Prefix ? fmt::format("the network is {}/{}", net, id.value)
                                              : fmt::format("the network is {} mask {}", net, id.mask));
  }
  if (q.type != Type::Net) return invalid_qualifier(s.span, type_word(q), written(id));
  const Ipv4Range range{address.address, mask};
  return ipv4_hosts(s, q, {&range, 1}, false, "net <IPv4 prefix>");
}

Ipv6Range ipv6_range(const in6_addr& address, std::uint32_t prefix) {
  Ipv6Range r{};
  for (std::uint32_t i = 0; i < 4; ++i) {
    for (std::uint32_t j = 0; j < 4; ++j) r.address[i] = r.address[i] << 8 | address.s6_addr[4 * i + j];
    const std::uint32_t bits = prefix <= 32 * i ? 0 : std::min(prefix - 32 * i, 32u);
    r.mask[i] = mask_of(bits);
  }
  return r;
}

std::optional<std::string> host_bits_cleared(const Ipv6Range& r) {
  in6_addr clean{};
  bool dirty = false;
  for (std::size_t i = 0; i < 16; ++i) {
    const std::uint32_t word = r.address[i / 4] & r.mask[i / 4];
    dirty |= (r.address[i / 4] & ~r.mask[i / 4]) != 0;
    clean.s6_addr[i] = static_cast<std::uint8_t>(word >> (24 - 8 * (i % 4)));
  }
  if (!dirty) return std::nullopt;
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(AF_INET6, &clean, text, sizeof text);
  return text;
}

Test with_ipv6(const Site& s, const ast::Qualifiers& q, const ast::Id& id) {
  if (auto wrong = address_as_number(q, id)) return std::unexpected(*wrong);
  const std::uint32_t prefix = id.kind == IdKind::Ipv6Prefix ? id.value : 128;
  in6_addr address{};
  if (inet_pton(AF_INET6, id.text.c_str(), &address) != 1)
    return fail(Code::Address, id.span, fmt::format("'{}' is not a valid IPv6 address", quotable(id.text)));
  if (prefix > 128) return fail(Code::Range, id.span, fmt::format("mask length {} must be <= 128", prefix), "allowed are 0 to 128");
  const Ipv6Range range = ipv6_range(address, prefix);
  if (const auto net = host_bits_cleared(range))
    return fail(Code::Address, id.span, fmt::format("non-network bits set in \"{}\"", written(id)),
                fmt::format("the network is {}/{}", *net, prefix));
  const bool host = q.type == Type::None || q.type == Type::Host;
  if (host && prefix != 128) return invalid_qualifier(s.span, "host", written(id));
  if (!is_host_or_net(q.type)) return invalid_qualifier(s.span, keyword(q.type), written(id));
  return ipv6_hosts(s, q, {&range, 1}, q.type == Type::Host ? "host <IPv6 address>" : "net <IPv6 prefix>");
}

Test of_kind(const Site& s, const ast::Qualifiers& q, const ast::Id& id) {
  switch (id.kind) {
    case IdKind::Name: return with_name(s, q, id);
    case IdKind::Number: return with_number(s, q, id);
    case IdKind::Ipv4: return with_ipv4(s, q, id);
    case IdKind::Ipv4Prefix:
    case IdKind::Ipv4Mask: return with_ipv4_net(s, q, id);
    case IdKind::Ipv6:
    case IdKind::Ipv6Prefix: return with_ipv6(s, q, id);
    case IdKind::Mac48: return mac48(s, q, id);
    case IdKind::Mac8: return mac8(s, q, id);
  }
  return invalid_qualifier(s.span, keyword(q.type), quotable(id.text));
}

}  // namespace

std::optional<Ipv4Network> ipv4_network(const ast::Id& id) {
  const auto address = dotted(id.text);
  if (!address || (id.kind == IdKind::Ipv4Prefix && id.value > 32)) return std::nullopt;
  const unsigned bits = id.kind == IdKind::Ipv4Prefix ? id.value : address->bits;
  if (address->address & ~mask_of(bits)) return std::nullopt;
  return Ipv4Network{address->address, static_cast<std::uint8_t>(bits)};
}

Test primitive(const Site& s, const ast::Qualifiers& q, const ast::Id& id) {
  Test test = of_kind(s, q, id);
  if (!test)
    if (auto hint = hint_about(q, id, test.error()); !hint.empty()) test.error().hint = std::move(hint);
  return test;
}

}  // namespace weir::resolve
