// Packets of the kernel's own stack, as it hands them to its devices: their payload in pages (sendfile(2), MSG_ZEROCOPY, what TCP and
// UDP keep), and larger than any frame, to be cut by the device (TSO, UDP_SEGMENT). Verdicts are those of user space on the same bytes.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/udp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "network.hpp"
#include "weir/attach.hpp"

using namespace weir;
using attach::Descriptor;
using kernel::Bytes;
using kernel::Frame;
using kernel::FrameSocket;
using kernel::Pair;

namespace {

constexpr std::uint16_t echo_port = 7, discard_port = 9;
constexpr std::int32_t tc_next = -1, tc_ok = 0;
constexpr std::size_t mtu = 1500;

/// Filters on IPv4 that look at headers, at lengths, and far into the payload: behind the linear part, in later pages.
constexpr const char* filters[] = {"tcp",
                                   "udp",
                                   "tcp port 7 and tcp[tcpflags] & tcp-push != 0",
                                   "udp port 9",
                                   "host 10.9.0.2",
                                   "src host 10.9.0.2",
                                   "len > 1600",
                                   "len > 20000",
                                   "ip[2:2] > 9000",
                                   "ip[2:2] <= 1500",
                                   "ip[100] & 1 = 0",
                                   "ip[1000:4] & 3 = 1",
                                   "ip[1400:2] > 0x4000",
                                   "ip[5000] & 1 = 0",
                                   "ip[20000:4] & 0x10 = 0",
                                   "udp[10:4] & 1 != 0 or tcp[40:4] & 1 != 0",
                                   "udp[600] < 100 and len < 3000",
                                   "not (ip[30000] = 0x55)"};

/// What is sent: no period that a frame's length could have.
Bytes pattern(std::size_t size, std::uint32_t seed) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>((seed = seed * 1664525 + 1013904223) >> 24);
  return bytes;
}

sockaddr_in address(const char* host, std::uint16_t port) {
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  ::inet_pton(AF_INET, host, &to.sin_addr);
  return to;
}

bool await_byte(int pipe) {
  char byte;
  return ::read(pipe, &byte, 1) == 1;
}

/// Returns each connection's bytes to it, one connection after the other, for good.
[[noreturn]] void echo_for_good(int told, const std::string& near_address) {
  const Descriptor udp(::socket(AF_INET, SOCK_DGRAM, 0)), tcp(::socket(AF_INET, SOCK_STREAM, 0));
  const auto discard = address("10.9.0.2", discard_port), echo = address("10.9.0.2", echo_port);
  const bool up =
      kernel::run(
          "ip addr add 10.9.0.2/24 dev far && ip link set far up && ip neigh replace 10.9.0.1 dev far nud permanent lladdr " +
          near_address) &&
      ::bind(udp.get(), reinterpret_cast<const sockaddr*>(&discard), sizeof discard) == 0 &&
      ::bind(tcp.get(), reinterpret_cast<const sockaddr*>(&echo), sizeof echo) == 0 && ::listen(tcp.get(), 100) == 0;
  (void)!::write(told, up ? "y" : "n", up ? 1 : 0);
  Bytes room(1 << 18);
  while (up) {
    const Descriptor connection(::accept(tcp.get(), nullptr, nullptr));
    for (ssize_t got; (got = ::recv(connection.get(), room.data(), room.size(), 0)) > 0;)
      if (::send(connection.get(), room.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) break;
  }
  ::_exit(1);
}

std::string link_address(const std::string& interface) {
  auto address = kernel::output_of("ip -br link show " + interface + " | awk '{ printf $3 }'");
  REQUIRE(address);
  return *address;
}

/// The other end: `far`, in a network namespace of a process of its own. Each knows the other's address: nobody asks with ARP.
class Peer {
 public:
  Peer() {
    int moved[2], there[2];
    REQUIRE(::pipe(moved) == 0);
    REQUIRE(::pipe(there) == 0);
    const Descriptor moved_in(moved[0]), moved_out(moved[1]), there_in(there[0]), there_out(there[1]);
    const std::string near_address = link_address("near"), far_address = link_address("far");
    child_ = ::fork();
    if (child_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (!kernel::enter_new_network().empty()) ::_exit(1);
      (void)!::write(there[1], "n", 1);
      if (!await_byte(moved[0])) ::_exit(1);
      echo_for_good(there[1], near_address);
    }
    REQUIRE(await_byte(there[0]));
    REQUIRE(kernel::run("ip link set far netns " + std::to_string(child_) +
                        " && ip addr add 10.9.0.1/24 dev near && ip neigh replace 10.9.0.2 dev near nud permanent lladdr " +
                        far_address));
    REQUIRE(::write(moved[1], "m", 1) == 1);
    REQUIRE(await_byte(there[0]));
    kernel::wait_until_up("near");
  }
  ~Peer() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }

 private:
  pid_t child_ = 0;
};

