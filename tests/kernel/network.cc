#include "network.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace weir::kernel {

bool run(const std::string& command) {
  const int status = std::system(command.c_str());
  if (status != 0) std::fprintf(stderr, "failed: %s\n", command.c_str());
  return status == 0;
}

std::optional<std::string> output_of(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) return std::nullopt;
  std::string all;
  for (int c; (c = std::fgetc(pipe)) != EOF;) all += static_cast<char>(c);
  return ::pclose(pipe) == 0 ? std::optional(all) : std::nullopt;
}

std::string enter_new_network() {
  if (::unshare(CLONE_NEWNET) != 0) return std::string("no network namespaces: ") + std::strerror(errno);
  if (!run("ip link set lo up")) return "`ip` does not work";
  // Interfaces to come say nothing by themselves; without IPv6 in the kernel they don't anyway.
  (void)run("echo 1 2>/dev/null >/proc/sys/net/ipv6/conf/default/disable_ipv6; true");
  return {};
}

void wait_until_up(const std::string& interface) {
  const attach::Descriptor any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = {};
  std::strncpy(request.ifr_name, interface.c_str(), IFNAMSIZ - 1);
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(::ioctl(any.get(), SIOCGIFFLAGS, &request) == 0);
    if (request.ifr_flags & IFF_RUNNING) return;
    ::usleep(10'000);
  }
  FAIL(interface, " does not come up");
}

Pair::Pair(int mtu) {
  const auto size = std::to_string(mtu);
  REQUIRE(run("ip link add near mtu " + size + " type veth peer name far mtu " + size));
  REQUIRE(run("ip link set near up && ip link set far up"));
  wait_until_up("near");
  wait_until_up("far");
}

Pair::~Pair() { (void)std::system("ip link delete near 2>/dev/null"); }

FrameSocket::FrameSocket(const std::string& interface) : socket_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
  sockaddr_ll address = {};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const int room = 1 << 24;
  (void)::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
}

bool FrameSocket::send(std::span<const std::uint8_t> frame) const {
  return ::send(socket_.get(), frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size());
}

std::optional<Frame> FrameSocket::next(int milliseconds) const {
  constexpr std::size_t longest = std::size_t{1} << 17;  // a packet of the stack's own, with all headers
  pollfd ready = {socket_.get(), POLLIN, 0};
  if (::poll(&ready, 1, milliseconds) <= 0) return std::nullopt;
  Bytes bytes(longest);
  sockaddr_ll from = {};
  socklen_t size = sizeof from;
  const ssize_t got = ::recvfrom(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &size);
  if (got < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(got));
  return Frame{std::move(bytes), from.sll_pkttype == PACKET_OUTGOING};
}

std::optional<Bytes> FrameSocket::receive(int milliseconds) const {
  while (auto frame = next(milliseconds))
    if (!frame->outgoing) return std::move(frame->bytes);
  return std::nullopt;
}

}  // namespace weir::kernel
