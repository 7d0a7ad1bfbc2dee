#include "traffic.hpp"

#include <algorithm>

#include "packets.hpp"
#include "wire/link_type.hpp"

namespace weir::bench {
namespace {

using oracle::Payload;
using oracle::Random;
using oracle::Sample;
using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t most_payload = 192;  ///< bytes that are there of what a transport carries

// Words of the sections, as traffic_sections.def has them.
enum Tags : std::uint32_t { NoTag = word(0), OneTag, ProviderTag, TwoTags };
enum Network : std::uint32_t { NetIpv4 = word(0), NetIpv6, NetArp, NetRarp, NetLlc, NetMpls, NetMplsMulticast, NetSession, NetDiscovery };
enum Ipv4Pair : std::uint32_t { LocalRemote4 = word(0), RemoteLocal4, LocalLocal4, LocalMulticast4, LocalBroadcast4, NoneBroadcast4 };
enum Ipv6Pair : std::uint32_t { LocalRemote6 = word(0), RemoteLocal6, LocalLocal6, LinkLink6, LinkMulticast6 };
enum Fragment : std::uint32_t { Dont = word(0), May, First, Later };
enum Size : std::uint32_t { NoBytes = word(0), SmallSize, MediumSize, FullSize };
enum Frame80211 : std::uint32_t {
  Beacon = word(0),
  Probe,
  Management,
  Ack,
  BlockAck,
  RtsCts,
  Null,
  FromAp,
  ToAp,
  QosFromAp,
  QosToAp,
  Between
};

void put(Bytes& to, std::uint64_t value, int size) {
  while (size-- > 0) to.push_back(static_cast<std::uint8_t>(value >> 8 * size));
}
void put(Bytes& to, const Bytes& more) { to.insert(to.end(), more.begin(), more.end()); }

/// Who is spoken to, as stations see it.
enum class Cast : std::uint8_t { Station, Broadcast, Group };

class Maker {
 public:
  Maker(const TrafficModel& model, const oracle::Setting& setting, Random& random) : model_(model), setting_(setting), r_(random) {}

  Sample make() {
    outbound_ = draw(Section::PacketWay) == word(1);
    const wire::Layout& layout = wire::find_link_type(setting_.link_type)->layout;
    Sample s;
    if (layout.addresses == wire::Addresses::Wlan) s.bytes = wlan(layout.prefix);
    else if (setting_.link_type == "EN10MB") s = ethernet();
    else s.bytes = oracle::framed(setting_.link_type, network(layout), r_);
    if (setting_.link_type == "LINUX_SLL") s.bytes[1] = packet_type();
    if (setting_.link_type == "LINUX_SLL2") s.bytes[10] = packet_type();
    s.length = static_cast<std::uint32_t>(s.bytes.size() + missing_);
    s.meta.packet_type = packet_type();
    s.meta.interface_index = 2;
    return s;
  }

 private:
  std::uint32_t draw(Section s) { return model_.draw(s, r_); }
  void put_random(Bytes& to, std::size_t n) {
    while (n-- > 0) to.push_back(r_.byte());
  }
  std::uint8_t packet_type() const {
    return outbound_ ? 4 : cast_ == Cast::Broadcast ? 1 : cast_ == Cast::Group ? 2 : 0;
  }

  // ---- transport

  /// So many bytes as the section says; those that are too many to be there are counted.
  void put_payload(Bytes& to, Section section) {
    std::size_t size = 0;
    switch (draw(section)) {
      case SmallSize: size = r_.between(1, 100); break;
      case MediumSize: size = r_.between(101, 1100); break;
      case FullSize: size = r_.between(1200, 1440); break;
      default: break;
    }
    const std::size_t there = std::min(size, most_payload);
    put_random(to, there);
    missing_ += size - there;
  }

  void put_ports(Bytes& to, std::uint32_t service) {
    const std::uint32_t high = r_.between(32768, 65535);
    const std::uint32_t other = service == word(0) ? r_.between(32768, 65535) : service;
    const bool to_service = r_.percent(50);
    put(to, to_service ? high : other, 2);
    put(to, to_service ? other : high, 2);
  }

