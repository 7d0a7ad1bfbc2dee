// The families of primitives, a file each. All give the test that the primitive stands for.
#pragma once
#include <optional>
#include <string>

#include "ast/expr.hpp"
#include "resolve/site.hpp"

namespace weir::resolve {

using Test = Result<ExprId>;

// link.cc: which network protocol a frame carries.
/// `link proto N`: N is an EtherType (above 1500) or an LLC SAP.
Test link_protocol(const Site& s, std::uint32_t number);
/// A frame that begins with an Ethernet header of its own inside Geneve or VXLAN; nothing when that is no question.
std::optional<ExprId> has_link_header(const Site& s);
ExprId frame_relay_nlpid(const Site& s, std::uint8_t nlpid);

// proto.cc
Test abbreviation(const Site& s, ast::Protocol p);
/// `P proto N`.
Test protocol_number(const Site& s, ast::Protocol p, std::uint32_t number);
/// The number behind a protocol's name under a qualifier (`ip proto \tcp`).
Result<std::uint32_t> protocol_by_name(const Site& s, const ast::Qualifiers& q, const ast::Id& id);
ExprId ipv4_protocol(const Site& s, std::uint8_t number);
ExprId ipv6_protocol(const Site& s, std::uint8_t number);
ExprId first_fragment(const Site& s);
/// IP protocol number of a keyword such as `tcp`.
std::optional<std::uint8_t> ip_number(ast::Protocol p);

// protochain.cc
Test protochain(const Site& s, ast::Protocol p, std::uint32_t number);

// host.cc
struct Ipv4Range { std::uint32_t address, mask; };
struct Ipv6Range { std::array<std::uint32_t, 4> address, mask; };
Test ipv4_hosts(const Site& s, const ast::Qualifiers& q, std::span<const Ipv4Range> ranges, bool negated, std::string_view what);
Test ipv6_hosts(const Site& s, const ast::Qualifiers& q, std::span<const Ipv6Range> ranges, std::string_view what);
Test host_by_name(const Site& s, const ast::Qualifiers& q, const ast::Id& id);
Test net_by_name(const Site& s, const ast::Qualifiers& q, const ast::Id& id);
Test gateway(const Site& s, const ast::Qualifiers& q, const ast::Id& id);
/// Refuses the 802.11 directions (`addr1` …) where they mean nothing.
std::optional<Diagnostic> no_wlan_direction(const ast::Qualifiers& q);

// decnet.cc
Test decnet_host(const Site& s, const ast::Qualifiers& q, const ast::Id& id);

// port.cc
Test port(const Site& s, const ast::Qualifiers& q, const ast::Id& id);
Test portrange(const Site& s, const ast::Qualifiers& q, const ast::Id& id);
/// UDP to a destination port, over IPv4 or IPv6 only: what tunnels ask.
Test udp_to_port(const Site& s, bool ipv6, std::uint16_t number);

// ether.cc
Test mac48_host(const Site& s, const ast::Qualifiers& q, const names::Mac& mac, std::string_view words);
Test mac48_by_name(const Site& s, const ast::Qualifiers& q, const ast::Id& id, std::string_view words);
Test mac48(const Site& s, const ast::Qualifiers& q, const ast::Id& id);
Test mac8(const Site& s, const ast::Qualifiers& q, const ast::Id& id);
Test broadcast(const Site& s, ast::Protocol p);
Test multicast(const Site& s, ast::Protocol p);

// wlan.cc
Test wlan_host(const Site& s, ast::Direction direction, const names::Mac& mac);
ExprId wlan_multicast(const Site& s);
Test wlan_type(const Site& s, const ast::WlanType& t);
Test wlan_direction(const Site& s, const ast::WlanDirection& d);
ExprId wlan_data_frame(const Site& s);

// alternatives.cc
/// A field that is compared with numbers: `bits` says how a number lies in it, under the mask.
struct Field {
  std::string_view name;
  ValueId value;
  std::uint32_t mask;
  std::uint32_t maximum;
  std::uint32_t (*bits)(std::uint32_t);
};
Test alternatives(const Site& s, const Field& f, const ast::FieldTest& t);

// atm.cc: `after` receives the layers that primitives to the right see.
Test atm(const Site& s, const ast::Atm& a, Layers& after);
Test atm_field(const Site& s, const ast::FieldTest& t);
/// Traffic behind LLC, on SunATM; data (no control message) of LAN emulation.
ExprId atm_llc(const Site& s);
ExprId lane_data(const Site& s);

// mtp.cc: SS7
Test mtp2(const Site& s, const ast::Mtp2& m);
Test mtp3_field(const Site& s, const ast::FieldTest& t);

// pf.cc
Test pf(const Site& s, const ast::Pf& p);

// llc.cc
Test llc(const Site& s, const ast::Llc& l);
ExprId snap(const Site& s, std::uint32_t organization, std::uint16_t ethertype);

// tunnel.cc: `after` receives the layers that primitives to the right see.
Test tunnel(const Site& s, const ast::Tunnel& t, Layers& after);
/// What to write for `vlan 100 or 200`, of which the second number has no word; `s` is behind the tunnel.
std::string hint_about_several(const Site& s, const ast::Tunnel& t, const ast::Id& next);

// relation.cc
Test relation(const Site& s, const ast::Relation& r);

// packet.cc: length, single bytes, direction, interface.
Test length_test(const Site& s, const ast::LengthTest& t);
Test byte_test(const Site& s, const ast::ByteTest& t);
Test inbound(const Site& s, const ast::Inbound& i);
Test ifindex(const Site& s, const ast::Ifindex& i);

// id.cc: qualifiers and what they qualify.
/// The network that an IPv4 id without `mask` names; nothing when it is wrong in itself.
struct Ipv4Network {
  std::uint32_t address;
  std::uint8_t bits;
};
std::optional<Ipv4Network> ipv4_network(const ast::Id& id);
Test primitive(const Site& s, const ast::Qualifiers& q, const ast::Id& id);

}  // namespace weir::resolve
