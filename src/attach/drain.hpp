// What waits in a socket, taken out when its filter is replaced.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "base/packet.hpp"
#include "base/result.hpp"

namespace weir::attach {

/// What reading a socket gives, as its filter sees it.
enum class Reads : std::uint8_t {
  Same,    ///< the same bytes: packet sockets, raw IP sockets, datagrams between processes
  Others,  ///< without headers that the filter sees (UDP), or with one before it (PACKET_VNET_HDR)
  Stream,  ///< no packets (TCP)
};
/// Errors (System): no socket.
Result<Reads> reads_of(int socket);

struct Waiting {
  std::vector<std::uint8_t> bytes;
  std::uint32_t length = 0;         ///< on the wire, where the socket knows it
  Metadata meta = {};               ///< of packet sockets
  std::vector<std::uint8_t> from;   ///< the address that recvfrom(2) gives
};

/// Whether wait_for_running_filters() works here; errors (Unsupported).
Result<void> can_wait_for_running_filters();
/// Until no CPU is any more at a packet that met the filter before: all packets that the one before let through are in the socket.
void wait_for_running_filters();

/// Takes out all that is in the socket now, in its order, and perhaps some of what comes meanwhile: it ends also where packets come
/// without end. Does not wait. An error that the socket had to tell (ENETDOWN) is lost.
void drain(int socket, const std::function<void(Waiting)>& take);

}  // namespace weir::attach
