// What frames of a link type look like, as data. Offsets are in bytes from the start of the link-layer header
// (which is the start of the packet, unless a prefix such as radiotap stands before it). Rows in link_types.def and
// layouts.def. Tested by tests/unit/wire/link_type_test.cc.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/packet.hpp"

namespace weir::wire {

/// How a frame says which network protocol it carries.
enum class TypeField : std::uint8_t {
  None,          ///< nothing is known here; only `link[…]`, `len` and the like work
  Ethernet,      ///< EtherType, or a length (<= 1500) and an 802.2 LLC header
  Llc,           ///< 802.2 LLC header, SNAP for EtherTypes
  Sll,           ///< EtherType, or LINUX_SLL_P_802_3 / LINUX_SLL_P_802_2
  EtherType,     ///< EtherType and nothing else
  Hdlc,          ///< EtherType, but fefe for ISO (Cisco)
  Ppp,           ///< PPP protocol number
  PppVj,         ///< the same, where IPv4 may have its header compressed (RFC 1144)
  Family,        ///< 4 bytes: address family
  FamilyByte,    ///< 1 byte: address family; that of IPv6 in `inet6`
  Arcnet,        ///< 1 byte: system code (RFC 1201)
  FrameRelay,    ///< control field and NLPID (RFC 2427)
  Magic,         ///< Juniper's: three bytes say that it is one, what it carries is not looked for
  IpVersion,     ///< the first nibble of the packet
  OnlyIpv4,
  OnlyIpv6,
  OnlyAppletalk,
};

/// What stands before the link-layer header, its length known at run time only.
enum class Prefix : std::uint8_t { None, Radiotap, Avs, Prism, Ppi };

/// What addresses of stations there are.
enum class Addresses : std::uint8_t {
  None,
  Mac48,  ///< six bytes each
  Wlan,   ///< the same, but where they are depends on the frame (IEEE 802.11)
  Mac8,   ///< one byte each
};

/// Where VLAN tags are looked for.
enum class Vlan : std::uint8_t {
  None,        ///< nowhere
  InFrame,
  InMetadata,  ///< in a live capture the kernel may have taken the outer one out of the frame
};

/// How the packet itself says whether it came in or went out.
struct Direction {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;  ///< 0: it does not
  std::uint32_t mask = 0xffffffff;
  std::uint32_t outbound = 0;             ///< under `mask`
  std::optional<std::uint32_t> inbound = {};   ///< under `inbound_mask`; nothing: whatever is not outbound
  std::uint32_t inbound_mask = mask;
};

/// What the kernel knows of a packet that a cooked header has a field for.
struct KernelField {
  std::uint32_t offset, size;
  Meta meta;
};

/// An offset that does not exist. libpcap computes with it all the same, and so do we.
inline constexpr std::uint32_t unset = 0xffffffff;

struct Layout {
  TypeField type_field = TypeField::None;
  std::uint32_t type_offset = 0;     ///< of the type field (for Llc: of the LLC header, not used)
  std::uint32_t payload = 0;         ///< of the link-layer payload; for Wlan and pf's log, its variable part is computed
  std::uint32_t network = 0;         ///< from payload to the network header (8 where SNAP is implied)
  std::uint32_t network_no_snap = 0; ///< the same where LLC stands without SNAP
  std::uint32_t header = 0;          ///< of the link-layer header itself, from the start of the packet
  Prefix prefix = Prefix::None;
  Addresses addresses = Addresses::None;
  std::uint32_t destination = 0;     ///< of the addresses
  std::uint32_t source = 6;
  std::optional<std::uint8_t> broadcast = {};  ///< Mac8: the destination that is everybody
  bool multicast = true;             ///< whether destinations can be groups
  Direction direction = {};
  std::optional<std::uint32_t> interface = {};  ///< of 4 bytes: the index of the interface
  std::span<const KernelField> kernel_fields = {};  ///< where the header is made up by who captures: sockets give packets without it
  std::uint32_t inet6 = 0;           ///< FamilyByte
  bool host_order = false;           ///< Family: in the byte order of the host that captured
  Vlan vlan = Vlan::None;
  bool mpls = false, llc = false;    ///< whether these primitives have a meaning
  bool atm = false;                  ///< vpi, vci and the like: the pseudo-header of SunATM
  bool pf = false;                   ///< a header of pf's log
  std::optional<std::uint32_t> mtp2 = {}; ///< of an SS7 message
};

struct LinkType {
  int dlt;                       ///< DLT_ value of Linux (pcap/dlt.h)
  std::string_view name;         ///< without DLT_
  std::string_view description;
  Layout layout;                 ///< without a row: nothing is known of it but its bytes
};

/// Families of primitives that mean something on frames like these, as words: "bytes", "ip", "vlan", … Tested by
/// tests/unit/wire/link_type_test.cc.
std::string families(const Layout& layout);

/// All rows, sorted by name.
std::span<const LinkType> link_types();
/// By name without DLT_ (also with it), upper or lower case; null when there is none.
const LinkType* find_link_type(std::string_view name);
/// By DLT_ number, of several names the first; null when there is none.
const LinkType* find_link_type(int dlt);

}  // namespace weir::wire