/// A control group with this process in it, which goes back when this object goes.
class Group {
 public:
  Group()
      : top_(std::filesystem::exists("/sys/fs/cgroup/unified") ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup"),
        path_(top_ / ("weir-stack-" + std::to_string(::getpid()))) {
    std::ifstream file("/proc/self/cgroup");
    for (std::string line; std::getline(file, line);)
      if (line.starts_with("0::")) before_ = line.substr(4);
    std::filesystem::create_directory(path_);
    REQUIRE(enter(path_));
  }
  ~Group() {
    (void)enter(top_ / before_);
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  std::string path() const { return path_; }

 private:
  static bool enter(const std::filesystem::path& group) {
    std::ofstream file(group / "cgroup.procs");
    file << ::getpid() << std::endl;
    return file.good();
  }
  std::filesystem::path top_, path_;
  std::string before_;
};

Descriptor connected(int type, std::uint16_t port) {
  Descriptor s(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  const auto to = address("10.9.0.2", port);
  REQUIRE(::connect(s.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  return s;
}

/// A file in memory, for sendfile(2): what is sent of it are its pages.
Descriptor file_of(const Bytes& bytes) {
  Descriptor file(::memfd_create("payload", MFD_CLOEXEC));
  REQUIRE(::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  return file;
}

/// Sends a file to the echo; as far as nobody drops packets, all of it comes back.
void send_and_take_back(const Descriptor& connection, const Descriptor& file, std::size_t size, int patience) {
  off_t sent = 0;
  std::size_t back = 0;
  Bytes room(1 << 17);
  while (back < size) {
    const bool more = static_cast<std::size_t>(sent) < size;
    pollfd ready = {connection.get(), static_cast<short>(POLLIN | (more ? POLLOUT : 0)), 0};
    if (::poll(&ready, 1, patience) <= 0) return;
    if (more && ready.revents & POLLOUT) {
      ::fcntl(connection.get(), F_SETFL, O_NONBLOCK);
      (void)::sendfile(connection.get(), file.get(), &sent, size - static_cast<std::size_t>(sent));
    }
    if (!(ready.revents & POLLIN)) continue;
    const ssize_t got = ::recv(connection.get(), room.data(), room.size(), MSG_DONTWAIT);
    if (got == 0) return;
    if (got > 0) back += static_cast<std::size_t>(got);
  }
}

struct Way {
  const char* name;
  AttachOptions options;
  bool outgoing;
  std::size_t header;  ///< bytes of a frame that the program does not see
};

std::vector<Way> ways_of_tcp() {
  using Direction = AttachOptions::Direction;
  return {{"tc, out", {.hook = Hook::TcEgress, .match = tc_next, .no_match = tc_ok, .count = true}, true, 0},
          {"tc, in", {.hook = Hook::TcIngress, .match = tc_next, .no_match = tc_ok, .count = true}, false, 0},
          {"control group, in", {.hook = Hook::Cgroup, .count = true, .direction = Direction::Ingress}, false, 14}};
}

/// Frames of one direction on the way to and from the echo; of those that a control group has the IPv4 packets.
class Seen {
 public:
  explicit Seen(const Way& way) : way_(way) {}
  void add(const Frame& frame) {
    const Bytes& bytes = frame.bytes;
    const bool is_ipv4 = bytes.size() > 34 && bytes[12] == 8 && bytes[13] == 0;
    if (frame.outgoing == way_.outgoing && (is_ipv4 || way_.header == 0))
      packets_.emplace_back(bytes.begin() + static_cast<long>(way_.header), bytes.end());
  }
  std::size_t count() const { return packets_.size(); }
  std::size_t longest() const { return packets_.empty() ? 0 : std::ranges::max(packets_, {}, &Bytes::size).size(); }
  std::size_t accepted(const Filter& filter) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        packets_, [&](const Bytes& p) { return filter.match({.bytes = p, .length = static_cast<std::uint32_t>(p.size())}); }));
  }

 private:
  const Way& way_;
  std::vector<Bytes> packets_;
};

Result<Filter> compiled(const char* text, const Way& way) {
  Options options;
  if (way.header != 0) options.link_type = "RAW";
  return compile(text, options);
}

std::size_t sum(const Attachment::Counts& counts) { return counts.accepted + counts.rejected; }

/// What the program had counted when nothing was on its way: a peer that got no processor for a while may still have answered a
/// connection of before, to the packet socket while the program was not attached yet, or to both.
Attachment::Counts at_rest(const Attachment& attached, const FrameSocket& capture) {
  Attachment::Counts counts;
  do counts = *attached.counts();
  while (capture.next(20) || sum(*attached.counts()) != sum(counts));
  return counts;
}

/// Counted since: until it is what the packet socket has shown, which it may have done a little earlier or later.
Attachment::Counts settled(const Attachment& attached, const Attachment::Counts& before, const FrameSocket& capture, Seen& seen) {
  Attachment::Counts counts;
  for (int i = 0; i < 100; ++i) {
    while (const auto frame = capture.next(20)) seen.add(*frame);
    counts = *attached.counts();
    counts.accepted -= before.accepted, counts.rejected -= before.rejected;
    if (sum(counts) == seen.count()) break;
  }
  return counts;
}

}  // namespace

TEST_CASE("packets of TCP that the device is to cut, from pages, are seen whole") {
  const Pair pair(mtu);
  const Peer peer;
  const Group group;
  const Bytes payload = pattern(400'000, 7);
  const auto file = file_of(payload);
  const FrameSocket capture("near");
  std::size_t packets = 0, accepted = 0;
  for (const Way& way : ways_of_tcp()) {
    CAPTURE(std::string(way.name));
    std::size_t longest = 0;
    for (const char* text : filters) {
      CAPTURE(std::string(text));
      const auto filter = compiled(text, way);
      REQUIRE(filter);
      const auto connection = connected(SOCK_STREAM, echo_port);
      const linger reset = {1, 0};  // so that nothing of a connection comes later
      (void)::setsockopt(connection.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      const auto attached = filter->attach(way.options.hook == Hook::Cgroup ? group.path() : "near", way.options);
      REQUIRE_MESSAGE(attached, attached.error().message);
      const auto before = at_rest(*attached, capture);
      send_and_take_back(connection, file, payload.size(), 60);
      Seen seen(way);
      const auto counts = settled(*attached, before, capture, seen);
      CHECK(sum(counts) == seen.count());
      CHECK(counts.accepted == seen.accepted(*filter));
      longest = std::max(longest, seen.longest());
      packets += seen.count();
      accepted += counts.accepted;
    }
    CHECK(longest > 20'000);
  }
  MESSAGE(packets, " packets, ", accepted, " accepted");
}

namespace {

/// A datagram to send: its payload from pages of ours; with `segment`, cut by the device into so long ones.
struct Datagram {
  std::size_t size;
  int segment;
};
constexpr Datagram datagrams[] = {{40, 0},   {700, 0},     {1400, 0},      {1472, 0},      {4000, 0},
                                  {9000, 0}, {3000, 1000}, {30'000, 1400}, {60'000, 1472}, {50'000, 1200}};

/// Whether the kernel took it; a program of a control group that drops it makes sending fail.
bool send(const Descriptor& socket, const Datagram& datagram) {
  const Bytes payload = pattern(datagram.size, static_cast<std::uint32_t>(datagram.size));
  (void)::setsockopt(socket.get(), SOL_UDP, UDP_SEGMENT, &datagram.segment, sizeof datagram.segment);
  if (::send(socket.get(), payload.data(), payload.size(), MSG_ZEROCOPY) != static_cast<ssize_t>(payload.size())) return false;
  char control[256];  // that the pages are free again
  msghdr done = {};
  done.msg_control = control, done.msg_controllen = sizeof control;
  pollfd ready = {socket.get(), 0, 0};
  if (::poll(&ready, 1, 2000) == 1) (void)::recvmsg(socket.get(), &done, MSG_ERRQUEUE);
  return true;
}

const Way out{"tc, out", {.hook = Hook::TcEgress, .match = tc_next, .no_match = tc_ok, .count = true}, true, 0};
const Way group_out{"control group, out", {.hook = Hook::Cgroup, .count = true, .direction = AttachOptions::Direction::Egress}, true, 14};

/// What a control group is to do with a datagram. Unknown: it sees it before it is fragmented, the device behind.
enum class Expected : std::uint8_t { Taken, Refused, Unknown };

Expected compare_at_device(const Descriptor& socket, const Datagram& datagram, const FrameSocket& capture, const Attachment& attached,
                           const Filter& frame_filter, const Filter& packet_filter) {
  CAPTURE(datagram.size);
  while (capture.next(0)) {}
  const auto before = *attached.counts();
  REQUIRE(send(socket, datagram));
  Seen frames(out), packets(group_out);
  while (const auto frame = capture.next(5)) frames.add(*frame), packets.add(*frame);
  const auto after = *attached.counts();
  CHECK(after.accepted + after.rejected - before.accepted - before.rejected == frames.count());
  CHECK(after.accepted - before.accepted == frames.accepted(frame_filter));
  if (datagram.segment == 0 && datagram.size > mtu) return Expected::Unknown;
  REQUIRE(packets.count() == 1);
  return packets.accepted(packet_filter) == 1 ? Expected::Taken : Expected::Refused;
}

Descriptor datagram_socket() {
  auto socket = connected(SOCK_DGRAM, discard_port);
  const int on = 1, room = 1 << 20;
  REQUIRE(::setsockopt(socket.get(), SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) == 0);
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  return socket;
}

}  // namespace

TEST_CASE("datagrams from pages, and those that the device is to cut, are seen whole") {
  const Pair pair(mtu);
  const Peer peer;
  const Group group;
  const auto socket = datagram_socket();
  const FrameSocket capture("near");
  for (const char* text : filters) {
    CAPTURE(std::string(text));
    const auto frame_filter = compiled(text, out), packet_filter = compiled(text, group_out);
    REQUIRE(frame_filter);
    REQUIRE(packet_filter);
    std::vector<Expected> at_group;
    {
      const auto at_device = frame_filter->attach("near", out.options);
      REQUIRE_MESSAGE(at_device, at_device.error().message);
      for (const Datagram& datagram : datagrams)
        at_group.push_back(compare_at_device(socket, datagram, capture, *at_device, *frame_filter, *packet_filter));
    }
    const auto attached = packet_filter->attach(group.path(), group_out.options);
    REQUIRE_MESSAGE(attached, attached.error().message);
    for (std::size_t i = 0; i < std::size(datagrams); ++i) {
      CAPTURE(datagrams[i].size);
      if (at_group[i] == Expected::Unknown) continue;
      CHECK(send(socket, datagrams[i]) == (at_group[i] == Expected::Taken));
    }
    const auto taken = static_cast<std::size_t>(std::ranges::count(at_group, Expected::Taken)),
               refused = static_cast<std::size_t>(std::ranges::count(at_group, Expected::Refused));
    CHECK(attached->counts()->accepted == taken);
    CHECK(attached->counts()->rejected == refused);
  }
}
