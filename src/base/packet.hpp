#pragma once
#include <cstdint>
#include <optional>
#include <span>

namespace weir {

/// What the kernel knows of a packet besides its bytes. The numbers are the offsets from
/// SKF_AD_OFF at which classic BPF reads them (include/uapi/linux/filter.h).
enum class Meta : std::uint8_t {
  Protocol = 0,          ///< EtherType, host order
  PacketType = 4,        ///< PACKET_HOST … PACKET_OUTGOING (if_packet.h)
  InterfaceIndex = 8,
  VlanTag = 44,          ///< TCI of a tag that was taken out of the packet
  VlanTagPresent = 48,   ///< 1 when there is such a tag
  VlanProtocol = 60,     ///< TPID of that tag
};

/// Offset from which classic BPF takes a load as metadata (SKF_AD_OFF, -0x1000 as unsigned).
inline constexpr std::uint32_t meta_offset = 0xfffff000;

/// Values for Meta; zero is what libpcap's interpreter and an idle kernel have.
struct Metadata {
  std::uint32_t protocol = 0;
  std::uint32_t packet_type = 0;
  std::uint32_t interface_index = 0;
  std::uint32_t vlan_tag = 0;
  std::uint32_t vlan_tag_present = 0;
  std::uint32_t vlan_protocol = 0;

  bool operator==(const Metadata&) const = default;
  constexpr std::uint32_t get(Meta m) const {
    switch (m) {
      case Meta::Protocol: return protocol;
      case Meta::PacketType: return packet_type;
      case Meta::InterfaceIndex: return interface_index;
      case Meta::VlanTag: return vlan_tag;
      case Meta::VlanTagPresent: return vlan_tag_present;
      case Meta::VlanProtocol: return vlan_protocol;
    }
    return 0;
  }
};

/// A packet as an engine sees it: does not own its bytes.
struct Packet {
  std::span<const std::uint8_t> bytes;  ///< the captured bytes, fewer than 2^31
  std::uint32_t length = 0;             ///< length on the wire, in bytes
  Metadata meta = {};
};

/// `size` (1, 2 or 4) bytes in network order at base + displacement, summed without wrap;
/// nothing when they are not all captured.
constexpr std::optional<std::uint32_t> load(std::span<const std::uint8_t> bytes, std::uint32_t base,
                                            std::uint32_t displacement, std::uint32_t size) {
  const std::uint64_t at = std::uint64_t{base} + displacement;
  if (at + size > bytes.size()) return std::nullopt;
  std::uint32_t value = 0;
  for (std::uint32_t i = 0; i < size; ++i) value = value << 8 | bytes[at + i];
  return value;
}

}  // namespace weir
