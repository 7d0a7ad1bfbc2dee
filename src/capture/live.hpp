// Packets as they pass an interface of this host.
#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "capture/interface.hpp"
#include "capture/packet_socket.hpp"
#include "capture/savefile.hpp"
#include "weir/weir.hpp"

namespace weir::capture {

/// A capture on one interface that has begun. No packet is seen that came before the filter was in place. The filter runs
/// in the kernel; where that does not take it, here, on the same bytes and metadata, so the verdicts are the same.
/// Packets are those that libpcap gives: VLAN tags, which the kernel takes out, are put back (then cut to the snapshot
/// length again), and on loopback interfaces nothing is seen twice. Tested by tests/kernel/.
class Live {
 public:
  struct Settings {
    std::uint32_t snaplen = 262144;  ///< what the filter was compiled with
    bool promiscuous = true;
    /// On cooked interfaces: why the filter was compiled without Options::cooked and linux_ext. It then runs here, on packets
    /// with the header that they are given.
    std::optional<Diagnostic> needs_header;
  };
  /// The filter, compiled for the link type of the interface with Options::linux_ext, on cooked ones with Options::cooked, has to
  /// outlive the capture. An error says what is missing: a right, the interface, that it is up, a link type.
  static Result<Live> begin(const Interface& on, const Settings& settings, const Filter& filter);

  const Format& format() const { return format_; }
  /// Why the filter runs here; nothing: it runs in the kernel.
  const std::optional<Diagnostic>& filtered_here() const { return filtered_here_; }
  /// The part of the memory for waiting packets that there is, where the kernel had less than is usual.
  std::optional<double> small_ring() const;

  /// The next packet, nothing when there is none yet, or many were looked at and none passed: wait() then, which does not
  /// take long while there are more. Stamps are in microseconds, the bytes are valid until the next call.
  std::optional<Record> next();

  enum class Event : std::uint8_t {
    Packets,   ///< next() may have some
    WentDown,  ///< the interface; the capture goes on when it comes up again
    CameUp,
    End,       ///< after stop(): all has been had
  };
  /// Waits until one of these happens, or `stop` (a descriptor) becomes readable, which means stop(). An error says
  /// that the interface is gone; what was captured before it has been given by then.
  Result<Event> wait(int stop);

  /// No more packets from here on; those that had arrived are still to be had.
  void stop();

  Counters counters() { return socket_.counters(); }

 private:
  static constexpr std::uint64_t no_last = std::numeric_limits<std::uint64_t>::max();
  Live(PacketSocket socket, const Interface& on, const Settings& settings, const Filter& filter);
  void attach(const Filter& filter);
  std::uint32_t kept_here(const Frame& frame, std::span<const std::uint8_t> shown) const;
  std::optional<Record> look_at(const Frame& frame) const;
  bool all_taken();
  Result<Event> wait_for_rest();
  Result<Event> notice(int error);
  Result<Event> look_whether_up();

  PacketSocket socket_;
  Interface on_;
  Settings settings_;
  Format format_;
  const Filter* filter_;
  std::optional<Diagnostic> filtered_here_;
  bool stopped_ = false;
  std::uint64_t last_ = no_last;  ///< so many packets may be taken from the socket in all
  enum class State : std::uint8_t { Up, Suspect, Down } state_ = State::Up;
  bool gone_ = false;
};

}  // namespace weir::capture
