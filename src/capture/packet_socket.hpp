// A packet socket (packet(7)) with the ring that the kernel puts its packets into.
#pragma once
#include <linux/if_packet.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "capture/interface.hpp"

namespace weir::capture {

/// Bytes of a VLAN tag (IEEE 802.1Q).
inline constexpr int tag_size = 4;

/// A packet in the ring, as the kernel left it. Its bytes may be changed, and those before them: 4 for a VLAN tag, with
/// Headers::None 20 for a header.
struct Frame {
  const tpacket3_hdr* header = nullptr;
  const sockaddr_ll* from = nullptr;  ///< direction, protocol, interface
  std::span<std::uint8_t> bytes;      ///< those that were captured
};

/// What the kernel counted since the socket was made.
struct Counters {
  std::uint64_t received = 0;  ///< passed the filter of the socket, those dropped included
  std::uint64_t dropped = 0;   ///< for which there was no room in the ring
};

/// Owns descriptor and memory. Nothing arrives before listen(). Documentation/networking/packet_mmap.rst of the kernel.
class PacketSocket {
 public:
  enum class Headers : std::uint8_t { Raw, None };  ///< SOCK_RAW, SOCK_DGRAM
  /// An error names the capability that is missing.
  static Result<PacketSocket> open(Headers headers);
  PacketSocket(PacketSocket&& other) noexcept;
  PacketSocket& operator=(PacketSocket&&) = delete;
  ~PacketSocket();

  int descriptor() const { return fd_; }
  /// Before listen().
  Result<void> make_ring();
  /// How much the ring holds, and how much it was to hold; less where the kernel was short of memory.
  std::size_t ring_size() const;
  static std::size_t wanted_ring_size();
  /// From here on packets of the interface arrive, those to other hosts too if `promiscuous`.
  Result<void> listen(const Interface& on, bool promiscuous);

  /// The next packet, null when none is ready. Valid until the next call.
  const Frame* next();
  /// How many packets next() has given.
  std::uint64_t taken() const { return taken_; }
  /// Not const: the kernel starts anew with each answer.
  Counters counters();

  /// errno of what happened to the socket since it was asked last; 0: nothing.
  int pending_error();
  /// Whether the interface it listens on still exists.
  bool is_bound() const;

 private:
  PacketSocket(int fd, int reserve) : fd_(fd), reserve_(reserve) {}
  tpacket_block_desc* block() const;
  bool open_block();
  void close_block();
  Result<void> set(int option, const void* value, std::size_t size, const char* doing);

  int fd_ = -1;
  int reserve_ = 0;              ///< free bytes before each packet
  std::uint8_t* ring_ = nullptr;
  std::size_t blocks_ = 0;       ///< in the ring
  std::size_t at_ = 0;           ///< the block that is read, or read next
  std::uint8_t* frame_ = nullptr;  ///< in that block, the packet to give next; null: the block is the kernel's
  std::uint32_t left_ = 0;       ///< packets to give from that block
  std::uint64_t taken_ = 0;
  Frame current_;
  Counters counters_;
};

}  // namespace weir::capture