  Bytes tcp() {
    Bytes b;
    put_ports(b, draw(Section::TcpPort));
    put_random(b, 8);
    const std::uint32_t words = draw(Section::TcpWords);
    const std::uint32_t flags = draw(Section::TcpFlags);
    put(b, words << 4, 1);
    put(b, flags, 1);
    put_random(b, 6 + 4 * (words - 5));
    if ((flags & 0x07) == 0) put_payload(b, Section::TcpPayload);  // no data with SYN, FIN, RST
    return b;
  }

  Bytes udp(int depth) {
    Bytes b, inner;
    const std::uint32_t service = draw(Section::UdpPort);
    if (service == 4789 && depth > 0) {  // RFC 7348
      put(inner, 0x08000000, 4);
      put(inner, r_.between(1, 200) << 8, 4);
      put(inner, ethernet_header(ip(true, depth - 1)));
    } else if (service == 6081 && depth > 0) {  // RFC 8926
      put(inner, 0x00006558, 4);
      put(inner, r_.between(1, 200) << 8, 4);
      put(inner, ethernet_header(ip(true, depth - 1)));
    } else {
      put_payload(inner, Section::UdpPayload);
    }
    put_ports(b, service);
    put(b, 8 + inner.size() + missing_, 2);
    put_random(b, 2);
    put(b, inner);
    return b;
  }

  Bytes extension(std::uint32_t next, std::uint32_t kind, int depth) {
    Bytes b;
    put(b, next, 1);
    if (kind == 44) {  // RFC 8200 section 4.5: a third are first fragments
      put(b, 0, 1);
      put(b, r_.percent(33) ? 1 : r_.between(1, 180) << 3 | (r_.percent(50) ? 1 : 0), 2);
      put_random(b, 4);
    } else {
      put(b, kind == 51 ? 4 : 0, 1);  // RFC 4302 counts words of 4 minus 2
      put_random(b, kind == 51 ? 22 : 6);
    }
    put(b, transport(next, Section::Icmp6Type, depth));
    return b;
  }

  std::uint32_t simple_transport() { return model_.draw(Section::Ipv4Protocol, {6, 17}, r_); }

  Bytes transport(std::uint32_t protocol, Section icmp_types, int depth) {
    Bytes b;
    switch (protocol) {
      case 6: return tcp();
      case 17: return udp(depth);
      case 0: return extension(r_.percent(80) ? 58 : simple_transport(), protocol, depth);  // most are MLD reports
      case 43:
      case 44:
      case 51:
      case 60: return extension(simple_transport(), protocol, depth);
      case 4: return depth > 0 ? ip(true, depth - 1).bytes : b;
      case 41: return depth > 0 ? ip(false, depth - 1).bytes : b;
      case 59: return b;
      case 1:
      case 58:
        put(b, draw(icmp_types), 1);
        put(b, 0, 1);
        put_random(b, 2);
        break;
      case 132:
        put_ports(b, r_.percent(50) ? 36412 : word(0));
        break;
      default: break;
    }
    put_random(b, 8);
    put_payload(b, Section::UdpPayload);
    return b;
  }

  // ---- network

  std::uint32_t local4() {
    const Prefix& p = model_.prefix(draw(Section::Ipv4Local));
    std::uint32_t address = 0;
    for (const std::uint8_t byte : p.bytes) address = address << 8 | byte;
    return p.length == 32 ? address : address | r_.word() >> p.length;
  }
  std::uint32_t remote4() {
    for (;;) {
      const std::uint32_t a = r_.word(), first = a >> 24;
      if (first != 0 && first != 10 && first != 127 && first < 224) return a;
    }
  }

  /// Source and destination.
  std::array<std::uint32_t, 2> pair4() {
    switch (draw(Section::Ipv4Pair)) {
      case LocalRemote4: return {local4(), remote4()};
      case RemoteLocal4: return {remote4(), local4()};
      case LocalMulticast4: {
        cast_ = Cast::Group;
        group_ = r_.pick({0xe0000001u, 0xe00000fbu, 0xeffffffau, 0xe0000005u, 0xef010203u});
        return {local4(), group_};
      }
      case LocalBroadcast4: cast_ = Cast::Broadcast; return {local4(), r_.percent(50) ? 0xffffffff : local4() | 0xff};
      case NoneBroadcast4: cast_ = Cast::Broadcast; return {0, 0xffffffff};
      default: return {local4(), local4()};
    }
  }

