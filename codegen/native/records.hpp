// How the records of packets that a loop goes over lie in memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/packet.hpp"
#include "base/packet_view.hpp"

namespace weir::native {

/// What the code is: a function of one packet, or a loop over many, which are Packets or PacketViews.
enum class Form : std::uint8_t { One, Packets, Views };

struct Records {
  std::size_t size;            ///< of one, in bytes
  std::size_t bytes;           ///< where it keeps the pointer to the packet's bytes
  std::size_t captured;        ///< and their number
  std::size_t captured_size;
  std::size_t length;          ///< 32 bits
  std::size_t meta;            ///< where there is Metadata
};

constexpr Records records_of(Form form) {
  static_assert(sizeof(std::span<const std::uint8_t>) == sizeof(void*) + sizeof(std::size_t));
  if (form == Form::Views)
    return {sizeof(PacketView),           offsetof(PacketView, bytes),  offsetof(PacketView, captured),
            sizeof(PacketView::captured), offsetof(PacketView, length), 0};
  return {sizeof(Packet),      offsetof(Packet, bytes),  offsetof(Packet, bytes) + sizeof(void*),
          sizeof(std::size_t), offsetof(Packet, length), offsetof(Packet, meta)};
}

}  // namespace weir::native
