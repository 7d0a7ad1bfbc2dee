#include <fmt/format.h>

#include "resolve/families.hpp"
#include "wire/protocol.hpp"

namespace weir::resolve {
namespace {

using ast::TunnelKind;
namespace et = wire::ethertype;

std::optional<Diagnostic> check_number(const ast::Tunnel& t, std::string_view what, std::uint32_t maximum) {
  if (!t.number || *t.number <= maximum) return std::nullopt;
  return out_of_range(t.number_span, what, *t.number, maximum).error();
}

// ---- VLAN: IEEE 802.1Q-2022 §9.6 -----------------------------------------------------------------

constexpr std::uint32_t tag_size = 4, vid_mask = 0x0fff;

Test tag_protocol(const Site& s) {
  std::vector<ExprId> tests;
  for (const std::uint32_t number : {et::Vlan, et::Qinq, et::Qinq2}) {
    WEIR_TRY(test, link_protocol(s, number));
    tests.push_back(test);
  }
  return any(s, tests);
}

ExprId vid_is(const Site& s, ValueId tag, std::uint32_t vid) { return masked(s, tag, vid_mask, vid); }

Test inline_vlan(const Site& s, const ast::Tunnel& t, Layers& after) {
  WEIR_TRY(tagged, tag_protocol(s));
  after.payload.constant += tag_size;
  after.type.constant += tag_size;
  // The tag's own two bytes stand where the payload would start without it.
  return t.number ? all(s, {tagged, vid_is(s, in_network(s, 0, 2), *t.number)}) : tagged;
}

/// The kernel takes the outer tag out of the packet and into its metadata, but not always. Where it is in the packet,
/// later headers lie 4 bytes further: from the moment that the question is asked, whatever the answer.
Test metadata_vlan(const Site& s, const ast::Tunnel& t, Layers& after) {
  pred::Filter& f = s.filter;
  const auto in_metadata = [&] { return equals(s, f.meta(Meta::VlanTagPresent), 1); };
  WEIR_TRY(tagged, tag_protocol(s));
  const std::uint32_t asked = f.mark_count++;
  const ExprId tag = any(s, {in_metadata(), all(s, {f.mark(asked, s.span), tagged})});
  const ValueId shift = f.choice(f.passed(asked, s.span), f.constant(tag_size), f.constant(0));
  after.payload.variable = after.type.variable = shift;
  if (!t.number) return tag;
  const ValueId tci = f.choice(in_metadata(), f.meta(Meta::VlanTag), in_network(s, 0, 2));
  return all(s, {tag, vid_is(s, tci, *t.number)});
}

Test vlan(const Site& s, const ast::Tunnel& t, Layers& after) {
  if (s.layers.mpls_labels > 0) return fail(Code::LinkType, s.span, "no VLAN match after MPLS");
  if (s.layers.layout().vlan == wire::Vlan::None) return not_on_link_type(s, "vlan");
  if (auto wrong = check_number(t, "VLAN tag", vid_mask)) return std::unexpected(*wrong);
  ++after.vlans;
  const bool kernel_may_hold_it = s.target.linux_ext && s.layers.vlans == 0 && s.layers.outermost() &&
                                  s.layers.layout().vlan == wire::Vlan::InMetadata;
  return kernel_may_hold_it ? metadata_vlan(s, t, after) : inline_vlan(s, t, after);
}

// ---- MPLS: RFC 3032 ------------------------------------------------------------------------------

constexpr std::uint32_t label_size = 4, max_label = 0xfffff, label_shift = 12;

Test mpls_follows(const Site& s) {
  if (s.layers.mpls_labels > 0)  // not the last label of the stack
    return no(s, any_bit(s, field(s, network_header(s.layers), 0u - label_size + 2, 1), 1));
  if (!s.layers.layout().mpls) return not_on_link_type(s, "mpls");
  const bool ppp = s.layers.layout().type_field == wire::TypeField::Ppp;
  return link_protocol(s, ppp ? wire::ppp::MplsUnicast : et::Mpls);
}

Test mpls(const Site& s, const ast::Tunnel& t, Layers& after) {
  WEIR_TRY(follows, mpls_follows(s));
  if (auto wrong = check_number(t, "MPLS label", max_label)) return std::unexpected(*wrong);
  after.network += label_size;
  after.network_no_snap += label_size;
  ++after.mpls_labels;
  if (!t.number) return follows;
  return all(s, {follows, masked(s, in_network(s, 0, 4), max_label << label_shift, *t.number << label_shift)});
}

// ---- PPPoE: RFC 2516 §4 --------------------------------------------------------------------------

Test pppoe_session(const Site& s, const ast::Tunnel& t, Layers& after) {
  constexpr std::uint32_t header = 6, session = 2, ppp_protocol_field = 2;
  WEIR_TRY(follows, link_protocol(s, et::PppoeSession));
  if (auto wrong = check_number(t, "PPPoE session number", 0xffff)) return std::unexpected(*wrong);
  after.link = wire::find_link_type("PPP");
  after.link_header = {s.layers.payload.variable, s.layers.payload.constant + s.layers.network + header};
  after.type = after.link_header;  // there is no HDLC framing
  after.payload = {s.layers.payload.variable, after.link_header.constant + ppp_protocol_field};
  after.network = after.network_no_snap = 0;
  after.encapsulated = after.lane = after.cooked = false;
  return t.number ? all(s, {follows, equals(s, in_network(s, session, 2), *t.number)}) : follows;
}

// ---- Geneve (RFC 8926) and VXLAN (RFC 7348) --------------------------------------------------------

/// Both are UDP; their headers are 8 bytes and more, with the virtual network in bytes 4 to 6.
struct Overlay {
  std::string_view number;
  std::uint16_t port;
  std::uint8_t flags_mask, flags;  ///< of the first byte
};
constexpr Overlay geneve{"Geneve VNI", 6081, 0xc0, 0};  // version 0
constexpr Overlay vxlan{"VXLAN VNI", 4789, 0xff, 0x08};  // a VNI is there
constexpr std::uint32_t udp_header = 8;

template <class Field>
Test overlay_follows(const Site& s, const Overlay& o, const ast::Tunnel& t, bool ipv6, Field field_at) {
  WEIR_TRY(udp, udp_to_port(s, ipv6, o.port));
  std::vector<ExprId> tests{udp, masked(s, field_at(udp_header, 1), o.flags_mask, o.flags)};
  if (t.number) tests.push_back(masked(s, field_at(udp_header + 4, 4), 0xffffff00, *t.number << 8));
  return all(s, tests);
}

/// Where the overlay's header starts: behind UDP behind the IP header that was found, IPv4 where `ipv4` holds.
ValueId overlay_header(const Site& s, ExprId ipv4) {
  pred::Filter& f = s.filter;
  const Offset network = network_header(s.layers);
  ValueId v6 = f.constant(ipv6_header);
  if (network.variable != pred::no_value) v6 = f.binary(Arith::Add, v6, network.variable);
  const ValueId transport = f.choice(ipv4, ipv4_payload(s).variable, v6);
  return f.binary(Arith::Add, transport, f.constant(network.constant + udp_header));
}

/// The three offsets of the frame inside; they count as 0 where the tunnel did not match.
void enter_frame(const Site& s, Layers& after, std::uint32_t mark, ValueId header, ValueId type, ValueId payload) {
  pred::Filter& f = s.filter;
  const auto if_matched = [&](ValueId v) {
    return Offset{f.choice(f.passed(mark, s.span), v, f.constant(0)), 0};
  };
  after.link = wire::find_link_type("EN10MB");
  after.link_header = if_matched(header);
  after.type = if_matched(type);
  after.payload = if_matched(payload);
  after.network = 0;
  after.encapsulated = true;
  after.lane = after.cooked = false;
}

/// RFC 8926 §3.4: the length of the options in words is in the low 6 bits of the first byte; the protocol is an EtherType,
/// which may be that of a frame (Trans-Ether bridging) or of a packet without one.
void enter_geneve(const Site& s, Layers& after, std::uint32_t mark, ValueId start) {
  pred::Filter& f = s.filter;
  const auto plus = [&](ValueId v, std::uint32_t k) { return f.binary(Arith::Add, v, f.constant(k)); };
  const ValueId words = f.binary(Arith::And, f.load(1, start, 0), f.constant(0x3f));
  const ValueId end = f.binary(Arith::Add, start, plus(f.binary(Arith::Mul, words, f.constant(4)), 8));
  const auto by_type = [&](ValueId frame, ValueId bare) {
    return f.choice(equals(s, f.load(2, start, 2), et::Teb), frame, bare);
  };
  enter_frame(s, after, mark, end, by_type(plus(end, 12), plus(start, 2)), by_type(plus(end, 14), end));
}

void enter_vxlan(const Site& s, Layers& after, std::uint32_t mark, ValueId start) {
  pred::Filter& f = s.filter;
  const auto plus = [&](std::uint32_t k) { return f.binary(Arith::Add, start, f.constant(k)); };
  enter_frame(s, after, mark, plus(8), plus(8 + 12), plus(8 + 14));
}

Test overlay(const Site& s, const Overlay& o, const ast::Tunnel& t, Layers& after) {
  if (auto wrong = check_number(t, o.number, 0xffffff)) return std::unexpected(*wrong);
  const auto behind4 = [&](std::uint32_t at, std::uint32_t size) { return in_ipv4_payload(s, at, size); };
  const auto behind6 = [&](std::uint32_t at, std::uint32_t size) { return in_ipv6_payload(s, at, size); };
  WEIR_TRY(v4, overlay_follows(s, o, t, false, behind4));
  WEIR_TRY(v6, overlay_follows(s, o, t, true, behind6));
  // Where no type field tells IPv4 from IPv6, what tells is which of the two was found.
  const bool ambiguous = s.layers.layout().type_field == wire::TypeField::Magic && s.layers.mpls_labels == 0;
  const std::uint32_t found4 = ambiguous ? s.filter.mark_count++ : 0;
  if (ambiguous) v4 = all(s, {v4, s.filter.mark(found4, s.span)});
  WEIR_TRY(ipv4, ambiguous ? Test(s.filter.passed(found4, s.span)) : link_protocol(s, et::Ip));
  const ValueId start = overlay_header(s, ipv4);
  const std::uint32_t mark = s.filter.mark_count++;
  if (t.kind == TunnelKind::Geneve)
    enter_geneve(s, after, mark, start);
  else
    enter_vxlan(s, after, mark, start);
  return all(s, {any(s, {v4, v6}), s.filter.mark(mark, s.span)});
}

}  // namespace

Test tunnel(const Site& s, const ast::Tunnel& t, Layers& after) {
  after = s.layers;
  switch (t.kind) {
    case TunnelKind::Vlan: return vlan(s, t, after);
    case TunnelKind::Mpls: return mpls(s, t, after);
    case TunnelKind::Pppoed: return link_protocol(s, et::PppoeDiscovery);
    case TunnelKind::Pppoes: return pppoe_session(s, t, after);
    case TunnelKind::Geneve: return overlay(s, geneve, t, after);
    case TunnelKind::Vxlan: return overlay(s, vxlan, t, after);
  }
  return not_on_link_type(s, "tunnel");
}

std::string hint_about_several(const Site& s, const ast::Tunnel& t, const ast::Id& next) {
  constexpr const char* words[] = {"vlan", "mpls", "pppoed", "pppoes", "geneve", "vxlan"};
  const char* word = words[static_cast<int>(t.kind)];
  const std::string one = fmt::format("'{}' takes one number, and a second '{}' is looked for inside the first", word, word);
  const Offset& inside = s.layers.payload;
  const bool tag_lies_still = inside.variable == pred::no_value && s.layers.link_header.variable == pred::no_value && s.layers.vlans == 1;
  if (t.kind != TunnelKind::Vlan || !tag_lies_still || next.kind != ast::IdKind::Number) return one;
  const std::string tag = fmt::format("ether[{}:2] & 0xfff", inside.constant - tag_size - s.layers.link_header.constant);
  return fmt::format("{}: 'vlan and ({} = {} or {} = {})'", one, tag, *t.number, tag, next.value);
}

}  // namespace weir::resolve
