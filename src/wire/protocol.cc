#include "wire/protocol.hpp"

#include <algorithm>
#include <iterator>

namespace weir::wire {
namespace {

struct LinkProtocol {
  std::string_view word;
  std::uint32_t number;
};

constexpr LinkProtocol link_protocols[] = {
#define WEIR_ETHERTYPE(name, number, word, symbol) {word, number},
#include "wire/ethertypes.def"
#undef WEIR_ETHERTYPE
#define WEIR_LLC_SAP(name, number, word) {word, number},
#include "wire/llc_saps.def"
#undef WEIR_LLC_SAP
};

struct Symbol {
  std::uint32_t number;
  std::string_view symbol;
};

constexpr Symbol symbols[] = {
#define WEIR_ETHERTYPE(name, number, word, symbol) {number, "ETHERTYPE_" symbol},
#include "wire/ethertypes.def"
#undef WEIR_ETHERTYPE
};

}  // namespace

std::optional<std::uint32_t> link_protocol(std::string_view name) {
  if (name.empty()) return std::nullopt;
  const auto* row = std::ranges::find(link_protocols, name, &LinkProtocol::word);
  if (row == std::end(link_protocols)) return std::nullopt;
  return row->number;
}

std::string_view ethertype_symbol(std::uint32_t number) {
  const auto* row = std::ranges::find(symbols, number, &Symbol::number);
  return row == std::end(symbols) ? std::string_view{} : row->symbol;
}

std::optional<std::uint8_t> arcnet_code(std::uint32_t type) {
  switch (type) {
    case ethertype::Ip6: return 0xc4;
    case ethertype::Ip: return 0xd4;
    case ethertype::Arp: return 0xd5;
    case ethertype::Revarp: return 0xd6;
    case ethertype::Atalk: return 0xdd;
    default: return std::nullopt;  // open set
  }
}

std::uint32_t ppp_protocol(std::uint32_t ethertype_or_sap) {
  switch (ethertype_or_sap) {
    case ethertype::Ip: return ppp::Ip;
    case ethertype::Ip6: return ppp::Ip6;
    case ethertype::Decnet: return ppp::Decnet;
    case ethertype::Atalk: return ppp::Atalk;
    case ethertype::Ns: return ppp::Ns;
    case llc_sap::IsoNs: return ppp::IsoNs;
    case llc_sap::Stp: return ppp::Stp;
    case llc_sap::Ipx: return ppp::Ipx;
    default: return ethertype_or_sap;  // open set: any number may be asked for
  }
}

}  // namespace weir::wire
