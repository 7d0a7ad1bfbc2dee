// What frames of a link type look like, as data. Offsets are in bytes from the start of the link-layer header
// (which is the start of the packet, unless a prefix such as radiotap stands before it). Rows in link_types.def and
// layouts.def. Tested by tests/unit/wire/link_type_test.cc.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <span>

namespace weir::wire {

/// How a frame says which network protocol it carries.
enum class TypeField : std::uint8_t {
  None,        ///< nothing is known here; only `link[…]`, `len` and the like work
  Ethernet,    ///< EtherType, or a length (<= 1500) and an 802.2 LLC header
  Llc,         ///< 802.2 LLC header, SNAP for EtherTypes (802.11 data frames)
  Sll,         ///< EtherType, or LINUX_SLL_P_802_3 / LINUX_SLL_P_802_2
  EtherType,   ///< EtherType and nothing else
  Ppp,         ///< PPP protocol number
  Family,      ///< 4 bytes: address family
  IpVersion,   ///< the first nibble of the packet
  OnlyIpv4,
  OnlyIpv6,
};

/// What stands before the link-layer header, its length known at run time only.
enum class Prefix : std::uint8_t { None, Radiotap };

/// Where the 48-bit addresses are.
enum class Addresses : std::uint8_t { None, Ethernet, Wlan };

/// Where the direction of a packet is written in its link-layer header.
enum class DirectionField : std::uint8_t { None, Sll, Sll2 };

struct Layout {
  TypeField type_field = TypeField::None;
  std::uint32_t type_offset = 0;     ///< of the type field (for Llc: of the LLC header, not used)
  std::uint32_t payload = 0;         ///< of the link-layer payload; for Wlan its variable part is computed
  std::uint32_t network = 0;         ///< from payload to the network header (8 where SNAP is implied)
  std::uint32_t network_no_snap = 0; ///< the same where LLC stands without SNAP
  Prefix prefix = Prefix::None;
  Addresses addresses = Addresses::None;
  DirectionField direction = DirectionField::None;
  bool host_order = false;           ///< Family: in the byte order of the host that captured
  bool vlan = false, mpls = false, llc = false;  ///< which of these primitives have a meaning
};

struct LinkType {
  int dlt;                       ///< DLT_ value of Linux (pcap/dlt.h)
  std::string_view name;         ///< without DLT_
  std::string_view description;
  std::optional<Layout> layout;  ///< nothing: known by name, not built yet
};

/// All rows, sorted by name.
std::span<const LinkType> link_types();
/// By name without DLT_ (also with it), upper or lower case; null when there is none.
const LinkType* find_link_type(std::string_view name);
/// By DLT_ number, of several names the first; null when there is none.
const LinkType* find_link_type(int dlt);

}  // namespace weir::wire
