// Filters at every hook, on frames of the corpus that really come through: what gets past is what the filter accepts in user space.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <set>

#include "attach/traffic_control.hpp"
#include "network.hpp"
#include "programs.hpp"
#include "weir/attach.hpp"

using namespace weir;
using kernel::Bytes;
using kernel::FrameSocket;
using kernel::Pair;

namespace {

constexpr std::size_t number_at = 8;  // in the sender's address: which frame it is
constexpr std::int32_t tc_next = -1, tc_drop = 2;

/// Filters that look at all layers, at bytes far behind, at lengths and at lists.
constexpr const char* filters[] = {
    "tcp port 80", "udp", "ip6", "arp", "icmp or icmp6", "host 10.0.0.2", "net 10.0.0.0/30 and not tcp", "vlan", "vlan and ip", "not vlan and udp",
    "len > 100", "len <= 60", "ip[6:2] & 0x3fff != 0", "ether multicast", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "udp[10:4] != 0 and len > 50",
    "ip6 host 2001:db8::2 or ip host 10.0.0.1", "portrange 1-1023", "ether proto 0x8847 or pppoes", "tcp and ip[2:2] > 40", "ether[200] = 0 or ether[100] != 0",
    "src host (10.0.0.1 or 10.0.0.2 or 10.0.0.3 or 10.0.0.4 or 10.0.0.5 or 192.168.1.1) and not port (22 or 23 or 25 or 53)"};

/// Frames of Ethernet that veth carries, each with its number in it.
std::vector<Bytes> corpus_frames() {
  std::vector<Bytes> frames;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(WEIR_SOURCE "/corpus/packets"))
    if (entry.path().extension() == ".pcap") files.push_back(entry.path());
  std::ranges::sort(files);
  for (const auto& file : files) {
    char why[PCAP_ERRBUF_SIZE];
    const std::unique_ptr<pcap_t, decltype(&pcap_close)> in(pcap_open_offline(file.c_str(), why), pcap_close);
    if (!in || pcap_datalink(in.get()) != DLT_EN10MB) continue;
    pcap_pkthdr* header = nullptr;
    const u_char* bytes = nullptr;
    while (pcap_next_ex(in.get(), &header, &bytes) == 1) {
      Bytes frame(bytes, bytes + header->caplen);
      if (frame.size() < 20 || frame.size() > 8000) continue;  // shorter ones with a tag the kernel drops (skb_vlan_untag())
      const auto number = static_cast<std::uint32_t>(frames.size());
      for (std::size_t i = 0; i < 4; ++i) frame[number_at + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
      frame[6] = 2, frame[7] = 0;  // no multicast address
      frames.push_back(std::move(frame));
    }
  }
  return frames;
}

std::uint32_t number_of(const Bytes& frame) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | frame[number_at + i];
  return number;
}

/// What the stack shows of a frame that came in: the tag is taken out.
struct Seen {
  Bytes bytes;
  Metadata meta;
};
Seen after_untagging(const Bytes& frame, std::uint32_t interface) {
  Seen seen{frame, {.interface_index = interface}};
  const std::uint32_t type = std::uint32_t{frame[12]} << 8 | frame[13];
  if (type != ETH_P_8021Q && type != ETH_P_8021AD) return seen;
  seen.meta.vlan_tag_present = 1;
  seen.meta.vlan_protocol = type;
  seen.meta.vlan_tag = std::uint32_t{frame[14]} << 8 | frame[15];
  seen.bytes.erase(seen.bytes.begin() + 12, seen.bytes.begin() + 16);
  return seen;
}

std::set<std::uint32_t> accepted(const Filter& filter, const std::vector<Bytes>& frames, bool untagged) {
  std::set<std::uint32_t> numbers;
  const unsigned interface = ::if_nametoindex("far");
  for (const Bytes& frame : frames) {
    const Seen seen = untagged ? after_untagging(frame, interface) : Seen{frame, {}};
    if (filter.match({.bytes = seen.bytes, .length = static_cast<std::uint32_t>(seen.bytes.size()), .meta = seen.meta})) numbers.insert(number_of(frame));
  }
  return numbers;
}

/// The numbers of the frames that arrive, of which so many are waited for, and a little longer for more. The sender looks at them now
/// and then, so that no queue overflows.
std::set<std::uint32_t> arriving(const FrameSocket& out, const FrameSocket& in, const std::vector<Bytes>& frames, std::size_t expected) {
  std::set<std::uint32_t> numbers;
  const auto collect = [&](int milliseconds) {
    while (const auto frame = in.receive(milliseconds))
      if (frame->size() >= 14 && (*frame)[6] == 2) numbers.insert(number_of(*frame));
  };
  collect(0);
  numbers.clear();
  for (std::size_t i = 0; i < frames.size(); ++i) {
    (void)out.send(frames[i]);  // a program that drops at egress makes it fail
    if (i % 64 == 63) collect(0);
  }
  for (int i = 0; i < 100 && numbers.size() < expected; ++i) collect(20);
  collect(20);
  return numbers;
}