  Bytes ipv4(int depth) {
    const std::uint32_t protocol = draw(Section::Ipv4Protocol);
    const std::uint32_t words = draw(Section::Ipv4Words);
    const std::uint32_t fragment = draw(Section::Ipv4Fragment);
    Bytes inner, b;
    if (fragment == Later) put_payload(inner, Section::UdpPayload);
    else inner = transport(protocol, Section::IcmpType, depth);
    put(b, 0x40 | words, 1);
    put(b, draw(Section::Ipv4Tos), 1);
    put(b, 4 * words + inner.size() + missing_, 2);
    put_random(b, 2);
    put(b,
        fragment == Dont    ? 0x4000
        : fragment == First ? 0x2000
        : fragment == Later ? r_.between(1, 400) | (r_.percent(50) ? 0x2000 : 0)
                            : 0,
        2);
    put(b, draw(Section::Ipv4Ttl), 1);
    put(b, protocol, 1);
    put_random(b, 2);
    for (const std::uint32_t address : pair4()) put(b, address, 4);
    put_random(b, 4 * (words - 5));
    put(b, inner);
    return b;
  }

  using Address6 = std::array<std::uint8_t, 16>;
  Address6 with_prefix(const Bytes& prefix, std::uint32_t length) {
    Address6 a{};
    for (std::uint32_t bit = 0; bit < 128; ++bit) {
      const bool random = bit >= length && (bit < 64 || r_.percent(50));
      const bool set = bit < length ? (prefix[bit / 8] >> (7 - bit % 8) & 1) != 0 : random && r_.percent(60);
      if (set) a[bit / 8] = static_cast<std::uint8_t>(a[bit / 8] | 0x80 >> bit % 8);
    }
    return a;
  }
  Address6 local6() {
    const Prefix& p = model_.prefix(draw(Section::Ipv6Local));
    return with_prefix(p.bytes, p.length);
  }
  Address6 remote6() { return with_prefix({0x20}, 3); }
  Address6 link6() { return with_prefix({0xfe, 0x80, 0, 0, 0, 0, 0, 0}, 64); }

  std::array<Address6, 2> pair6() {
    switch (draw(Section::Ipv6Pair)) {
      case LocalRemote6: return {local6(), remote6()};
      case RemoteLocal6: return {remote6(), local6()};
      case LinkLink6: return {link6(), link6()};
      case LinkMulticast6: {
        cast_ = Cast::Group;
        Address6 to{};
        to[0] = 0xff, to[1] = 2;
        to[15] = r_.pick<std::uint8_t>({1, 2, 0x16, 0xfb});
        return {link6(), to};
      }
      default: return {local6(), local6()};
    }
  }

  Bytes ipv6(int depth) {
    const std::uint32_t next = draw(Section::Ipv6Protocol);
    const Bytes inner = transport(next, Section::Icmp6Type, depth);
    Bytes b;
    put(b, 0x60000000 | (r_.percent(80) ? r_.word() >> 12 : 0), 4);
    put(b, inner.size() + missing_, 2);
    put(b, next, 1);
    put(b, draw(Section::Ipv4Ttl), 1);
    for (const Address6& address : pair6()) b.insert(b.end(), address.begin(), address.end());
    put(b, inner);
    return b;
  }

  Payload ip(bool v4, int depth) { return v4 ? Payload{0x0800, ipv4(depth)} : Payload{0x86dd, ipv6(depth)}; }

  Payload arp(bool reverse) {
    const bool request = r_.percent(55);
    if (request) cast_ = Cast::Broadcast;
    Bytes b;
    put(b, 0x0001080006040000 | (request ? 1 : 2) | (reverse ? 2 : 0), 8);
    for (int i = 0; i < 2; ++i) {
      put_station(b);
      put(b, local4(), 4);
    }
    put(b, Bytes(18));  // up to the shortest frame
    return {static_cast<std::uint16_t>(reverse ? 0x8035 : 0x0806), b};
  }

