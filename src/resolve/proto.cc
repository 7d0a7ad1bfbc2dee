#include <fmt/format.h>

#include <algorithm>

#include "base/quotable.hpp"
#include "resolve/families.hpp"
#include "wire/ascii.hpp"
#include "wire/protocol.hpp"

namespace weir::resolve {
namespace {

using ast::Protocol;
namespace et = wire::ethertype;
namespace ipp = wire::ip_protocol;
namespace sap = wire::llc_sap;

/// What a keyword stands for when it stands alone: a protocol number under another protocol.
struct Meaning {
  Protocol keyword;
  Protocol below;  ///< None: under IPv4 and IPv6
  std::uint16_t number;
};

constexpr Meaning meanings[] = {
    {Protocol::Sctp, Protocol::None, ipp::Sctp},
    {Protocol::Tcp, Protocol::None, ipp::Tcp},
    {Protocol::Udp, Protocol::None, ipp::Udp},
    {Protocol::Ah, Protocol::None, ipp::Ah},
    {Protocol::Esp, Protocol::None, ipp::Esp},
    {Protocol::Pim, Protocol::None, ipp::Pim},
    {Protocol::Icmp, Protocol::Ip, ipp::Icmp},
    {Protocol::Igmp, Protocol::Ip, ipp::Igmp},
    {Protocol::Igrp, Protocol::Ip, ipp::Igrp},
    {Protocol::Vrrp, Protocol::Ip, ipp::Vrrp},
    {Protocol::Carp, Protocol::Ip, ipp::Vrrp},
    {Protocol::Icmp6, Protocol::Ip6, ipp::Icmp6},
    {Protocol::Ip, Protocol::Link, et::Ip},
    {Protocol::Ip6, Protocol::Link, et::Ip6},
    {Protocol::Arp, Protocol::Link, et::Arp},
    {Protocol::Rarp, Protocol::Link, et::Revarp},
    {Protocol::Atalk, Protocol::Link, et::Atalk},
    {Protocol::Aarp, Protocol::Link, et::Aarp},
    {Protocol::Decnet, Protocol::Link, et::Decnet},
    {Protocol::Sca, Protocol::Link, et::Sca},
    {Protocol::Lat, Protocol::Link, et::Lat},
    {Protocol::Mopdl, Protocol::Link, et::Mopdl},
    {Protocol::Moprc, Protocol::Link, et::Moprc},
    {Protocol::Iso, Protocol::Link, sap::IsoNs},
    {Protocol::Stp, Protocol::Link, sap::Stp},
    {Protocol::Ipx, Protocol::Link, sap::Ipx},
    {Protocol::Netbeui, Protocol::Link, sap::Netbeui},
    {Protocol::Esis, Protocol::Iso, wire::nlpid::Esis},
    {Protocol::Isis, Protocol::Iso, wire::nlpid::Isis},
    {Protocol::Clnp, Protocol::Iso, wire::nlpid::Clnp},
};

/// IS-IS PDU types (ISO/IEC 10589 §9.5-9.13) that the keywords stand for, in the order they are asked.
struct PduTypes {
  Protocol keyword;
  std::uint8_t count;
  std::uint8_t types[5];
};
constexpr std::uint8_t l1_iih = 15, l2_iih = 16, ptp_iih = 17, l1_lsp = 18, l2_lsp = 20, l1_csnp = 24, l2_csnp = 25,
                       l1_psnp = 26, l2_psnp = 27;
constexpr PduTypes pdu_types[] = {
    {Protocol::L1, 5, {l1_psnp, l1_csnp, l1_lsp, l1_iih, ptp_iih}},
    {Protocol::L2, 5, {l2_psnp, l2_csnp, l2_lsp, l2_iih, ptp_iih}},
    {Protocol::Iih, 3, {ptp_iih, l1_iih, l2_iih}},
    {Protocol::Lsp, 2, {l1_lsp, l2_lsp}},
    {Protocol::Snp, 4, {l2_psnp, l1_psnp, l1_csnp, l2_csnp}},
    {Protocol::Csnp, 2, {l1_csnp, l2_csnp}},
    {Protocol::Psnp, 2, {l1_psnp, l2_psnp}},
};

const Meaning* meaning_of(Protocol p) {
  for (const Meaning& m : meanings)
    if (m.keyword == p) return &m;
  return nullptr;
}

Test both_ip(const Site& s, std::uint32_t number) {
  WEIR_TRY(v4, protocol_number(s, Protocol::Ip, number));
  WEIR_TRY(v6, protocol_number(s, Protocol::Ip6, number));
  return any(s, {v4, v6});
}

Test ipv4_number(const Site& s, std::uint32_t number) {
  WEIR_TRY(ip, link_protocol(s, et::Ip));
  return all(s, {ip, ipv4_protocol(s, static_cast<std::uint8_t>(number))});
}

/// Looks behind one fragment header too (RFC 8200 §4.5).
Test ipv6_number(const Site& s, std::uint32_t number) {
  WEIR_TRY(ip6, link_protocol(s, et::Ip6));
  const ExprId behind_fragment =
      all(s, {ipv6_protocol(s, ipp::Fragment), equals(s, in_ipv6_payload(s, 0, 1), number)});
  return all(s, {ip6, any(s, {ipv6_protocol(s, static_cast<std::uint8_t>(number)), behind_fragment})});
}

/// In Cisco's HDLC the ISO packet follows a byte of padding.
std::uint32_t iso_padding(const Site& s) { return s.layers.layout().type_field == wire::TypeField::Hdlc ? 1 : 0; }

/// Frame Relay has the identifier itself where others say that ISO follows.
Test iso_number(const Site& s, std::uint32_t number) {
  if (s.layers.layout().type_field == wire::TypeField::FrameRelay) return frame_relay_nlpid(s, static_cast<std::uint8_t>(number));
  WEIR_TRY(iso, link_protocol(s, sap::IsoNs));
  return all(s, {iso, equals(s, in_network_no_snap(s, iso_padding(s), 1), number)});
}

/// The PDU type is the low 5 bits of the fifth byte.
Test isis_number(const Site& s, std::uint32_t number) {
  WEIR_TRY(isis, iso_number(s, wire::nlpid::Isis));
  return all(s, {isis, masked(s, in_network_no_snap(s, 4 + iso_padding(s), 1), 0x1f, number)});
}

Test isis_pdus(const Site& s, const PduTypes& pdus) {
  std::vector<ExprId> tests;
  for (unsigned i = 0; i < pdus.count; ++i) {
    WEIR_TRY(pdu, isis_number(s, pdus.types[i]));
    tests.push_back(pdu);
  }
  return any(s, tests);
}

std::optional<std::uint32_t> iso_name(std::string_view name) {
  if (name == "esis") return wire::nlpid::Esis;
  if (name == "isis") return wire::nlpid::Isis;
  if (name == "clnp") return wire::nlpid::Clnp;
  return std::nullopt;
}

Result<std::optional<std::uint32_t>> look_up(const Site& s, Protocol p, const std::string& name) {
  switch (p) {
    case Protocol::None:
    case Protocol::Ip:
    case Protocol::Ip6: return s.names.protocol(name);
    case Protocol::Link: return wire::link_protocol(name);
    case Protocol::Iso: return iso_name(name);
    default: return std::optional<std::uint32_t>{};
  }
}

}  // namespace

ExprId ipv4_protocol(const Site& s, std::uint8_t number) { return equals(s, in_network(s, 9, 1), number); }
ExprId ipv6_protocol(const Site& s, std::uint8_t number) { return equals(s, in_network(s, 6, 1), number); }

/// The fragment offset is 0 (RFC 791 §3.1): ports are only in a first or only fragment.
ExprId first_fragment(const Site& s) { return no(s, any_bit(s, in_network(s, 6, 2), 0x1fff)); }

std::optional<std::uint8_t> ip_number(Protocol p) {
  const Meaning* m = meaning_of(p);
  if (!m || (m->below != Protocol::None && m->below != Protocol::Ip && m->below != Protocol::Ip6)) return std::nullopt;
  return static_cast<std::uint8_t>(m->number);
}

Test abbreviation(const Site& s, Protocol p) {
  for (const PduTypes& pdus : pdu_types)
    if (pdus.keyword == p) return isis_pdus(s, pdus);
  if (const Meaning* m = meaning_of(p)) return protocol_number(s, m->below, m->number);
  if (p == Protocol::Link)  // which has several spellings
    return fail(Code::Qualifier, s.span, "the link layer alone cannot be used as an abbreviation",
                "it is a qualifier: say of what, as in 'ether host 00:11:22:33:44:55' or 'link[0] = 1'");
  return fail(Code::Qualifier, s.span, fmt::format("'{}' cannot be used as an abbreviation", keyword(p)),
              fmt::format("'{}' is a qualifier: say of what, as in '{}[0] = 1'", keyword(p), keyword(p)));
}

Test protocol_number(const Site& s, Protocol p, std::uint32_t number) {
  switch (p) {
    case Protocol::None: return both_ip(s, number);
    case Protocol::Link: return link_protocol(s, number);
    case Protocol::Ip:
      if (number > 255) return out_of_range(s.span, "protocol number", number, 255);
      return ipv4_number(s, number);
    case Protocol::Ip6:
      if (number > 255) return out_of_range(s.span, "protocol number", number, 255);
      return ipv6_number(s, number);
    case Protocol::Iso:
      if (number > 255) return out_of_range(s.span, "ISO protocol", number, 255);
      return iso_number(s, number);
    case Protocol::Isis:
      if (number > 31) return out_of_range(s.span, "IS-IS PDU type", number, 31);
      return isis_number(s, number);
    default: return invalid_qualifier(s.span, keyword(p), "proto");
  }
}

Result<std::uint32_t> protocol_by_name(const Site& s, const ast::Qualifiers& q, const ast::Id& id) {
  WEIR_TRY(number, look_up(s, q.protocol, id.text));
  if (number) return *number;
  const std::string words = q.protocol == Protocol::None
                                ? std::string(keyword(q.type))
                                : fmt::format("{} {}", keyword(q.protocol), keyword(q.type));
  std::string lower(id.text);
  std::ranges::transform(lower, lower.begin(), wire::to_lower);
  const auto meant = lower == id.text ? std::nullopt : look_up(s, q.protocol, lower).value_or(std::nullopt);
  return fail(Code::Name, id.span, fmt::format("unknown '{}' value '{}'", words, quotable(id.text)),
              meant ? fmt::format("its name is in lower case: '{} \\{}'", words, lower)
                    : "give its number, or a name that the system knows");
}

}  // namespace weir::resolve
