#include "capture/summary.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <time.h>

#include <array>
#include <string_view>

#include "base/packet.hpp"
#include "wire/link_type.hpp"
#include "wire/protocol.hpp"

namespace weir::capture {
namespace {

using Bytes = std::span<const std::uint8_t>;
namespace ethertype = wire::ethertype;
namespace ip_protocol = wire::ip_protocol;

std::optional<std::uint32_t> at(Bytes bytes, std::uint32_t offset, std::uint32_t size) {
  return load(bytes, offset, 0, size);
}

std::string time_of_day(const Record& record, Precision precision) {
  const auto seconds = static_cast<time_t>(record.seconds);
  tm local = {};
  if (!::localtime_r(&seconds, &local)) return "??:??:??";
  const int digits = precision == Precision::Nano ? 9 : 6;
  return fmt::format("{:02}:{:02}:{:02}.{:0{}}", local.tm_hour, local.tm_min, local.tm_sec, record.fraction, digits);
}

/// A network packet: what it is by its EtherType, and where it begins.
struct Network {
  std::uint32_t type = 0;
  std::uint32_t offset = 0;
};

std::uint32_t type_of_ppp(std::uint32_t protocol) {
  if (protocol == wire::ppp::Ip) return ethertype::Ip;
  if (protocol == wire::ppp::Ip6) return ethertype::Ip6;
  return protocol;
}

/// The address families of Linux and the BSDs, in whatever byte order.
std::optional<std::uint32_t> type_of_family(std::uint32_t family) {
  switch (family < 0x10000 ? family : __builtin_bswap32(family)) {
    case wire::family::Inet: return ethertype::Ip;
    case wire::family::Inet6Linux:
    case wire::family::Inet6Bsd:
    case wire::family::Inet6FreeBsd:
    case wire::family::Inet6Darwin: return ethertype::Ip6;
    default: return std::nullopt;
  }
}

std::optional<std::uint32_t> type_of_version(Bytes bytes, std::uint32_t offset) {
  const auto first = at(bytes, offset, 1);
  if (!first) return std::nullopt;
  if (*first >> 4 == 4) return ethertype::Ip;
  if (*first >> 4 == 6) return ethertype::Ip6;
  return std::nullopt;
}

std::optional<std::uint32_t> network_type(Bytes bytes, const wire::Layout& layout) {
  const auto field = [&](std::uint32_t size) { return at(bytes, layout.type_offset, size); };
  switch (layout.type_field) {
    case wire::TypeField::None:
    case wire::TypeField::Llc:
    case wire::TypeField::Arcnet:
    case wire::TypeField::FrameRelay:
    case wire::TypeField::Magic:
    case wire::TypeField::OnlyAppletalk: return std::nullopt;
    case wire::TypeField::Ethernet:
    case wire::TypeField::Sll:
    case wire::TypeField::EtherType:
    case wire::TypeField::Hdlc: return field(2);
    case wire::TypeField::Ppp:
    case wire::TypeField::PppVj: {
      const auto protocol = field(2);
      return protocol ? std::optional(type_of_ppp(*protocol)) : std::nullopt;
    }
    case wire::TypeField::Family: {
      const auto family = field(4);
      return family ? type_of_family(*family) : std::nullopt;
    }
    case wire::TypeField::FamilyByte: {
      const auto family = field(1);
      if (!family || *family == wire::family::Inet) return family ? std::optional<std::uint32_t>(ethertype::Ip) : std::nullopt;
      return *family == layout.inet6 ? std::optional<std::uint32_t>(ethertype::Ip6) : type_of_family(*family);
    }
    case wire::TypeField::IpVersion:
    case wire::TypeField::OnlyIpv4:
    case wire::TypeField::OnlyIpv6: return type_of_version(bytes, layout.payload);
  }
  return std::nullopt;
}

std::optional<Network> find_network(Bytes bytes, const wire::Layout& layout) {
  const auto type = network_type(bytes, layout);
  if (!type) return std::nullopt;
  return Network{*type, layout.payload};
}

bool is_tag(std::uint32_t type) {
  return type == ethertype::Vlan || type == ethertype::Qinq || type == ethertype::Qinq2;
}

/// Steps over VLAN tags (IEEE 802.1Q: 2 bytes of tag, 2 of type) and names them.
std::string step_over_tags(Bytes bytes, Network& network) {
  std::string names;
  while (is_tag(network.type)) {
    const auto tag = at(bytes, network.offset, 2), type = at(bytes, network.offset + 2, 2);
    if (!tag || !type) break;
    names += fmt::format("vlan {}, ", *tag & 0xfff);
    network = {*type, network.offset + 4};
  }
  return names;
}

std::string address(Bytes bytes, std::uint32_t offset, int family) {
  const std::size_t size = family == AF_INET ? 4 : 16;
  if (offset + size > bytes.size()) return "?";
  std::array<char, INET6_ADDRSTRLEN> text = {};
  ::inet_ntop(family, bytes.data() + offset, text.data(), text.size());
  return text.data();
}

std::string tcp_flags(std::uint32_t bits) {
  static constexpr std::string_view letters = "FSRP.UEW";  // RFC 9293 section 3.1, as tcpdump writes them
  std::string flags;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (bits >> i & 1) flags += letters[i];
  }
  return flags.empty() ? "none" : flags;
}

std::string protocol_name(Bytes bytes, std::uint32_t protocol, std::uint32_t offset) {
  switch (protocol) {
    case ip_protocol::Tcp: {
      const auto flags = at(bytes, offset + 13, 1);
      return flags ? fmt::format("TCP [{}]", tcp_flags(*flags)) : "TCP";
    }
    case ip_protocol::Udp: return "UDP";
    case ip_protocol::Sctp: return "SCTP";
    case ip_protocol::Icmp: return "ICMP";
    case ip_protocol::Icmp6: return "ICMP6";
    default: return fmt::format("protocol {}", protocol);
  }
}

bool has_ports(std::uint32_t protocol) {
  return protocol == ip_protocol::Tcp || protocol == ip_protocol::Udp || protocol == ip_protocol::Sctp;
}

/// `SOURCE.PORT > DESTINATION.PORT: PROTOCOL`, the transport header at `offset`.
std::string transport(Bytes bytes, std::string from, std::string to, std::uint32_t protocol, std::uint32_t offset) {
  const auto ports = has_ports(protocol) ? at(bytes, offset, 4) : std::nullopt;
  if (ports) {
    from += fmt::format(".{}", *ports >> 16);
    to += fmt::format(".{}", *ports & 0xffff);
  }
  return fmt::format("{} > {}: {}", from, to, protocol_name(bytes, protocol, offset));
}

std::string ipv4(Bytes bytes, std::uint32_t offset) {
  const auto from = address(bytes, offset + 12, AF_INET), to = address(bytes, offset + 16, AF_INET);
  const auto first = at(bytes, offset, 1), fragment = at(bytes, offset + 6, 2), protocol = at(bytes, offset + 9, 1);
  if (!first || !fragment || !protocol) return "IP, cut off";
  if (*fragment & 0x1fff) {
    return fmt::format("IP {} > {}: fragment at {} of protocol {}", from, to, (*fragment & 0x1fff) * 8, *protocol);
  }
  return "IP " + transport(bytes, from, to, *protocol, offset + (*first & 0xf) * 4);
}

/// A header behind the IPv6 header: its kind, and where it begins.
struct NextHeader {
  std::uint32_t protocol = 0;
  std::uint32_t offset = 0;
};

bool is_extension(std::uint32_t protocol) {
  return protocol == ip_protocol::HopByHop || protocol == ip_protocol::Routing || protocol == ip_protocol::Fragment ||
         protocol == ip_protocol::DestOpts || protocol == ip_protocol::Ah;
}

/// RFC 8200 section 4: the second byte counts 8 bytes beyond the first 8; a fragment header (4.5) has no such byte.
/// RFC 4302 section 2.2: in an authentication header it counts 4 bytes beyond the first 8.
std::uint32_t extension_size(std::uint32_t protocol, std::uint32_t length) {
  if (protocol == ip_protocol::Fragment) return 8;
  return protocol == ip_protocol::Ah ? (length + 2) * 4 : (length + 1) * 8;
}

/// Where a fragment that is not the first belongs, in bytes; 0 for all else.
std::uint32_t fragment_offset(Bytes bytes, const NextHeader& header) {
  if (header.protocol != ip_protocol::Fragment) return 0;
  return at(bytes, header.offset + 2, 2).value_or(0) & 0xfff8;
}

std::string ipv6(Bytes bytes, std::uint32_t offset) {
  constexpr int most_extensions = 16;  // a packet has one or two
  const auto next = at(bytes, offset + 6, 1);
  if (!next) return "IP6, cut off";
  const auto from = address(bytes, offset + 8, AF_INET6), to = address(bytes, offset + 24, AF_INET6);
  NextHeader header = {*next, offset + 40};
  for (int i = 0; i < most_extensions && is_extension(header.protocol); ++i) {
    const auto after = at(bytes, header.offset, 1), length = at(bytes, header.offset + 1, 1);
    if (!after || !length) break;
    if (const auto place = fragment_offset(bytes, header)) {
      return fmt::format("IP6 {} > {}: fragment at {} of protocol {}", from, to, place, *after);
    }
    header = {*after, header.offset + extension_size(header.protocol, *length)};
  }
  return "IP6 " + transport(bytes, from, to, header.protocol, header.offset);
}

/// RFC 826 for Ethernet and IPv4.
std::string arp(Bytes bytes, std::uint32_t offset) {
  const auto operation = at(bytes, offset + 6, 2);
  const auto sender = address(bytes, offset + 14, AF_INET), target = address(bytes, offset + 24, AF_INET);
  if (operation == 1u) return fmt::format("ARP, who-has {} tell {}", target, sender);
  if (operation == 2u) return fmt::format("ARP, reply {} to {}", sender, target);
  return "ARP";
}

std::string other(std::uint32_t type) {
  if (type <= wire::max_ethernet_length) return "802.3";
  const auto symbol = wire::ethertype_symbol(type);
  return symbol.empty() ? fmt::format("EtherType {:#06x}", type) : std::string(symbol.substr(symbol.find('_') + 1));
}

std::string describe(Bytes bytes, const Network& network) {
  switch (network.type) {
    case ethertype::Ip: return ipv4(bytes, network.offset);
    case ethertype::Ip6: return ipv6(bytes, network.offset);
    case ethertype::Arp: return arp(bytes, network.offset);
    default: return other(network.type);
  }
}

/// IEEE 802.11-2020 section 9.2.4.1.3: the type is in the first byte behind the radiotap header, whose length is
/// little endian at offset 2.
std::string wlan(Bytes bytes, const wire::Layout& layout) {
  std::uint32_t start = 0;
  if (layout.prefix == wire::Prefix::Radiotap) {
    const auto length = at(bytes, 2, 2);
    if (!length) return "802.11, cut off";
    start = __builtin_bswap16(static_cast<std::uint16_t>(*length));
  }
  const auto control = at(bytes, start, 1);
  if (!control) return "802.11, cut off";
  static constexpr std::string_view types[] = {"management", "control", "data", "extension"};
  return fmt::format("802.11 {} subtype {}", types[*control >> 2 & 3], *control >> 4);
}

std::string content(Bytes bytes, int dlt) {
  const auto* link_type = wire::find_link_type(dlt);
  if (!link_type) return "packet";
  const auto& layout = link_type->layout;
  if (layout.type_field == wire::TypeField::Llc) return wlan(bytes, layout);
  auto network = find_network(bytes, layout);
  if (!network) return std::string(link_type->name);
  const auto tags = step_over_tags(bytes, *network);
  return tags + describe(bytes, *network);
}

}  // namespace

std::string summary(const Record& record, const Format& format) {
  return fmt::format("{} {}, length {}", time_of_day(record, format.precision), content(record.bytes, format.dlt),
                     record.length);
}

}  // namespace weir::capture
