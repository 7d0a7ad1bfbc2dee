#include "attach/drain.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/membarrier.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

namespace weir::attach {
namespace {

std::optional<int> option(int socket, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(socket, level, name, &value, &size) == 0 ? std::optional(value) : std::nullopt;
}

/// Has a packet socket say what the kernel knows of a packet besides its bytes, for the time of this object.
class WithMetadata {
 public:
  explicit WithMetadata(int socket) : socket_(socket), before_(option(socket, SOL_PACKET, PACKET_AUXDATA)) { set(1); }
  ~WithMetadata() { set(before_.value_or(0)); }
  WithMetadata(const WithMetadata&) = delete;
  WithMetadata& operator=(const WithMetadata&) = delete;

 private:
  void set(int value) const {
    if (before_) (void)::setsockopt(socket_, SOL_PACKET, PACKET_AUXDATA, &value, sizeof value);
  }
  int socket_;
  std::optional<int> before_;  ///< nothing: no packet socket
};

/// How much is to be taken out: bytes of memory that the waiting packets take, which is more than they have.
std::size_t waiting_memory(int socket) {
  // Sockets between processes count what they send instead (net/unix/af_unix.c); few packets can wait in them.
  constexpr std::size_t unknown = std::size_t{1} << 26;
  std::array<std::uint32_t, SK_MEMINFO_VARS> info = {};
  socklen_t size = sizeof info;
  if (option(socket, SOL_SOCKET, SO_DOMAIN) == AF_UNIX || ::getsockopt(socket, SOL_SOCKET, SO_MEMINFO, info.data(), &size) != 0)
    return unknown;
  return info[SK_MEMINFO_RMEM_ALLOC];
}

void read_auxiliary(msghdr& message, Waiting& packet) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA) continue;
    tpacket_auxdata data;
    std::memcpy(&data, CMSG_DATA(c), sizeof data);
    packet.length = data.tp_len;
    if (!(data.tp_status & TP_STATUS_VLAN_VALID)) continue;
    packet.meta.vlan_tag_present = 1;
    packet.meta.vlan_tag = data.tp_vlan_tci;
    packet.meta.vlan_protocol = data.tp_status & TP_STATUS_VLAN_TPID_VALID ? data.tp_vlan_tpid : std::uint16_t{ETH_P_8021Q};
  }
}

void read_address(Waiting& packet) {
  sockaddr_ll from;
  if (packet.from.size() < offsetof(sockaddr_ll, sll_addr)) return;
  std::memcpy(&from, packet.from.data(), offsetof(sockaddr_ll, sll_addr));
  if (from.sll_family != AF_PACKET) return;
  packet.meta.protocol = ntohs(from.sll_protocol);
  packet.meta.packet_type = from.sll_pkttype;
  packet.meta.interface_index = static_cast<std::uint32_t>(from.sll_ifindex);
}

/// The largest packet that the kernel makes is half as large (GRO_MAX_SIZE, include/linux/netdevice.h). Asking for the size first
/// (MSG_PEEK) would make a packet socket forget the length on the wire (packet_recvmsg() writes the address where it is kept).
constexpr std::size_t largest_packet = std::size_t{1} << 20;

/// The next message; negative when there is none. An error that the socket has to tell comes once, before the packets.
ssize_t receive(int socket, msghdr& message) {
  constexpr int most_errors = 8;
  for (int i = 0; i < most_errors; ++i) {
    const ssize_t got = ::recvmsg(socket, &message, MSG_DONTWAIT);
    if (got >= 0 || errno == EAGAIN) return got;
  }
  return -1;
}

std::optional<Waiting> take_one(int socket, std::vector<std::uint8_t>& buffer) {
  Waiting packet;
  packet.from.resize(sizeof(sockaddr_storage));
  alignas(cmsghdr) std::array<char, 512> control;
  iovec bytes = {buffer.data(), buffer.size()};
  msghdr message = {};
  message.msg_name = packet.from.data();
  message.msg_namelen = static_cast<socklen_t>(packet.from.size());
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = receive(socket, message);
  if (got < 0) return std::nullopt;
  packet.bytes.assign(buffer.begin(), buffer.begin() + got);
  packet.length = static_cast<std::uint32_t>(got);
  packet.from.resize(message.msg_namelen);
  read_address(packet);
  read_auxiliary(message, packet);
  return packet;
}

}  // namespace

Result<Reads> reads_of(int socket) {
  const auto domain = option(socket, SOL_SOCKET, SO_DOMAIN), type = option(socket, SOL_SOCKET, SO_TYPE);
  if (!domain || !type) return fail(Code::System, {}, errno == EBADF ? "not an open file" : "not a socket");
  if (*type == SOCK_STREAM) return Reads::Stream;
  if (*domain == AF_PACKET) return option(socket, SOL_PACKET, PACKET_VNET_HDR).value_or(0) ? Reads::Others : Reads::Same;
  if (*domain == AF_UNIX || *domain == AF_NETLINK || *type == SOCK_RAW) return Reads::Same;
  return Reads::Others;
}

Result<void> can_wait_for_running_filters() {
  const long can = ::syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0);
  if (can >= 0 && can & MEMBARRIER_CMD_GLOBAL && ::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0) == 0) return {};
  return fail(Code::Unsupported, {},
              "the kernel does not let a process wait until all CPUs are through with the filter before (membarrier(2))",
              "it cannot do so where CPUs run without clock ticks (nohz_full)");
}

/// Filters run, and what they let through is queued, within one section of RCU (__netif_receive_skb_core() and dev_queue_xmit_nit() in
/// net/core/dev.c). The command waits for the end of all of them (synchronize_rcu() in kernel/sched/membarrier.c).
void wait_for_running_filters() { (void)::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0); }

/// Packets with as many bytes as the memory of those that were there: these are among them, since none has more bytes than memory. A packet
/// of no bytes counts as one.
void drain(int socket, const std::function<void(Waiting)>& take) {
  const WithMetadata metadata(socket);
  const std::size_t all = waiting_memory(socket);
  std::vector<std::uint8_t> buffer(all == 0 ? 0 : largest_packet);
  for (std::size_t taken = 0; taken < all;) {
    auto packet = take_one(socket, buffer);
    if (!packet) break;
    taken += std::max<std::size_t>(packet->bytes.size(), 1);
    take(std::move(*packet));
  }
}

}  // namespace weir::attach
