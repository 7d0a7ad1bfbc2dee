#pragma once
#include <cstdint>

#include "base/packet.hpp"

namespace weir {

/// A Packet in a third of the room, where nothing else is known of it: four lie in a cache line.
struct PacketView {
  const std::uint8_t* bytes = nullptr;
  std::uint32_t captured = 0;           ///< so many of them, fewer than 2^31
  std::uint32_t length = 0;             ///< on the wire, in bytes
};
static_assert(sizeof(PacketView) <= 16);

constexpr Packet packet_of(const Packet& p) { return p; }
constexpr Packet packet_of(const PacketView& p) { return {{p.bytes, p.captured}, p.length}; }

}  // namespace weir