  Payload llc() {
    Bytes b;
    const std::uint32_t sap = draw(Section::LlcSap);
    cast_ = sap == 0x42 || sap == 0xaa ? Cast::Group : Cast::Station;
    put(b, sap << 8 | sap, 2);
    put(b, 3, 1);
    if (sap == 0xaa) put(b, r_.percent(60) ? 0x00000c2000 : 0x0000000800, 5);
    if (sap == 0xfe) put(b, 0x83, 1);
    put_random(b, 38);
    return {static_cast<std::uint16_t>(b.size()), b};
  }

  Payload mpls(bool multicast) {
    Bytes b;
    const std::uint32_t labels = draw(Section::MplsLabels);
    for (std::uint32_t i = 1; i <= labels; ++i) put(b, r_.between(16, 0xfffff) << 12 | (i == labels ? 0x100 : 0) | 64, 4);
    put(b, ip(draw(Section::MplsPayload) == word(0), 0).bytes);
    return {static_cast<std::uint16_t>(multicast ? 0x8848 : 0x8847), b};
  }

  Payload pppoe(bool session) {
    Bytes b, inner;
    const std::uint32_t what = draw(Section::PppoePayload);
    if (!session || what == word(2)) put_random(inner, 20);
    else inner = ip(what == word(0), 0).bytes;
    put(b, 0x11, 1);
    put(b, session ? 0 : r_.pick({0x09u, 0x07u, 0x19u, 0x65u}), 1);
    put(b, session ? r_.between(1, 4000) : 0, 2);
    put(b, inner.size() + missing_ + (session ? 2 : 0), 2);
    if (session) put(b, what == word(0) ? 0x21 : what == word(1) ? 0x57 : 0xc021, 2);
    put(b, inner);
    return {static_cast<std::uint16_t>(session ? 0x8864 : 0x8863), b};
  }

  Payload untagged(std::uint32_t what) {
    switch (what) {
      case NetIpv4: return ip(true, 1);
      case NetIpv6: return ip(false, 1);
      case NetArp: return arp(false);
      case NetRarp: return arp(true);
      case NetLlc: return llc();
      case NetMpls: return mpls(false);
      case NetMplsMulticast: return mpls(true);
      case NetSession: return pppoe(true);
      case NetDiscovery: return pppoe(false);
      default: break;
    }
    cast_ = Cast::Group;
    Payload other{static_cast<std::uint16_t>(what), {}};
    put_random(other.bytes, 46);
    return other;
  }

  /// What the link type can carry.
  Payload network(const wire::Layout& layout) {
    switch (layout.type_field) {
      case wire::TypeField::OnlyIpv4: return ip(true, 1);
      case wire::TypeField::OnlyIpv6: return ip(false, 1);
      case wire::TypeField::IpVersion:
      case wire::TypeField::Family:
      case wire::TypeField::FamilyByte: return ip(model_.draw(Section::Network, {NetIpv4, NetIpv6}, r_) == NetIpv4, 1);
      default: return untagged(draw(Section::Network));
    }
  }

  // ---- link

  void put_station(Bytes& to) {
    put(to, r_.percent(70) ? 0x021122 : 0x3c0754, 3);
    put(to, r_.below(64) * 0x10d3u, 3);
  }
  void put_destination(Bytes& to, const Payload& p) {
    if (cast_ == Cast::Station) return put_station(to);
    if (cast_ == Cast::Broadcast) return put(to, 0xffffffffffff, 6);
    if (p.type == 0x0800) put(to, 0x01005e000000 | (group_ & 0x7fffff), 6);
    else if (p.type == 0x86dd) put(to, 0x333300000000 | r_.pick({1u, 2u, 0x16u, 0xfbu}), 6);
    else put(to, p.type < 1536 ? 0x0180c2000000 : 0x0180c200000e, 6);
  }

  Bytes ethernet_header(const Payload& p) {
    Bytes b;
    put_destination(b, p);
    put_station(b);
    put(b, p.type, 2);
    put(b, p.bytes);
    return b;
  }

  std::uint32_t tag() { return (r_.percent(85) ? 0 : r_.below(8)) << 13 | draw(Section::VlanId); }

  static Payload tagged(std::uint16_t type, std::uint32_t tag, const Payload& p) {
    Payload outer{type, {}};
    put(outer.bytes, tag, 2);
    put(outer.bytes, p.type, 2);
    put(outer.bytes, p.bytes);
    return outer;
  }

