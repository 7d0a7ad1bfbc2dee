// Numbers of protocols, and their names where the language itself knows them. The rows are in the .def files named
// below. Tested by tests/unit/wire/protocol_test.cc.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::wire {

/// EtherTypes (IEEE registry); rows of ethertypes.def become `ethertype::Ip` and so on.
namespace ethertype {
#define WEIR_ETHERTYPE(name, number, word, symbol) inline constexpr std::uint16_t name = number;
#include "wire/ethertypes.def"
#undef WEIR_ETHERTYPE
}  // namespace ethertype

/// IP protocol numbers (IANA).
namespace ip_protocol {
#define WEIR_IP_PROTOCOL(name, number) inline constexpr std::uint8_t name = number;
#include "wire/ip_protocols.def"
#undef WEIR_IP_PROTOCOL
}  // namespace ip_protocol

/// 802.2 service access points.
namespace llc_sap {
#define WEIR_LLC_SAP(name, number, word) inline constexpr std::uint8_t name = number;
#include "wire/llc_saps.def"
#undef WEIR_LLC_SAP
}  // namespace llc_sap

/// PPP protocol numbers (IANA "Point-to-Point Protocol Field Assignments").
namespace ppp {
inline constexpr std::uint16_t Ip = 0x0021;
inline constexpr std::uint16_t IsoNs = 0x0023;
inline constexpr std::uint16_t Ns = 0x0025;
inline constexpr std::uint16_t Decnet = 0x0027;
inline constexpr std::uint16_t Atalk = 0x0029;
inline constexpr std::uint16_t Ipx = 0x002b;
inline constexpr std::uint16_t Compressed = 0x002d;    ///< RFC 1144: TCP header compressed
inline constexpr std::uint16_t Uncompressed = 0x002f;  ///< RFC 1144: not this time
inline constexpr std::uint16_t Stp = 0x0031;
inline constexpr std::uint16_t Ip6 = 0x0057;
inline constexpr std::uint16_t MplsUnicast = 0x0281;  ///< RFC 3032 section 4.3
}  // namespace ppp

/// Values of a cooked header's protocol field that are no EtherTypes (ETH_P_ in linux/if_ether.h).
namespace sll {
inline constexpr std::uint16_t Novell = 0x0001;  ///< 802.3 without LLC
inline constexpr std::uint16_t Llc = 0x0004;     ///< an 802.2 LLC header follows
}  // namespace sll

/// Address families in the header of NULL and LOOP. That of IPv6 depends on the system that wrote it.
namespace family {
inline constexpr std::uint32_t Inet = 2;
inline constexpr std::uint32_t Inet6Linux = 10;
inline constexpr std::uint32_t Inet6Bsd = 24;  ///< NetBSD, OpenBSD, Npcap
inline constexpr std::uint32_t Inet6FreeBsd = 28;
inline constexpr std::uint32_t Inet6Darwin = 30;
}  // namespace family

/// Network layer protocol identifiers (ISO/IEC TR 9577, RFC 2427 section 3).
namespace nlpid {
inline constexpr std::uint8_t Clnp = 0x81, Esis = 0x82, Isis = 0x83, Ip6 = 0x8e, Ip = 0xcc;
}  // namespace nlpid

/// The link type of 802.11 without a prefix, as PPI names it.
inline constexpr std::uint32_t dlt_ieee802_11 = 105;

/// Largest value of Ethernet's type field that is a length (IEEE 802.3 clause 3.2.6).
inline constexpr std::uint32_t max_ethernet_length = 1500;

/// `ether proto \ip`: the EtherType or LLC SAP with that name; names are the language's own, lower case only.
std::optional<std::uint32_t> link_protocol(std::string_view name);
/// Symbol such as `ETHERTYPE_IP` for a number compared with a type field; empty when there is none.
std::string_view ethertype_symbol(std::uint32_t number);
/// ARCnet's system code for an EtherType (RFC 1201 section 2; ATA 878.2 registry); those of RFC 1051 are not looked for, as
/// its frames have another header.
std::optional<std::uint8_t> arcnet_code(std::uint32_t ethertype);
/// PPP protocol number (IANA) for an EtherType or LLC SAP; the number itself where there is none.
std::uint32_t ppp_protocol(std::uint32_t ethertype_or_sap);

}  // namespace weir::wire
