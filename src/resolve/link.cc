#include <bit>
#include <initializer_list>

#include <fmt/format.h>

#include "resolve/families.hpp"
#include "wire/protocol.hpp"

namespace weir::resolve {
namespace {

using namespace wire;

std::uint32_t both_saps(std::uint32_t sap) { return sap << 8 | sap; }

bool compares_both_saps(std::uint32_t number) {
  return number == llc_sap::IsoNs || number == llc_sap::Ip || number == llc_sap::Netbeui;
}

Test checked(const Site& s, const char* what, std::uint32_t number, std::uint32_t maximum, ExprId e) {
  if (number > maximum) return out_of_range(s.span, what, number, maximum);
  return e;
}

/// 802.3 and Linux cooked frames differ only in how they say "LLC follows" and "Novell's raw 802.3".
struct Framing {
  ExprId llc;           ///< an LLC header follows
  ExprId raw_novell;    ///< IPX follows without LLC
  bool novell_in_llc;   ///< raw_novell is asked among LLC frames
};

ExprId ipx(const Site& s, const Framing& framing) {
  const ExprId sap = equals(s, in_llc(s, 0, 1), llc_sap::Ipx);
  const ExprId type = equals(s, in_type_field(s, 0, 2), ethertype::Ipx);
  const ExprId in_snap = snap(s, 0, ethertype::Ipx);
  if (framing.novell_in_llc)
    return any(s, {type, all(s, {framing.llc, any(s, {in_snap, sap, framing.raw_novell})})});
  return any(s, {type, framing.raw_novell, all(s, {framing.llc, any(s, {sap, in_snap})})});
}

/// AppleTalk goes with its EtherType (phase 1) or in SNAP (phase 2).
ExprId appletalk(const Site& s, std::uint32_t number, const Framing& framing) {
  const std::uint32_t organization = number == ethertype::Atalk ? 0x080007 : 0;
  return any(s, {equals(s, in_type_field(s, 0, 2), number),
                 all(s, {framing.llc, snap(s, organization, static_cast<std::uint16_t>(number))})});
}

/// `framing` is asked for only where it matters: most filters are about EtherTypes.
template <class GetFraming>
Test ethernet_like(const Site& s, std::uint32_t number, GetFraming framing, ValueId dsap) {
  if (compares_both_saps(number)) return all(s, {framing().llc, equals(s, in_llc(s, 0, 2), both_saps(number))});
  if (number == llc_sap::Ipx) return ipx(s, framing());
  if (number == ethertype::Atalk || number == ethertype::Aarp) return appletalk(s, number, framing());
  if (number <= max_ethernet_length)
    return checked(s, "LLC DSAP", number, 255, all(s, {framing().llc, equals(s, dsap, number)}));
  return checked(s, "EtherType", number, 0xffff, equals(s, in_type_field(s, 0, 2), number));
}

/// Cisco's HDLC takes EtherTypes; ISO has the two SAPs in their place.
Test hdlc(const Site& s, std::uint32_t number) {
  const std::uint32_t type = number == llc_sap::IsoNs ? both_saps(number) : number;
  return checked(s, "HDLC protocol", number, 0xffff, equals(s, in_type_field(s, 0, 2), type));
}

/// IPv4 with its TCP header compressed, or not compressed this time (RFC 1144), is IPv4 too.
Test ppp_bsdos(const Site& s, std::uint32_t number) {
  const auto is = [&](std::uint32_t protocol) { return equals(s, in_type_field(s, 0, 2), protocol); };
  if (number == ethertype::Ip) return any(s, {is(ppp::Ip), is(ppp::Compressed), is(ppp::Uncompressed)});
  const std::uint32_t protocol = ppp_protocol(number);
  return checked(s, "PPP protocol", protocol, 0xffff, is(protocol));
}

ExprId family_byte(const Site& s, std::uint32_t number) {
  if (number == ethertype::Ip) return equals(s, in_type_field(s, 0, 1), family::Inet);
  if (number != ethertype::Ip6) return truth(s, false);
  if (!s.layers.layout().pf || s.target.savefile == Savefile::None) return equals(s, in_type_field(s, 0, 1), s.layers.layout().inet6);
  return any(s, {equals(s, in_type_field(s, 0, 1), family::Inet6Darwin), equals(s, in_type_field(s, 0, 1), family::Inet6Bsd),
                 equals(s, in_type_field(s, 0, 1), family::Inet6FreeBsd)});
}

ExprId arcnet(const Site& s, std::uint32_t number) {
  const auto code = wire::arcnet_code(number);
  return code ? equals(s, in_type_field(s, 0, 1), *code) : truth(s, false);
}

/// With an address of two bytes, which is not checked.
ExprId frame_relay(const Site& s, std::uint32_t number) {
  if (number == ethertype::Ip) return frame_relay_nlpid(s, nlpid::Ip);
  if (number == ethertype::Ip6) return frame_relay_nlpid(s, nlpid::Ip6);
  if (number != llc_sap::IsoNs) return truth(s, false);
  return any(s, {frame_relay_nlpid(s, nlpid::Clnp), frame_relay_nlpid(s, nlpid::Esis), frame_relay_nlpid(s, nlpid::Isis)});
}

Test ethernet(const Site& s, std::uint32_t number) {
  const auto framing = [&] {
    return Framing{at_most(s, in_type_field(s, 0, 2), max_ethernet_length), equals(s, in_llc(s, 0, 2), 0xffff), true};
  };
  return ethernet_like(s, number, framing, in_type_field(s, 2, 1));
}

Test cooked(const Site& s, std::uint32_t number) {
  const auto framing = [&] {
    const ValueId type = in_type_field(s, 0, 2);
    return Framing{equals(s, type, sll::Llc), equals(s, type, sll::Novell), false};
  };
  return ethernet_like(s, number, framing, in_llc(s, 0, 1));
}

/// LLC without a type field before it: an EtherType is looked for where SNAP would hold it.
Test llc_only(const Site& s, std::uint32_t number) {
  if (compares_both_saps(number)) return equals(s, in_llc(s, 0, 2), both_saps(number));
  if (number == llc_sap::Ipx) return equals(s, in_llc(s, 0, 1), number);
  if (number == ethertype::Atalk) return snap(s, 0x080007, ethertype::Atalk);
  if (number <= max_ethernet_length) return checked(s, "LLC DSAP", number, 255, equals(s, in_llc(s, 0, 1), number));
  return checked(s, "EtherType", number, 0xffff, equals(s, in_llc(s, 6, 2), number));
}

/// How an address family reads when its bytes are in the order in which loads take them, or in the other one.
enum class Order : std::uint8_t { Network, Reversed };

ExprId family_is(const Site& s, Order order, std::initializer_list<std::uint32_t> families) {
  std::vector<ExprId> tests;
  for (const std::uint32_t af : families)
    tests.push_back(equals(s, in_link_header(s, 0, 4), order == Order::Reversed ? __builtin_bswap32(af) : af));
  return any(s, tests);
}

ExprId family_in(const Site& s, Order order, std::uint32_t number) {
  if (number == ethertype::Ip) return family_is(s, order, {family::Inet});
  if (s.target.savefile == Savefile::None) return family_is(s, order, {family::Inet6Linux});
  return family_is(s, order, {family::Inet6Darwin, family::Inet6Bsd, family::Inet6FreeBsd});
}

/// In a savefile the family may be in either order, for writers have not agreed on whose it is.
ExprId address_family(const Site& s, std::uint32_t number) {
  if (number != ethertype::Ip && number != ethertype::Ip6) return truth(s, false);
  constexpr bool little = std::endian::native == std::endian::little;
  if (!s.layers.layout().host_order) return family_in(s, Order::Network, number);
  if (s.target.savefile == Savefile::None) return family_in(s, little ? Order::Reversed : Order::Network, number);
  const bool reversed_first = s.target.savefile == Savefile::Swapped;
  return any(s, {family_in(s, reversed_first ? Order::Reversed : Order::Network, number),
                 family_in(s, reversed_first ? Order::Network : Order::Reversed, number)});
}

ExprId ip_version(const Site& s, ValueId first_byte, std::uint32_t number) {
  if (number == ethertype::Ip) return masked(s, first_byte, 0xf0, 0x40);
  if (number == ethertype::Ip6) return masked(s, first_byte, 0xf0, 0x60);
  return truth(s, false);
}

/// The bottom-of-stack bit of the label just before the network header (RFC 3032 §2.1), then the IP version.
Test below_mpls(const Site& s, std::uint32_t number) {
  if (number != ethertype::Ip && number != ethertype::Ip6)
    return fail(Code::LinkType, s.span, "unsupported protocol over mpls", "after 'mpls' only IPv4 and IPv6 can be told apart");
  const ExprId bottom = any_bit(s, field(s, network_header(s.layers), 0u - 4 + 2, 1), 0x01);
  return all(s, {bottom, ip_version(s, in_network(s, 0, 1), number)});
}

}  // namespace

std::optional<ExprId> has_link_header(const Site& s) {
  if (s.layers.lane) return lane_data(s);
  if (!s.layers.encapsulated) return std::nullopt;
  // Geneve may carry IP without a frame around it: then header and payload start at the same place.
  return no(s, s.filter.compare(Relation::Equal, s.layers.link_header.variable, s.layers.payload.variable, s.span));
}

/// The control field of unnumbered information (RFC 2427 section 3), then who follows (ISO/IEC TR 9577).
ExprId frame_relay_nlpid(const Site& s, std::uint8_t nlpid) { return equals(s, in_link_header(s, 2, 2), 0x0300u | nlpid); }

Test link_protocol(const Site& s, std::uint32_t number) {
  if (s.layers.mpls_labels > 0) return below_mpls(s, number);
  switch (s.layers.layout().type_field) {
    case TypeField::Ethernet: {
      WEIR_TRY(protocol, ethernet(s, number));
      return s.layers.lane ? all(s, {lane_data(s), protocol}) : protocol;
    }
    case TypeField::Sll: return cooked(s, number);
    case TypeField::EtherType:
      return checked(s, "EtherType", number, 0xffff, equals(s, in_type_field(s, 0, 2), number));
    case TypeField::Llc: {
      WEIR_TRY(protocol, llc_only(s, number));
      if (s.layers.layout().addresses == Addresses::Wlan) return all(s, {wlan_data_frame(s), protocol});
      return s.layers.layout().atm ? all(s, {atm_llc(s), protocol}) : protocol;
    }
    case TypeField::Hdlc: return hdlc(s, number);
    case TypeField::Ppp: {
      const std::uint32_t ppp = ppp_protocol(number);
      return checked(s, "PPP protocol", ppp, 0xffff, equals(s, in_type_field(s, 0, 2), ppp));
    }
    case TypeField::PppVj: return ppp_bsdos(s, number);
    case TypeField::Family: return address_family(s, number);
    case TypeField::FamilyByte: return family_byte(s, number);
    case TypeField::Arcnet: return arcnet(s, number);
    case TypeField::FrameRelay: return frame_relay(s, number);
    case TypeField::Magic: return masked(s, in_link_header(s, 0, 4), 0xffffff00, 0x4d474300);  // "MGC"
    case TypeField::IpVersion: return ip_version(s, in_link_header(s, 0, 1), number);
    case TypeField::OnlyIpv4: return truth(s, number == ethertype::Ip);
    case TypeField::OnlyIpv6: return truth(s, number == ethertype::Ip6);
    case TypeField::OnlyAppletalk: return truth(s, number == ethertype::Atalk);
    case TypeField::None: break;
  }
  return fail(Code::LinkType, s.span, fmt::format("link-layer type filtering not implemented for DLT_{} ({})",
                                                  s.layers.link->name, s.layers.link->description),
              "its frames do not say which protocol they carry, or not in a way that is known here: compare bytes, as in 'link[0] = 1'");
}

}  // namespace weir::resolve