  /// In a live capture the kernel has taken the outermost tag out of the frame.
  Sample ethernet() {
    Sample s;
    const std::uint32_t tags = draw(Section::Tag);
    Payload p = untagged(draw(Section::Network));
    const Payload inside = p;  // what it is for stations
    if (tags == ProviderTag || tags == TwoTags) p = tagged(0x8100, tag(), p);
    if (tags != NoTag) {
      const std::uint16_t type = tags == ProviderTag ? 0x88a8 : 0x8100;
      if (setting_.linux_ext) s.meta = {.vlan_tag = tag(), .vlan_tag_present = 1, .vlan_protocol = type};
      else p = tagged(type, tag(), p);
    }
    put_destination(s.bytes, inside);
    put_station(s.bytes);
    put(s.bytes, p.type, 2);
    put(s.bytes, p.bytes);
    s.meta.protocol = p.type;
    return s;
  }

  struct WlanKind { std::uint32_t control, addresses; bool sequence, data; };
  WlanKind wlan_kind() {
    switch (draw(Section::Wlan)) {
      case Beacon: return {0x8000, 3, true, false};
      case Probe: return {r_.percent(50) ? 0x4000u : 0x5000u, 3, true, false};
      case Management: return {r_.pick({0x0000u, 0x1000u, 0xb000u, 0xc000u, 0xa000u, 0xd000u}), 3, true, false};
      case Ack: return {0xd400, 1, false, false};
      case BlockAck: return {r_.percent(70) ? 0x9400u : 0x8400u, 2, false, false};
      case RtsCts: return {r_.percent(50) ? 0xb400u : 0xc400u, 2, false, false};
      case Null: return {r_.percent(50) ? 0x4801u : 0xc801u, 3, true, false};
      case FromAp: return {0x0802, 3, true, true};
      case ToAp: return {0x0801, 3, true, true};
      case QosFromAp: return {0x8802, 3, true, true};
      case QosToAp: return {0x8801, 3, true, true};
      default: return {0x8803, 4, true, true};
    }
  }

  /// IEEE 802.11-2020 clause 9.3: frame control, duration, addresses as the kind wants them.
  Bytes wlan(wire::Prefix prefix) {
    const WlanKind kind = wlan_kind();
    Bytes b = oracle::radio_header(prefix, r_);
    const bool ciphered = kind.data && r_.percent(60);
    put(b, kind.control | (ciphered ? 0x40 : 0), 2);
    put_random(b, 2);
    const Payload p = kind.data ? untagged(model_.draw(Section::Network, {NetIpv4, NetIpv6, NetArp}, r_)) : Payload{};
    for (std::uint32_t i = 0; i < kind.addresses; ++i) {
      if ((kind.control >> 8) == 0x80 && i == 0) put(b, 0xffffffffffff, 6);
      else put_station(b);
      if (i == 2 && kind.sequence) put_random(b, 2);
    }
    if (kind.data && (kind.control & 0x8000) != 0) put(b, 0, 2);  // QoS control
    if (!kind.data) put_random(b, kind.sequence ? 60 : 4);
    if (ciphered) {
      put_random(b, 8 + p.bytes.size());
    } else if (kind.data) {
      put(b, 0xaaaa03000000, 6);
      put(b, p.type, 2);
      put(b, p.bytes);
    }
    return b;
  }

  const TrafficModel& model_;
  const oracle::Setting& setting_;
  Random& r_;
  Cast cast_ = Cast::Station;
  std::uint32_t group_ = 0xe0000001;  ///< the multicast group of the packet
  std::size_t missing_ = 0;           ///< bytes of the packet that are not there
  bool outbound_ = false;
};

}  // namespace

bool frames_after_table(std::string_view link_type) {
  const wire::Layout& layout = wire::find_link_type(link_type)->layout;
  return link_type == "EN10MB" || layout.addresses == wire::Addresses::Wlan || layout.type_field != wire::TypeField::None;
}

Sample packet(const TrafficModel& model, const oracle::Setting& setting, Random& random) {
  return Maker(model, setting, random).make();
}

}  // namespace weir::bench
