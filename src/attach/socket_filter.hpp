// A classic BPF program on a socket.
#pragma once
#include "base/result.hpp"
#include "cbpf/program.hpp"

namespace weir::attach {

/// Holds a program on a socket: from attach() on the kernel runs it on every packet that comes to the socket, and cuts
/// those it accepts to the length it returns. Does not own the socket, which has to outlive it.
/// Tested by tests/unit/attach/socket_filter_test.cc.
class SocketFilter {
 public:
  /// Replaces the program that is there, in one step. The kernel copies the program. Packets that wait in the socket
  /// are those that what was there before let through. An error (TooLarge, System) says what the kernel minded; what
  /// was there before then stays.
  static Result<SocketFilter> attach(const cbpf::Program& program, int socket);
  SocketFilter(SocketFilter&& other) noexcept;
  SocketFilter& operator=(SocketFilter&&) = delete;
  /// Takes the program off the socket, which then gets all packets.
  ~SocketFilter();

  /// Leaves the program on the socket for as long as the socket lives.
  void release() { socket_ = -1; }

 private:
  explicit SocketFilter(int socket) : socket_(socket) {}

  int socket_;
};

}  // namespace weir::attach