/// The first frame in one of the two only.
std::string difference(const std::set<std::uint32_t>& got, const std::set<std::uint32_t>& expected, const std::vector<Bytes>& frames) {
  std::vector<std::uint32_t> other;
  std::ranges::set_symmetric_difference(got, expected, std::back_inserter(other));
  if (other.empty()) return {};
  std::string text = got.contains(other.front()) ? "passed and should not: " : "did not pass and should: ";
  constexpr char digits[] = "0123456789abcdef";
  for (const std::uint8_t b : frames[other.front()]) text += {digits[b >> 4], digits[b & 15]};
  return text + ", and " + std::to_string(other.size() - 1) + " more";
}

struct Place {
  const char* name;
  AttachOptions options;
  const char* interface;
  bool untagged;  ///< the stack has taken VLAN tags out
};
std::vector<Place> places() {
  using Mode = AttachOptions::XdpMode;
  return {
      {"XDP, native", {.hook = Hook::Xdp, .count = true, .xdp_mode = Mode::Native}, "far", false},
      {"XDP, generic", {.hook = Hook::Xdp, .xdp_mode = Mode::Generic}, "far", false},
      {"tcx, ingress", {.hook = Hook::TcIngress, .match = tc_next, .no_match = tc_drop, .count = true}, "far", true},
      {"clsact, ingress", {.hook = Hook::TcIngress, .match = tc_next, .no_match = tc_drop, .clsact = true}, "far", true},
      {"tcx, egress", {.hook = Hook::TcEgress}, "near", false},
      {"clsact, egress", {.hook = Hook::TcEgress, .clsact = true}, "near", false},
  };
}

/// Where packets are looked at that got past a program: sockets for all protocols come before traffic control, so that what comes
/// through that is sent on to another pair, by a program behind.
class Behind {
 public:
  Behind() {
    REQUIRE(kernel::run("ip link add probe mtu 9000 type veth peer name probed mtu 9000 && ip link set probe up && ip link set probed up"));
    kernel::wait_until_up("probe");
    kernel::wait_until_up("probed");
    using namespace ebpf::op;
    ebpf::Program redirect;
    redirect.hook = ebpf::Hook::TcIngress;
    redirect.instructions = {{.code = ALU64 | MOV | K, .dst = 1, .imm = static_cast<std::int32_t>(::if_nametoindex("probe"))},
                             {.code = ALU64 | MOV | K, .dst = 2, .imm = 0},
                             {.code = JMP | CALL, .imm = 23},  // bpf_redirect
                             {.code = JMP | EXIT}};
    const auto loaded = attach::Loaded::load(redirect, {});
    REQUIRE(loaded);
    auto filter = attach::attach_clsact(*loaded, {static_cast<int>(::if_nametoindex("far")), "far"});
    REQUIRE(filter);
    filter_ = std::make_unique<attach::ClsactFilter>(std::move(*filter));
    socket_ = std::make_unique<FrameSocket>("probed");
  }
  ~Behind() {
    filter_.reset();
    (void)kernel::run("ip link delete probe");
  }
  const FrameSocket& socket() const { return *socket_; }

 private:
  std::unique_ptr<attach::ClsactFilter> filter_;
  std::unique_ptr<FrameSocket> socket_;
};

Result<Filter> compiled(const char* text, bool untagged) {
  Options options;
  options.linux_ext = untagged;
  return compile(text, options);
}

}  // namespace

TEST_CASE("what passes a program at an interface is what its filter accepts") {
  const auto frames = corpus_frames();
  REQUIRE(frames.size() > 500);
  const Pair pair(9000);
  const FrameSocket out("near"), in("far");
  std::size_t programs = 0, passed = 0;
  for (const Place& place : places()) {
    CAPTURE(std::string(place.name));
    std::unique_ptr<Behind> behind;
    if (place.options.hook == Hook::TcIngress) behind = std::make_unique<Behind>();
    const FrameSocket& seen = behind ? behind->socket() : in;
    const auto all = arriving(out, seen, frames, frames.size() - 5);
    CHECK(all.size() >= frames.size() - 5);
    for (const char* text : filters) {
      CAPTURE(std::string(text));
      const auto filter = compiled(text, place.untagged);
      REQUIRE(filter);
      auto attached = filter->attach(place.interface, place.options);
      if (!attached && attached.error().code == Code::Unsupported && !attached.error().message.contains("verifier")) continue;
      REQUIRE_MESSAGE(attached, attached.error().message);
      auto expected = accepted(*filter, frames, place.untagged);
      std::erase_if(expected, [&](std::uint32_t number) { return !all.contains(number); });
      const auto got = arriving(out, seen, frames, expected.size());
      CHECK_MESSAGE(got == expected, difference(got, expected, frames));
      if (place.options.count) {
        const auto counts = attached->counts();
        REQUIRE(counts);
        CHECK(counts->accepted == accepted(*filter, frames, place.untagged).size());
        CHECK(counts->accepted + counts->rejected == frames.size());
      }
      ++programs;
      passed += got.size();
    }
  }
  CHECK(programs >= std::size(filters) * 5);
  MESSAGE(programs, " programs, ", frames.size(), " frames each, ", passed, " passed");
}

