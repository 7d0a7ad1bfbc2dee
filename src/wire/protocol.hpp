// Numbers of protocols, and their names where the language itself knows them. Rows in protocols.def.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::wire {

/// EtherTypes (IEEE registry); rows of ethertypes.def become `ethertype::Ip` and so on.
namespace ethertype {
#define WEIR_ETHERTYPE(name, number, word) inline constexpr std::uint16_t name = number;
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

/// `ether proto \ip`: the EtherType or LLC SAP with that name; names are the language's own.
std::optional<std::uint32_t> link_protocol(std::string_view name);
/// `#ETHERTYPE_IP`-like symbol for a number compared with a type field; empty when there is none.
std::string_view ethertype_symbol(std::uint32_t number);
/// PPP protocol number (IANA) for an EtherType or LLC SAP; the number itself where there is none.
std::uint32_t ppp_protocol(std::uint32_t ethertype_or_sap);

}  // namespace weir::wire
