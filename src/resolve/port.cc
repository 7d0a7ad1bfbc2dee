#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/quotable.hpp"
#include "resolve/families.hpp"
#include "wire/ascii.hpp"
#include "wire/protocol.hpp"

namespace weir::resolve {
namespace {

using ast::Direction;
using ast::Protocol;
namespace ipp = wire::ip_protocol;

// TCP, UDP and SCTP begin with the two ports (RFC 9293 §3.1, RFC 768, RFC 9260 §3.1).
constexpr std::uint32_t source_port = 0, destination_port = 2;

/// Ports first..last of one transport, or of all three (no value).
struct Ports {
  std::uint16_t first = 0, last = 0;
  std::optional<std::uint8_t> transport;
};

ExprId in_range(const Site& s, ValueId port, const Ports& p) {
  if (p.first == p.last) return equals(s, port, p.first);
  return all(s, {at_least(s, port, p.first), at_most(s, port, p.last)});
}

/// `field` gives the port field at an offset in the transport header.
template <class Field>
ExprId in_direction(const Site& s, Direction d, const Ports& p, Field field) {
  if (d == Direction::Src) return in_range(s, field(source_port), p);
  if (d == Direction::Dst) return in_range(s, field(destination_port), p);
  const ExprId source = in_range(s, field(source_port), p);
  const ExprId destination = in_range(s, field(destination_port), p);
  return d == Direction::SrcAndDst ? all(s, {source, destination}) : any(s, {source, destination});
}

template <class ProtocolTest>
ExprId transport(const Site& s, const Ports& p, ProtocolTest is) {
  if (p.transport) return is(s, *p.transport);
  return any(s, {is(s, ipp::Tcp), is(s, ipp::Udp), is(s, ipp::Sctp)});
}

Test over_ipv4(const Site& s, Direction d, const Ports& p) {
  WEIR_TRY(ip, link_protocol(s, wire::ethertype::Ip));
  const ExprId ports = in_direction(s, d, p, [&](std::uint32_t at) { return in_ipv4_payload(s, at, 2); });
  return all(s, {ip, transport(s, p, ipv4_protocol), first_fragment(s), ports});
}

Test over_ipv6(const Site& s, Direction d, const Ports& p) {
  WEIR_TRY(ip6, link_protocol(s, wire::ethertype::Ip6));
  const ExprId ports = in_direction(s, d, p, [&](std::uint32_t at) { return in_ipv6_payload(s, at, 2); });
  return all(s, {ip6, transport(s, p, ipv6_protocol), ports});
}

Test over_both(const Site& s, const ast::Qualifiers& q, const Ports& p) {
  if (q.direction >= Direction::Addr1) return invalid_qualifier(q.span, keyword(q.direction), keyword(q.type));
  WEIR_TRY(v6, over_ipv6(s, q.direction, p));
  WEIR_TRY(v4, over_ipv4(s, q.direction, p));
  return any(s, {v6, v4});
}

/// The qualifier's transport; none for all three.
Result<std::optional<std::uint8_t>> transport_of(const ast::Qualifiers& q) {
  switch (q.protocol) {
    case Protocol::None: return std::nullopt;
    case Protocol::Tcp:
    case Protocol::Udp:
    case Protocol::Sctp: return ip_number(q.protocol);
    default: return invalid_qualifier(q.span, keyword(q.protocol), keyword(q.type));
  }
}

const char* transport_name(std::uint8_t number) {
  return number == ipp::Tcp ? "tcp" : number == ipp::Udp ? "udp" : "sctp";
}

/// One end of a range, or a single port: its number, and the transport that its name is listed for.
struct Named {
  std::uint32_t number = 0;
  std::optional<std::uint8_t> transport;
};

/// A name listed for TCP and UDP with one number means any transport; listed with two, it means TCP's.
std::optional<Named> choose(const names::Ports& found) {
  if (found.tcp && found.udp && *found.tcp == *found.udp) return Named{*found.tcp, std::nullopt};
  if (found.tcp) return Named{*found.tcp, ipp::Tcp};
  if (found.udp) return Named{*found.udp, ipp::Udp};
  return std::nullopt;
}

Result<std::optional<Named>> look_up(const Site& s, const ast::Id& id, const std::string& name) {
  auto found = s.names.port(name);
  if (!found) {
    found.error().span = id.span;
    return std::unexpected(std::move(found.error()));
  }
  return choose(*found);
}

/// Of a name that is not listed: perhaps it is in lower case.
std::string about_unknown(const Site& s, const ast::Id& id) {
  std::string lower(id.text);
  std::ranges::transform(lower, lower.begin(), wire::to_lower);
  const bool meant = lower != id.text && look_up(s, id, lower).value_or(std::nullopt);
  return meant ? fmt::format("its name is in lower case: '{}'", lower) : "give its number, or a name of /etc/services";
}

/// The transport to test: the qualifier's, which must not contradict the one that the name is listed for.
Result<std::optional<std::uint8_t>> agree(const ast::Qualifiers& q, const ast::Id& id, std::string_view subject,
                                          std::optional<std::uint8_t> listed) {
  WEIR_TRY(wanted, transport_of(q));
  if (!wanted) return listed;
  if (listed && *listed != *wanted)
    return fail(Code::Qualifier, id.span, fmt::format("{} '{}' is {}", subject, quotable(id.text), transport_name(*listed)),
                fmt::format("write '{} {} {}', or the number", transport_name(*listed), keyword(q.type), quotable(id.text)));
  return wanted;
}

/// A number as the language writes it: decimal, 0x hexadecimal, 0 octal.
std::optional<std::uint32_t> number_of(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
    text.remove_prefix(1);
  }
  std::uint32_t value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || wrong != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<std::optional<Named>> end_of_range(const Site& s, const ast::Id& id, std::string_view text) {
  if (const auto number = number_of(text)) return Named{*number, std::nullopt};
  return look_up(s, id, std::string(text));
}

struct Range {
  Named first, last;
};

/// Names may hold hyphens themselves: the hyphen that parts two known ports is the one that was meant.
Result<Range> split(const Site& s, const ast::Id& id) {
  const std::string_view text = id.text;
  const auto error = [&](std::string why, std::string hint = "write FIRST-LAST, as in 'portrange 6000-6008'") {
    return fail(Code::Range, id.span, fmt::format("port range '{}' {}", text, why), std::move(hint));
  };
  if (text.find('-') == text.npos) return error("contains no hyphen");
  if (text.front() == '-') return error("has no starting port");
  if (text.back() == '-') return error("has no ending port");
  std::string_view unknown;
  for (auto hyphen = text.find('-'); hyphen != text.npos; hyphen = text.find('-', hyphen + 1)) {
    WEIR_TRY(first, end_of_range(s, id, text.substr(0, hyphen)));
    WEIR_TRY(last, end_of_range(s, id, text.substr(hyphen + 1)));
    if (first && last) return Range{*first, *last};
    unknown = first ? text.substr(hyphen + 1) : text.substr(0, hyphen);
  }
  if (text.find('-') != text.rfind('-')) return error("contains more than one hyphen, and no part of it is a known port");
  return fail(Code::Name, id.span, fmt::format("'{}' is not a valid port", unknown), "give the number");
}

Result<Ports> numbered(const ast::Qualifiers& q, const ast::Id& id) {
  WEIR_TRY(wanted, transport_of(q));
  if (id.value > 0xffff) return out_of_range(id.span, "port number", id.value, 0xffff);
  const auto number = static_cast<std::uint16_t>(id.value);
  return Ports{number, number, wanted};
}

}  // namespace

Test udp_to_port(const Site& s, bool ipv6, std::uint16_t number) {
  const Ports p{number, number, ipp::Udp};
  return ipv6 ? over_ipv6(s, Direction::Dst, p) : over_ipv4(s, Direction::Dst, p);
}

Test port(const Site& s, const ast::Qualifiers& q, const ast::Id& id) {
  if (id.kind == ast::IdKind::Number) {
    WEIR_TRY(ports, numbered(q, id));
    return over_both(s, q, ports);
  }
  if (auto wanted = transport_of(q); !wanted) return std::unexpected(std::move(wanted.error()));
  WEIR_TRY(found, look_up(s, id, id.text));
  if (!found)
    return fail(Code::Name, id.span, fmt::format("unknown port '{}'", quotable(id.text)), about_unknown(s, id));
  WEIR_TRY(transport, agree(q, id, "port", found->transport));
  const auto number = static_cast<std::uint16_t>(found->number);
  return over_both(s, q, Ports{number, number, transport});
}

Test portrange(const Site& s, const ast::Qualifiers& q, const ast::Id& id) {
  if (id.kind == ast::IdKind::Number) return port(s, q, id);
  if (auto wanted = transport_of(q); !wanted) return std::unexpected(std::move(wanted.error()));
  WEIR_TRY(range, split(s, id));
  const auto listed = range.first.transport == range.last.transport ? range.first.transport : std::nullopt;
  WEIR_TRY(transport, agree(q, id, "port in range", listed));
  for (const Named& end : {range.first, range.last})
    if (end.number > 0xffff) return out_of_range(id.span, "port number", end.number, 0xffff);
  const auto [first, last] = std::minmax(range.first.number, range.last.number);
  return over_both(s, q, Ports{static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last), transport});
}

}  // namespace weir::resolve
