#include "packets.hpp"

#include "values.hpp"

namespace weir::oracle {
namespace {

using Bytes = std::vector<std::uint8_t>;

void put(Bytes& to, std::uint64_t value, int size) {
  while (size-- > 0) to.push_back(static_cast<std::uint8_t>(value >> 8 * size));
}
void put(Bytes& to, const Bytes& more) { to.insert(to.end(), more.begin(), more.end()); }
void put_random(Bytes& to, std::size_t n, Random& r) {
  while (n-- > 0) to.push_back(r.byte());
}
void put_mac(Bytes& to, Random& r) {
  const auto& mac = mac_numbers[r.below(mac_numbers.size())];
  to.insert(to.end(), mac.begin(), mac.end());
}
std::uint16_t port(Random& r) { return ports[r.below(ports.size())]; }

Payload payload(Random& r, int depth);
Bytes ethernet(Random& r, const Payload& p);

// ---- transport -------------------------------------------------------------------------------

Bytes tcp(Random& r) {
  Bytes b;
  put(b, port(r), 2);
  put(b, port(r), 2);
  put_random(b, 8, r);
  const std::uint32_t words = r.percent(70) ? 5 : r.between(5, 8);
  put(b, words << 4, 1);
  put(b, r.pick({0x02u, 0x12u, 0x10u, 0x18u, 0x11u, 0x04u, 0x00u, 0xc2u}), 1);
  put_random(b, 6 + 4 * (words - 5), r);
  put_random(b, r.below(24), r);
  return b;
}

/// RFC 8926: version and options length, flags, protocol type, VNI, options.
Bytes geneve(Random& r, int depth) {
  Bytes b;
  const Payload inner = payload(r, depth - 1);
  const bool bridged = r.percent(50);
  const std::uint32_t options = r.below(3);
  put(b, options, 1);
  put(b, r.pick({0x00u, 0x40u, 0x80u}), 1);
  put(b, bridged ? 0x6558 : inner.type, 2);
  put(b, r.pick({0u, 10u, 11u, 0xffffffu}) << 8, 4);
  put_random(b, options * 4, r);
  put(b, bridged ? ethernet(r, inner) : inner.bytes);
  return b;
}

/// RFC 7348: flags, VNI, an Ethernet frame.
Bytes vxlan(Random& r, int depth) {
  Bytes b;
  put(b, r.percent(90) ? 0x08000000 : 0, 4);
  put(b, r.pick({0u, 10u, 11u, 100u, 0xffffffu}) << 8, 4);
  put(b, ethernet(r, payload(r, depth - 1)));
  return b;
}

Bytes udp(Random& r, int depth) {
  Bytes b, inner;
  std::uint16_t to = port(r);
  if (depth > 0 && r.percent(30)) {
    to = r.percent(50) ? 6081 : 4789;
    inner = to == 6081 ? geneve(r, depth) : vxlan(r, depth);
  } else {
    put_random(inner, r.below(32), r);
  }
  put(b, port(r), 2);
  put(b, to, 2);
  put(b, 8 + inner.size(), 2);
  put(b, 0, 2);
  put(b, inner);
  return b;
}

/// RFC 4302: next header, length in words minus 2; then more of the same kind.
Bytes transport(Random& r, std::uint8_t protocol, int depth);
Bytes authentication(Random& r, int depth) {
  Bytes b;
  const std::uint8_t next = r.pick<std::uint8_t>(ip_protocols);
  const std::uint32_t words = r.between(1, 4);
  put(b, next, 1);
  put(b, words, 1);
  put_random(b, 4 * (words + 2) - 2, r);
  put(b, transport(r, next, depth - 1));
  return b;
}

/// RFC 8200 section 4: next header, length in eight bytes minus 1. A fragment header's length is fixed.
Bytes extension(Random& r, bool fragment, int depth) {
  Bytes b;
  const std::uint8_t next = r.pick<std::uint8_t>(ip_protocols);
  const std::uint32_t blocks = fragment ? 0 : r.below(3);
  put(b, next, 1);
  put(b, fragment && r.percent(50) ? 0 : blocks, 1);
  put_random(b, 6 + 8 * blocks, r);
  put(b, transport(r, next, depth - 1));
  return b;
}

Bytes transport(Random& r, std::uint8_t protocol, int depth) {
  if (depth < -3) return {};
  switch (protocol) {
    case 6: return tcp(r);
    case 17: return udp(r, depth);
    case 51: return authentication(r, depth);
    case 0:
    case 43:
    case 60: return extension(r, false, depth);
    case 44: return extension(r, true, depth);
    default: break;
  }
  Bytes b;
  if (protocol == 132) {
    put(b, port(r), 2);
    put(b, port(r), 2);
  }
  if (protocol == 1 || protocol == 58) put(b, r.pick({0u, 3u, 5u, 8u, 11u, 128u, 129u, 133u, 135u}), 1);
  put_random(b, 4 + r.below(24), r);
  return b;
}

// ---- network ---------------------------------------------------------------------------------

Payload ipv4(Random& r, int depth) {
  Bytes b;
  const std::uint8_t protocol = r.percent(60) ? r.pick<std::uint8_t>({6, 17, 1, 132}) : r.pick<std::uint8_t>(ip_protocols);
  const std::uint32_t words = r.percent(75) ? 5 : r.between(5, 8);
  const Bytes inner = transport(r, protocol, depth);
  put(b, 0x40 | words, 1);
  put(b, r.pick({0u, 0x10u, 0xb8u}), 1);
  put(b, 4 * words + inner.size(), 2);
  put(b, r.word(), 2);
  put(b, r.percent(70) ? r.pick({0u, 0x4000u}) : r.pick({0x2000u, 0x2001u, 0x1fffu, 0x00b9u, 0x8000u}), 2);
  put(b, r.pick({1u, 64u, 255u}), 1);
  put(b, protocol, 1);
  put(b, r.word(), 2);
  put(b, ipv4_numbers[r.below(ipv4_numbers.size())], 4);
  put(b, ipv4_numbers[r.below(ipv4_numbers.size())], 4);
  put_random(b, 4 * (words - 5), r);
  put(b, inner);
  return {0x0800, b};
}

Payload ipv6(Random& r, int depth) {
  Bytes b;
  const std::uint8_t next = r.percent(50) ? r.pick<std::uint8_t>({6, 17, 58, 44}) : r.pick<std::uint8_t>(ip_protocols);
  const Bytes inner = transport(r, next, depth);
  put(b, 0x60000000 | r.word() >> 8, 4);
  put(b, inner.size(), 2);
  put(b, next, 1);
  put(b, r.pick({1u, 64u, 255u}), 1);
  for (int i = 0; i < 2; ++i)
    for (const std::uint32_t word : ipv6_numbers[r.below(ipv6_numbers.size())]) put(b, word, 4);
  put(b, inner);
  return {0x86dd, b};
}

Payload arp(Random& r) {
  Bytes b;
  put(b, 1, 2);
  put(b, 0x0800, 2);
  put(b, 0x0604, 2);
  put(b, r.between(1, 4), 2);
  for (int i = 0; i < 2; ++i) {
    put_mac(b, r);
    put(b, ipv4_numbers[r.below(ipv4_numbers.size())], 4);
  }
  return {static_cast<std::uint16_t>(r.percent(80) ? 0x0806 : 0x8035), b};
}

Payload vlan(Random& r, int depth) {
  Bytes b;
  const Payload inner = payload(r, depth - 1);
  put(b, r.pick({1u, 2u, 10u, 0x600au, 4095u, 0u}), 2);
  put(b, inner.type, 2);
  put(b, inner.bytes);
  return {r.pick<std::uint16_t>({0x8100, 0x88a8, 0x9100}), b};
}

Payload mpls(Random& r, int depth) {
  Bytes b;
  const std::uint32_t labels = r.between(1, 3);
  for (std::uint32_t i = 1; i <= labels; ++i)
    put(b, r.pick({16u, 100u, 1023u, 0u, 0xfffffu}) << 12 | (i == labels ? 0x100 : 0) | 64, 4);
  put(b, r.percent(60) ? ipv4(r, depth - 1).bytes : ipv6(r, depth - 1).bytes);
  return {static_cast<std::uint16_t>(r.percent(80) ? 0x8847 : 0x8848), b};
}

/// RFC 2516: version and type, code, session, length; a session carries PPP.
Payload pppoe(Random& r, int depth) {
  Bytes b;
  const bool session = r.percent(75);
  const bool v6 = r.percent(40);
  const Bytes inner = v6 ? ipv6(r, depth - 1).bytes : ipv4(r, depth - 1).bytes;
  put(b, 0x11, 1);
  put(b, session ? 0 : 9, 1);
  put(b, r.pick({1u, 10u, 0x3bu, 65535u}), 2);
  put(b, inner.size() + 2, 2);
  if (session) put(b, r.percent(80) ? (v6 ? 0x57u : 0x21u) : r.pick({0xc021u, 0x2bu, 0x23u}), 2);
  put(b, inner);
  return {static_cast<std::uint16_t>(session ? 0x8864 : 0x8863), b};
}

/// 802.2: DSAP, SSAP, control of one or two bytes; SNAP; OSI.
Payload llc(Random& r) {
  Bytes b;
  const std::uint32_t sap = r.pick({0x42u, 0xaau, 0xe0u, 0xf0u, 0xfeu, 0x06u, 0xffu, 0x00u});
  put(b, sap, 1);
  put(b, r.percent(85) ? sap : r.byte(), 1);
  put(b, r.pick({0x03u, 0xafu, 0x7fu, 0x63u, 0x0fu, 0x6fu, 0x43u, 0xe3u, 0x87u, 0x01u, 0x05u, 0x09u, 0x00u, 0x02u}), 1);
  if (sap == 0xaa) {
    put(b, r.pick({0u, 0xf8u, 0x080007u, 0x00000cu}), 3);
    put(b, ethertypes[r.below(ethertypes.size())], 2);
  } else if (sap == 0xfe) {
    put(b, r.pick({0x81u, 0x82u, 0x83u}), 1);
    put_random(b, 3, r);
    put(b, r.pick({15u, 16u, 17u, 18u, 20u, 24u, 25u, 26u, 27u}) | (r.percent(30) ? 0x80 : 0), 1);
  }
  put_random(b, 20 + r.below(20), r);
  return {static_cast<std::uint16_t>(b.size()), b};
}

Payload other(Random& r) {
  Bytes b;
  put_random(b, 20 + r.below(30), r);
  return {r.pick<std::uint16_t>(ethertypes), b};
}

Payload payload(Random& r, int depth) {
  const std::uint32_t what = r.below(100);
  if (depth <= 0 || what < 45) return r.percent(65) ? ipv4(r, depth) : ipv6(r, depth);
  if (what < 55) return arp(r);
  if (what < 65) return vlan(r, depth);
  if (what < 72) return mpls(r, depth);
  if (what < 80) return pppoe(r, depth);
  return what < 92 ? llc(r) : other(r);
}

// ---- link ------------------------------------------------------------------------------------

Bytes ethernet(Random& r, const Payload& p) {
  Bytes b;
  put_mac(b, r);
  put_mac(b, r);
  put(b, p.type, 2);
  put(b, p.bytes);
  return b;
}

}  // namespace

Bytes radio_header(wire::Prefix prefix, Random& r) {
  Bytes b;
  if (prefix == wire::Prefix::None) return b;
  if (prefix == wire::Prefix::Avs || (prefix == wire::Prefix::Prism && r.percent(50))) {
    const std::uint32_t length = r.pick({64u, 8u, 20u});
    put(b, 0x80211001, 4);
    put(b, length, 4);
    put_random(b, length - 8, r);
    return b;
  }
  if (prefix == wire::Prefix::Prism) {
    put(b, 0x44, 4);
    put_random(b, 140, r);
    return b;
  }
  // Little-endian length, then presence bits or the link type of PPI.
  const std::uint32_t length = r.pick({8u, 8u, 9u, 16u, 25u, 36u});
  put(b, 0, 2);
  put(b, length, 1);
  put(b, 0, 1);
  if (prefix == wire::Prefix::Ppi) {
    put(b, r.percent(85) ? 0x69000000 : r.below(200) << 24, 4);
    put_random(b, length - 8, r);
  } else {
    put_random(b, length - 4, r);
  }
  return b;
}

namespace {

/// An 802.11 frame with up to four addresses, behind whatever stands before it.
Bytes wlan(Random& r, const Payload& p, wire::Prefix prefix) {
  Bytes b = radio_header(prefix, r);
  const std::uint32_t type = r.percent(70) ? 2 : r.below(4);
  const std::uint32_t subtype = type == 2 ? r.pick({0u, 8u, 4u, 12u}) : r.below(16);
  const std::uint32_t flags = r.pick({0u, 1u, 2u, 3u, 0x40u, 0x42u});
  put(b, subtype << 4 | type << 2, 1);
  put(b, flags, 1);
  put_random(b, 2, r);
  for (int i = 0; i < 3; ++i) put_mac(b, r);
  put_random(b, 2, r);
  if ((flags & 3) == 3) put_mac(b, r);
  if ((subtype & 8) != 0 && type == 2) put_random(b, 2, r);
  if (p.type >= 1536) {
    put(b, 0xaaaa03000000, 6);
    put(b, p.type, 2);
  }
  put(b, p.bytes);
  return b;
}

/// The address families that differ between systems are all there (AF_INET6 is 10, 24, 28 or 30).
Bytes family(Random& r, const Payload& p, bool network_order) {
  const std::uint32_t af = p.type == 0x0800 ? 2 : p.type == 0x86dd ? r.pick({10u, 24u, 28u, 30u}) : r.below(40);
  Bytes b;
  put(b, network_order != r.percent(10) ? af : __builtin_bswap32(af), 4);
  put(b, p.bytes);
  return b;
}

Bytes sll(Random& r, const Payload& p) {
  Bytes b;
  put(b, r.below(5), 2);
  put(b, 1, 2);
  put(b, 6, 2);
  put_mac(b, r);
  put(b, 0, 2);
  put(b, p.type >= 1536 ? p.type : r.pick({0x0001u, 0x0004u}), 2);
  put(b, p.bytes);
  return b;
}

Bytes sll2(Random& r, const Payload& p) {
  Bytes b;
  put(b, p.type >= 1536 ? p.type : r.pick({0x0001u, 0x0004u}), 2);
  put(b, 0, 2);
  put(b, r.pick({1u, 2u, 5u}), 4);
  put(b, 1, 2);
  put(b, r.below(5), 1);
  put(b, 6, 1);
  put_mac(b, r);
  put(b, 0, 2);
  put(b, p.bytes);
  return b;
}

/// RFC 1661; the numbers of network protocols from IANA's PPP registry.
Bytes ppp(Random& r, const Payload& p) {
  Bytes b;
  put(b, r.pick({0xff03u, 0x0f00u, 0x8f00u}), 2);
  put(b, p.type == 0x0800   ? 0x21u
         : p.type == 0x86dd ? 0x57u
         : p.type == 0x8847 ? 0x281u
         : p.type == 0x8848 ? 0x283u
                            : r.pick({0xc021u, 0x23u, 0x25u, 0x27u, 0x29u, 0x2bu, 0x31u, 0x3fu}), 2);
  put(b, p.bytes);
  return b;
}

/// What a type field must hold for a payload to be found; random where there is no way to say it.
std::uint32_t type_code(Random& r, const Payload& p, const wire::Layout& layout) {
  const bool v4 = p.type == 0x0800, v6 = p.type == 0x86dd;
  switch (layout.type_field) {
    case wire::TypeField::Ppp: return v4 ? 0x21 : v6 ? 0x57 : r.pick({0xc021u, 0x23u, 0x29u, 0x2bu});
    case wire::TypeField::PppVj: return v4 ? r.pick({0x21u, 0x2du, 0x2fu}) : v6 ? 0x57u : 0xc021u;
    case wire::TypeField::FamilyByte: return v4 ? 2 : v6 ? r.pick({10u, 24u, 26u, 28u, 30u}) : r.below(40);
    case wire::TypeField::Arcnet: return v4 ? r.pick({212u, 240u}) : v6 ? 196 : p.type == 0x0806 ? 213 : r.pick({214u, 221u, 241u});
    case wire::TypeField::Hdlc: return p.type >= 1536 ? p.type : 0xfefe;
    default: return p.type;
  }
}

void overwrite(Bytes& b, std::uint32_t at, std::uint32_t value, int size) {
  for (int i = 0; i < size && at + static_cast<std::uint32_t>(i) < b.size(); ++i)
    b[at + static_cast<std::uint32_t>(i)] = static_cast<std::uint8_t>(value >> 8 * (size - 1 - i));
}

/// A header made from what the layout says of it: random but for the fields that are looked at.
Bytes by_layout(Random& r, const Payload& p, const wire::Layout& layout) {
  Bytes b;
  const bool has_payload = layout.payload != wire::unset;
  put_random(b, layout.pf ? 64 : has_payload ? layout.payload : 0, r);
  if (layout.pf) b[0] = static_cast<std::uint8_t>(r.pick({61u, 64u, 62u}));
  if (layout.type_offset != wire::unset && r.percent(90)) {
    const bool byte = layout.type_field == wire::TypeField::FamilyByte || layout.type_field == wire::TypeField::Arcnet;
    if (layout.type_field != wire::TypeField::Llc) overwrite(b, layout.type_offset, type_code(r, p, layout), byte ? 1 : 2);
  }
  if (layout.type_field == wire::TypeField::Magic && r.percent(90)) overwrite(b, 0, 0x4d4743, 3);
  if (layout.atm) b[0] = static_cast<std::uint8_t>(r.pick({1u, 2u, 2u, 5u}) | (r.percent(50) ? 0x80u : 0u));
  if (layout.atm && r.percent(60)) overwrite(b, 1, r.pick({0u, 1u, 3u}) << 16 | r.pick({1u, 2u, 3u, 4u, 5u, 16u}), 3);
  if (layout.direction.size > 0 && r.percent(80))
    overwrite(b, layout.direction.offset, r.below(5), static_cast<int>(layout.direction.size));
  if (layout.addresses == wire::Addresses::Mac48)
    for (const std::uint32_t at : {layout.destination, layout.source}) {
      const auto& mac = mac_numbers[r.below(mac_numbers.size())];
      for (std::uint32_t i = 0; i < 6; ++i) overwrite(b, layout.header + at + i, mac[i], 1);
    }
  if (layout.addresses == wire::Addresses::Mac8) {
    put_random(b, 5, r);
    for (const std::uint32_t at : {layout.destination, layout.source}) overwrite(b, at, r.pick({0x1fu, 0u, 0xffu, 7u, 0x5au}), 1);
  }
  if (layout.atm && (b[0] & 0xf) == 1) {
    put(b, r.percent(20) ? 0xff00 : r.below(5), 2);
    put(b, ethernet(r, p));
    return b;
  }
  if (layout.type_field == wire::TypeField::FrameRelay) {
    put(b, 0x0841, 2);
    put(b, 0x0300 | (p.type == 0x0800 ? 0xcc : p.type == 0x86dd ? 0x8e : r.pick({0x81u, 0x82u, 0x83u})), 2);
  }
  if (layout.type_field == wire::TypeField::Llc && p.type >= 1536) {
    put(b, 0xaaaa03000000, 6);
    put(b, p.type, 2);
  }
  if (layout.mtp2) {
    put_random(b, *layout.mtp2, r);
    put(b, r.below(256), 2);
    put(b, r.pick({0u, 1u, 2u, 3u, 0x3fu, 0x83u}), 1);
    put_random(b, 1, r);
    put(b, r.pick({0u, 0x0080u, 0x0100u, 0x0180u, 0x1234u}), 2);
  }
  put(b, p.bytes);
  return b;
}

/// What a link type can carry: raw IP nothing but that.
Payload payload_for(std::string_view link_type, Random& r) {
  if (link_type != "RAW" && link_type != "IPV4" && link_type != "IPV6") return payload(r, 2);
  const bool v6 = link_type == "IPV6" || (link_type == "RAW" && r.percent(40));
  return v6 ? ipv6(r, 2) : ipv4(r, 2);
}

}  // namespace

std::vector<std::uint8_t> framed(std::string_view link_type, const Payload& p, Random& r) {
  const wire::Layout& layout = wire::find_link_type(link_type)->layout;
  if (link_type == "EN10MB") return ethernet(r, p);
  if (link_type == "NULL") return family(r, p, false);
  if (link_type == "LOOP") return family(r, p, true);
  if (link_type == "LINUX_SLL") return sll(r, p);
  if (link_type == "LINUX_SLL2") return sll2(r, p);
  if (link_type == "PPP") return ppp(r, p);
  if (layout.addresses == wire::Addresses::Wlan) return wlan(r, p, layout.prefix);
  if (link_type == "RAW" || link_type == "IPV4" || link_type == "IPV6") return p.bytes;
  return by_layout(r, p, layout);
}

Sample realistic_packet(std::string_view link_type, Random& random) {
  Sample s;
  s.bytes = framed(link_type, payload_for(link_type, random), random);
  s.length = static_cast<std::uint32_t>(s.bytes.size());
  if (random.percent(10)) s.length += random.below(2000);
  if (s.bytes.size() > 13) s.meta.protocol = std::uint32_t{s.bytes[12]} << 8 | s.bytes[13];
  s.meta.packet_type = random.below(5);
  s.meta.interface_index = random.pick({0u, 1u, 2u, 5u});
  s.meta.vlan_tag_present = random.percent(40) ? 1 : 0;
  if (s.meta.vlan_tag_present != 0) {
    s.meta.vlan_tag = random.pick({1u, 2u, 10u, 0x600au, 4095u});
    s.meta.vlan_protocol = random.pick({0x8100u, 0x88a8u});
  }
  return s;
}

}  // namespace weir::oracle