TEST_CASE("what comes to a socket is what its filter accepts, as classic BPF and as eBPF") {
  const auto frames = corpus_frames();
  const Pair pair(9000);
  const FrameSocket out("near"), in("far");
  for (const char* text : filters) {
    CAPTURE(std::string(text));
    const auto filter = compiled(text, true);
    REQUIRE(filter);
    const auto expected = accepted(*filter, frames, true);
    for (const bool classic : {true, false}) {
      CAPTURE(classic);
      const auto attached = filter->attach(in.descriptor(), classic ? AttachOptions{} : AttachOptions{.live = true});
      REQUIRE_MESSAGE(attached, attached.error().message);
      CHECK(attached->as() == (classic ? Attached::Classic : Attached::Ebpf));
      const auto got = arriving(out, in, frames, expected.size());
      CHECK_MESSAGE(got == expected, difference(got, expected, frames));
    }
  }
}

namespace {

/// A tap device that takes packets in pieces, each of which the kernel keeps where it is: but the first piece is linear
/// (tun_napi_alloc_frags() in drivers/net/tun.c).
class Pieces {
 public:
  Pieces() : file_(::open("/dev/net/tun", O_RDWR | O_CLOEXEC)) {
    ifreq request = {};
    std::strncpy(request.ifr_name, "pieces", IFNAMSIZ - 1);
    request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | IFF_NAPI | IFF_NAPI_FRAGS);
    REQUIRE(::ioctl(file_.get(), TUNSETIFF, &request) == 0);
    ethtool_value off = {ETHTOOL_SGRO, 0};  // which would join packets
    request.ifr_data = reinterpret_cast<char*>(&off);
    const attach::Descriptor any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    REQUIRE(::ioctl(any.get(), SIOCETHTOOL, &request) == 0);
    REQUIRE(kernel::run("echo 1 2>/dev/null >/proc/sys/net/ipv6/conf/pieces/disable_ipv6; ip link set pieces mtu 9000 up"));
    kernel::wait_until_up("pieces");
  }

  /// The first has so many bytes, each other a third of the rest.
  bool send(const Bytes& frame, std::size_t first) const {
    auto* at = const_cast<std::uint8_t*>(frame.data());
    std::vector<iovec> pieces = {{at, first}};
    const std::size_t rest = frame.size() - first, third = rest / 3 + 1;
    for (std::size_t done = 0; done < rest; done += third) pieces.push_back({at + first + done, std::min(third, rest - done)});
    return ::writev(file_.get(), pieces.data(), static_cast<int>(pieces.size())) == static_cast<ssize_t>(frame.size());
  }

 private:
  attach::Descriptor file_;
};

}  // namespace

TEST_CASE("packets that are not linear are seen whole") {
  const auto frames = corpus_frames();
  const Pieces tap;
  const FrameSocket in("pieces");
  const auto send_all = [&](std::size_t extra) {
    std::set<std::uint32_t> sent;
    for (const Bytes& frame : frames) {
      const std::size_t first = std::min(frame.size() - 1, 14 + extra);
      if (tap.send(frame, first)) sent.insert(number_of(frame));
    }
    return sent;
  };
  const auto arrived = [&](std::size_t expected) {
    std::set<std::uint32_t> numbers;
    for (int i = 0; i < 50 && numbers.size() < expected; ++i)
      while (const auto frame = in.receive(20)) numbers.insert(number_of(*frame));
    while (const auto frame = in.receive(20)) numbers.insert(number_of(*frame));
    return numbers;
  };
  for (const std::size_t extra : {std::size_t{0}, std::size_t{7}, std::size_t{30}}) {
    CAPTURE(extra);
    (void)send_all(extra);
    const auto all = arrived(frames.size());
    REQUIRE(all.size() > frames.size() / 2);
    for (const char* text : filters) {
      CAPTURE(std::string(text));
      const auto filter = compiled(text, true);
      REQUIRE(filter);
      auto expected = accepted(*filter, frames, true);
      std::erase_if(expected, [&](std::uint32_t number) { return !all.contains(number); });
      auto classifier = filter->attach("pieces", {.hook = Hook::TcIngress, .match = tc_next, .no_match = 0, .count = true});
      REQUIRE_MESSAGE(classifier, classifier.error().message);
      const auto attached = filter->attach(in.descriptor(), {.live = true});
      REQUIRE_MESSAGE(attached, attached.error().message);
      (void)send_all(extra);
      const auto got = arrived(expected.size());
      CHECK_MESSAGE(got == expected, difference(got, expected, frames));
      CHECK(classifier->counts()->accepted == expected.size());
    }
  }
}
