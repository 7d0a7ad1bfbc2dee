// The kernel's side: net/packet/af_packet.c.
#include "capture/packet_socket.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_ether.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "capture/cooked.hpp"

namespace weir::capture {
namespace {

/// A block holds whole packets, so it is larger than the largest snapshot length. The kernel hands one over when it is
/// full, or this many milliseconds after it was begun: so late may a lone packet come.
constexpr std::uint32_t block_size = 512 * 1024, most_blocks = 64, fewest_blocks = 2, block_timeout = 50;
/// Room before each packet for the VLAN tag that belongs into it, or for a cooked header (and the tag, in the shorter one).
constexpr int cooked_size = 20;
static_assert(cooked_size >= static_cast<int>(sll2_header_size) && cooked_size >= static_cast<int>(sll_header_size) + tag_size);

std::unexpected<Diagnostic> system_error(const std::string& doing, int error) {
  return fail(Code::System, {}, fmt::format("cannot {}: {}", doing, std::strerror(error)));
}

/// The file to give the capability to. It need not be in the search path.
std::string this_program() {
  std::error_code unknown;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", unknown);
  return unknown ? "PROGRAM" : path.string();
}

std::unexpected<Diagnostic> no_socket(int error) {
  if (error == EPERM || error == EACCES) {
    return fail(Code::System, {}, "capturing needs the capability CAP_NET_RAW",
                fmt::format("run it with sudo, or give it the capability once: sudo setcap cap_net_raw+ep {}", this_program()));
  }
  if (error == EAFNOSUPPORT) return fail(Code::System, {}, "this kernel has no packet sockets (AF_PACKET)");
  return system_error("open a packet socket", error);
}

}  // namespace

Result<PacketSocket> PacketSocket::open(Headers headers) {
  // Protocol 0: it hears nothing until it is bound with another one.
  const bool raw = headers == Headers::Raw;
  const int fd = ::socket(AF_PACKET, (raw ? SOCK_RAW : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
  if (fd < 0) return no_socket(errno);
  return PacketSocket(fd, raw ? tag_size : cooked_size);
}

PacketSocket::PacketSocket(PacketSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), reserve_(other.reserve_), ring_(std::exchange(other.ring_, nullptr)), blocks_(other.blocks_),
      at_(other.at_), frame_(other.frame_), left_(other.left_), taken_(other.taken_), current_(other.current_),
      counters_(other.counters_) {}

PacketSocket::~PacketSocket() {
  if (ring_) ::munmap(ring_, blocks_ * block_size);
  if (fd_ >= 0) ::close(fd_);
}

Result<void> PacketSocket::set(int option, const void* value, std::size_t size, const char* doing) {
  if (::setsockopt(fd_, SOL_PACKET, option, value, static_cast<socklen_t>(size)) == 0) return {};
  return system_error(doing, errno);
}

Result<void> PacketSocket::make_ring() {
  const int version = TPACKET_V3;
  if (auto set_up = set(PACKET_VERSION, &version, sizeof version, "use TPACKET_V3"); !set_up) return set_up;
  if (auto set_up = set(PACKET_RESERVE, &reserve_, sizeof reserve_, "reserve room before packets"); !set_up) return set_up;
  for (blocks_ = most_blocks;; blocks_ /= 2) {
    tpacket_req3 request = {};
    request.tp_block_size = request.tp_frame_size = block_size;  // frames are of any size in this version
    request.tp_block_nr = request.tp_frame_nr = static_cast<unsigned>(blocks_);
    request.tp_retire_blk_tov = block_timeout;
    if (::setsockopt(fd_, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) == 0) break;
    if (errno != ENOMEM || blocks_ <= fewest_blocks) return system_error("make a ring for packets", errno);
  }
  void* memory = ::mmap(nullptr, blocks_ * block_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (memory == MAP_FAILED) return system_error("map the ring for packets", errno);
  ring_ = static_cast<std::uint8_t*>(memory);
  return {};
}

std::size_t PacketSocket::ring_size() const { return blocks_ * block_size; }
std::size_t PacketSocket::wanted_ring_size() { return most_blocks * block_size; }

Result<void> PacketSocket::listen(const Interface& on, bool promiscuous) {
  if (promiscuous && on.index != 0) {
    packet_mreq request = {};
    request.mr_ifindex = on.index;
    request.mr_type = PACKET_MR_PROMISC;
    auto asked = set(PACKET_ADD_MEMBERSHIP, &request, sizeof request, "make the interface promiscuous (-p: do without)");
    if (!asked) return asked;
  }
  // What goes out on a loopback interface comes in there again. Older kernels (before 4.20) cannot leave it out.
  const int ignore = on.loopback;
  (void)::setsockopt(fd_, SOL_PACKET, PACKET_IGNORE_OUTGOING, &ignore, sizeof ignore);
  sockaddr_ll address = {};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = on.index;
  if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return system_error("listen on " + on.name, errno);
  }
  if (const int error = pending_error(); error == ENETDOWN) {
    return fail(Code::System, {}, fmt::format("{} is down", on.name), fmt::format("ip link set {} up", on.name));
  } else if (error != 0) {
    return system_error("listen on " + on.name, error);
  }
  return {};
}

tpacket_block_desc* PacketSocket::block() const {
  return reinterpret_cast<tpacket_block_desc*>(ring_ + at_ * block_size);
}

bool PacketSocket::open_block() {
  auto& head = block()->hdr.bh1;
  if (!(__atomic_load_n(&head.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) return false;
  frame_ = reinterpret_cast<std::uint8_t*>(block()) + head.offset_to_first_pkt;
  left_ = head.num_pkts;
  return true;
}

void PacketSocket::close_block() {
  __atomic_store_n(&block()->hdr.bh1.block_status, static_cast<__u32>(TP_STATUS_KERNEL), __ATOMIC_RELEASE);
  at_ = (at_ + 1) % blocks_;
  frame_ = nullptr;
}

const Frame* PacketSocket::next() {
  while (true) {
    if (!frame_ && !open_block()) return nullptr;
    if (left_ > 0) break;
    close_block();
  }
  const auto* header = reinterpret_cast<const tpacket3_hdr*>(frame_);
  current_ = {.header = header,
              .from = reinterpret_cast<const sockaddr_ll*>(frame_ + TPACKET_ALIGN(sizeof(tpacket3_hdr))),
              .bytes = {frame_ + header->tp_mac, header->tp_snaplen}};
  frame_ += header->tp_next_offset;
  --left_;
  ++taken_;
  return &current_;
}

Counters PacketSocket::counters() {
  tpacket_stats_v3 since = {};
  socklen_t size = sizeof since;
  if (::getsockopt(fd_, SOL_PACKET, PACKET_STATISTICS, &since, &size) == 0) {
    counters_.received += since.tp_packets;
    counters_.dropped += since.tp_drops;
  }
  return counters_;
}

int PacketSocket::pending_error() {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

bool PacketSocket::is_bound() const {
  sockaddr_ll address = {};
  socklen_t size = sizeof address;
  // The kernel puts -1 there when the interface goes (packet_notifier(), NETDEV_UNREGISTER).
  return ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0 && address.sll_ifindex != -1;
}

}  // namespace weir::capture
