// Programs on a pair of datagram sockets, which needs no rights.
#include "attach/socket_filter.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <string>

using namespace weir;
using attach::SocketFilter;

namespace {

struct Pair {
  int in = -1, out = -1;
  Pair() {
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, both) == 0);
    in = both[0];
    out = both[1];
  }
  ~Pair() {
    ::close(in);
    ::close(out);
  }
  /// How much of a datagram of four bytes arrives.
  std::optional<ssize_t> arrives() {
    char bytes[8];
    (void)::send(out, "abcd", 4, 0);
    const auto got = ::recv(in, bytes, sizeof bytes, MSG_DONTWAIT);
    return got < 0 ? std::nullopt : std::optional(got);
  }
};

cbpf::Program returning(std::uint32_t value, std::size_t instructions = 1) {
  cbpf::Program program;
  program.instructions.assign(instructions, {cbpf::op::RET, 0, 0, value});
  return program;
}

}  // namespace

TEST_CASE("a program is on the socket as long as its handle lives") {
  Pair sockets;
  {
    const auto attached = SocketFilter::attach(returning(0), sockets.in);
    REQUIRE(attached);
    CHECK(!sockets.arrives());
  }
  CHECK(sockets.arrives() == 4);
}

TEST_CASE("a packet is cut to what the program returns") {
  Pair sockets;
  const auto attached = SocketFilter::attach(returning(3), sockets.in);
  REQUIRE(attached);
  CHECK(sockets.arrives() == 3);
}

TEST_CASE("a released program stays, and another one replaces it") {
  Pair sockets;
  SocketFilter::attach(returning(0), sockets.in)->release();
  CHECK(!sockets.arrives());
  const auto attached = SocketFilter::attach(returning(2), sockets.in);
  CHECK(sockets.arrives() == 2);
}

TEST_CASE("a handle that was moved from takes nothing off") {
  Pair sockets;
  auto first = SocketFilter::attach(returning(1), sockets.in);
  REQUIRE(first);
  {
    const SocketFilter second = std::move(*first);
    CHECK(sockets.arrives() == 1);
  }
  CHECK(sockets.arrives() == 4);
}

TEST_CASE("what the kernel minds") {
  Pair sockets;
  const auto message = [](const Result<SocketFilter>& r) { return r ? std::string() : r.error().message; };
  CHECK(message(SocketFilter::attach(returning(1, 4097), sockets.in)).contains("4097 instructions"));
  CHECK(message(SocketFilter::attach(cbpf::Program(), sockets.in)).contains("the kernel refuses the program"));
  CHECK(message(SocketFilter::attach(returning(1), 0x7fffffff)).contains("not an open file"));
  const int on = 1;
  REQUIRE(::setsockopt(sockets.in, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on) == 0);
  CHECK(message(SocketFilter::attach(returning(1), sockets.in)).contains("locked"));
}
