// A network of one's own to attach programs in: a namespace with a pair of veth interfaces, `near` and `far`.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attach/descriptor.hpp"

namespace weir::kernel {

using Bytes = std::vector<std::uint8_t>;

/// Runs a command of the shell; false, with its output on standard error, when it fails.
bool run(const std::string& command);
/// What a command prints, or nothing when it fails.
std::optional<std::string> output_of(const std::string& command);

/// Moves the process into an empty network namespace, for good: it goes with the process. Interfaces that are made there have no
/// IPv6: its router solicitations and the like would come between the frames of tests. Why it cannot; empty: done.
std::string enter_new_network();

/// Until the kernel has noticed that an interface can send, which it does a little after it was set up: packets before that are lost.
void wait_until_up(const std::string& interface);

/// A pair of veth interfaces, up, without addresses; the kernel says nothing on them by itself. They go with this object.
class Pair {
 public:
  explicit Pair(int mtu = 1500);
  ~Pair();
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
};

/// A frame as a packet socket shows it.
struct Frame {
  Bytes bytes;
  bool outgoing = false;
};

/// A packet socket on an interface, for frames with their link-layer header.
class FrameSocket {
 public:
  explicit FrameSocket(const std::string& interface);
  int descriptor() const { return socket_.get(); }
  bool send(std::span<const std::uint8_t> frame) const;
  /// The next frame that comes in or goes out; nothing after so many milliseconds.
  std::optional<Frame> next(int milliseconds) const;
  /// The next that comes in.
  std::optional<Bytes> receive(int milliseconds = 200) const;

 private:
  attach::Descriptor socket_;
};

}  // namespace weir::kernel
