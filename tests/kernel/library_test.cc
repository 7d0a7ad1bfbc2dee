// The library's attachments: what they say of themselves, lists that change, filters that replace others.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include "network.hpp"
#include "weir/attach.hpp"

using namespace weir;
using kernel::Bytes;
using kernel::FrameSocket;
using kernel::Pair;

namespace {

template <class T>
std::string message(const Result<T>& r) { return r ? std::string() : r.error().message; }

Filter compiled(const std::string& text, Options options = {}) {
  auto filter = compile(text, options);
  REQUIRE_MESSAGE(filter, message(filter));
  return std::move(*filter);
}

/// A frame of UDP over IPv4 between two addresses.
Bytes ipv4(std::uint32_t from, std::uint32_t to, std::uint32_t number = 0) {
  Bytes f(60);
  f[0] = f[6] = 2, f[12] = 8, f[14] = 0x45, f[17] = 46, f[22] = 64, f[23] = 17;
  for (std::size_t i = 0; i < 4; ++i) {
    f[26 + i] = static_cast<std::uint8_t>(from >> (24 - 8 * i));
    f[30 + i] = static_cast<std::uint8_t>(to >> (24 - 8 * i));
    f[50 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  return f;
}
std::uint32_t number_of(const Bytes& f) {
  return std::uint32_t{f[50]} << 24 | std::uint32_t{f[51]} << 16 | std::uint32_t{f[52]} << 8 | f[53];
}

/// One from an IPv6 address that ends in a number.
Bytes ipv6(std::uint8_t last) {
  Bytes f(74);
  f[0] = f[6] = 2, f[12] = 0x86, f[13] = 0xdd, f[14] = 0x60, f[19] = 20, f[20] = 59, f[21] = 64;
  const std::array<std::uint8_t, 4> begin = {0x20, 0x01, 0x0d, 0xb8};
  std::ranges::copy(begin, f.begin() + 22);
  std::ranges::copy(begin, f.begin() + 38);
  f[37] = last, f[53] = 0xee;
  return f;
}

constexpr int patience = 2000, impatience = 60;  // milliseconds

bool arrives(const FrameSocket& out, const FrameSocket& in, const Bytes& frame, int milliseconds = patience) {
  while (in.receive(0)) {}
  REQUIRE(out.send(frame));
  return in.receive(milliseconds) == frame;
}
bool vanishes(const FrameSocket& out, const FrameSocket& in, const Bytes& frame) { return !arrives(out, in, frame, impatience); }

constexpr std::int32_t xdp_drop = 1, xdp_pass = 2;
const AttachOptions block_list = {.hook = Hook::Xdp, .match = xdp_drop, .no_match = xdp_pass, .live = true};

}  // namespace

TEST_CASE("a filter says what it was attached as, and ends with its object") {
  const Pair pair;
  const FrameSocket out("near"), in("far");
  const auto filter = compiled("udp");
  {
    const auto attached = filter.attach("far", {.hook = Hook::Xdp, .match = xdp_drop, .no_match = xdp_pass});
    REQUIRE_MESSAGE(attached, message(attached));
    CHECK(attached->as() == Attached::XdpNative);
    CHECK(attached->description().starts_with("XDP program "));
    CHECK(attached->description().ends_with(", native mode, on far"));
    CHECK(vanishes(out, in, ipv4(1, 2)));
    CHECK(message(attached->counts()) == "the program does not count");
  }
  CHECK(arrives(out, in, ipv4(1, 2)));
  auto tc = filter.attach("far", {.hook = Hook::TcIngress});
  REQUIRE(tc);
  CHECK(tc->as() == Attached::Tcx);
  tc->detach();
  CHECK(filter.attach("far", {.hook = Hook::TcIngress, .clsact = true})->as() == Attached::Clsact);
  CHECK(message(filter.attach("nothing", {.hook = Hook::Xdp})) == "there is no interface 'nothing'");
  CHECK(message(filter.attach("far", {})).contains("takes a socket"));
  CHECK(message(filter.attach(in.descriptor(), {.hook = Hook::Xdp})).contains("a socket is no place"));
  CHECK(message(filter.attach(in.descriptor(), {.pin = "/sys/fs/bpf/x"})).contains("cannot be pinned"));
}

TEST_CASE("what does not fit classic BPF goes in as eBPF where that is permitted") {
  const Pair pair;
  const FrameSocket out("near"), in("far");
  std::string list = "ip src host 10.0.0.1";
  for (int i = 0; i < 20000; ++i)
    list += " or ip src host 10." + std::to_string(i / 250 % 200 + 1) + "." + std::to_string(i % 250 + 1) + "." +
            std::to_string(1 + i * 7 % 250);
  const auto filter = compiled(list);
  const auto refused = filter.attach(in.descriptor(), AttachOptions{});
  REQUIRE(!refused);
  CHECK(refused.error().code == Code::TooLarge);
  {
    const auto attached = filter.attach(in.descriptor(), {.may_use_ebpf = true});
    REQUIRE_MESSAGE(attached, message(attached));
    CHECK(attached->as() == Attached::Ebpf);
    REQUIRE(attached->refused_classic().has_value());
    CHECK(attached->refused_classic()->code == Code::TooLarge);
    CHECK(arrives(out, in, ipv4(0x0a000001, 2)));
    CHECK(vanishes(out, in, ipv4(0x0a000002, 2)));
  }
  CHECK(arrives(out, in, ipv4(0x0a000002, 2)));
  const auto small = compiled("udp").attach(in.descriptor(), {.may_use_ebpf = true});
  REQUIRE(small);
  CHECK(small->as() == Attached::Classic);
  CHECK(!small->refused_classic());
}

TEST_CASE("a list of addresses that lives") {
  const Pair pair;
  const FrameSocket out("near"), in("far");
  auto blocked = compiled("ip src host 192.0.2.1 or ip src host 192.0.2.7").attach("far", block_list);
  REQUIRE_MESSAGE(blocked, message(blocked));
  REQUIRE(blocked->lists().size() == 1);
  CHECK(blocked->lists()[0].bytes == 4);
  CHECK(!blocked->lists()[0].networks);
  CHECK(vanishes(out, in, ipv4(0xc0000201, 2)));
  CHECK(arrives(out, in, ipv4(0xc0000202, 2)));
  CHECK(blocked->add("192.0.2.2"));
  CHECK(blocked->add("192.0.2.2"));
  CHECK(vanishes(out, in, ipv4(0xc0000202, 2)));
  CHECK(blocked->remove("192.0.2.2") == true);
  CHECK(blocked->remove("192.0.2.2") == false);
  CHECK(arrives(out, in, ipv4(0xc0000202, 2)));
  CHECK(blocked->remove("192.0.2.1") == true);
  CHECK(arrives(out, in, ipv4(0xc0000201, 2)));
  CHECK(blocked->add("198.51.100.0/28"));
  CHECK(vanishes(out, in, ipv4(0xc633640f, 2)));
  CHECK(arrives(out, in, ipv4(0xc6336410, 2)));
  CHECK(message(blocked->add("10.0.0.0/8")).contains("takes single addresses"));
  CHECK(message(blocked->add("2001:db8::1")) == "the filter has no list of IPv6 addresses");
  CHECK(message(blocked->add("192.0.2.1", 3)) == "there is no list 3: the filter has 1");
  CHECK(message(blocked->add("192.0.2.1/33")).contains("no length of a prefix"));
  CHECK(message(blocked->add("192.0.2.1/24")).contains("bits behind its prefix"));
  CHECK(message(blocked->add("example.org")).contains("is no address"));
}

TEST_CASE("a list of networks that lives") {
  const Pair pair;
  const FrameSocket out("near"), in("far");
  auto blocked = compiled("src net 192.0.2.0/24 or src net 203.0.113.0/25").attach("far", block_list);
  REQUIRE_MESSAGE(blocked, message(blocked));
  REQUIRE(!blocked->lists().empty());
  CHECK(blocked->lists()[0].networks);
  CHECK(vanishes(out, in, ipv4(0xc0000280, 2)));
  CHECK(arrives(out, in, ipv4(0x0a010203, 2)));
  CHECK(blocked->add("10.0.0.0/8"));
  CHECK(vanishes(out, in, ipv4(0x0a010203, 2)));
  CHECK(blocked->add("10.1.2.3"));
  CHECK(blocked->remove("10.0.0.0/8") == true);
  CHECK(vanishes(out, in, ipv4(0x0a010203, 2)));
  CHECK(arrives(out, in, ipv4(0x0a010204, 2)));
}

TEST_CASE("one network is a list") {
  const Pair pair;
  const FrameSocket out("near"), in("far");
  auto blocked = compiled("src net 192.0.2.0/24").attach("far", block_list);
  REQUIRE_MESSAGE(blocked, message(blocked));
  CHECK(vanishes(out, in, ipv4(0xc0000280, 2)));
  CHECK(arrives(out, in, ipv4(0xc6336401, 2)));
  const auto added = blocked->add("198.51.100.0/24");
  CHECK_MESSAGE(added, message(added));
  CHECK(vanishes(out, in, ipv4(0xc6336401, 2)));
  CHECK(blocked->remove("192.0.2.0/24") == true);
  CHECK(arrives(out, in, ipv4(0xc0000280, 2)));
}

TEST_CASE("a list of IPv6 addresses that lives") {
  const Pair pair;
  const FrameSocket out("near"), in("far");
  auto blocked = compiled("ip6 src host 2001:db8::1 or ip6 src host 2001:db8::3").attach("far", block_list);
  REQUIRE_MESSAGE(blocked, message(blocked));
  CHECK(vanishes(out, in, ipv6(1)));
  CHECK(arrives(out, in, ipv6(2)));
  const auto added = blocked->add("2001:db8::2");
  CHECK_MESSAGE(added, message(added));
  CHECK(vanishes(out, in, ipv6(2)));
  CHECK(blocked->remove("2001:db8::1") == true);
  CHECK(arrives(out, in, ipv6(1)));
}

TEST_CASE("of two lists of IPv6 addresses each is shown with its own words") {
  const Pair pair;
  auto blocked =
      compiled("ip6 src host 2001:db8::1 or ip6 src host 2001:db8::3 or ip6 dst host 2001:db8::5 or ip6 dst host 2001:db8::7")
          .attach("far", block_list);
  REQUIRE_MESSAGE(blocked, message(blocked));
  REQUIRE(blocked->lists().size() >= 2);  // and parts of addresses, for packets that end within them
  CHECK(blocked->lists()[0].bytes == 16);
  CHECK(blocked->lists()[0].words == "ip6 src host 2001:db8::1");
  CHECK(blocked->lists()[1].bytes == 16);
  CHECK(blocked->lists()[1].words == "ip6 dst host 2001:db8::5");
}

TEST_CASE(
    "IPv6 networks that are asked in parts are no list of addresses, neither of IPv6 nor of IPv4, and become one with an address "
    "beside them") {
  const Pair pair;
  const FrameSocket out("near"), in("far");
  {
    auto blocked = compiled("ip6 src net 2001:db8::/32").attach("far", block_list);
    REQUIRE_MESSAGE(blocked, message(blocked));
    for (const char* address : {"2001:db9::1", "10.0.0.1"}) {
      const auto added = blocked->add(address);
      REQUIRE(!added);
      CHECK(added.error().code == Code::Range);
      CHECK(added.error().hint.contains("at most 32 bits"));
    }
  }
  auto blocked = compiled("ip6 src net 2001:db9::/32 or ip6 src host ::1").attach("far", block_list);
  REQUIRE_MESSAGE(blocked, message(blocked));
  CHECK(arrives(out, in, ipv6(2)));
  CHECK(blocked->add("2001:db8::/32"));
  CHECK(vanishes(out, in, ipv6(2)));
}

TEST_CASE("more lists than a program has maps for do not live") {
  const Pair pair;
  std::string text = "ip src host 192.0.2.1";
  for (int i = 0; i < 70; ++i) text += " or ip[" + std::to_string(20 + 4 * i) + ":4] = " + std::to_string(1000 + i);
  const auto attached = compiled(text.c_str()).attach("far", block_list);
  REQUIRE(!attached);
  CHECK(attached.error().code == Code::TooLarge);
  CHECK(message(attached).contains("more than 60 lists"));
}

TEST_CASE("lists of IPv4 and of IPv6 addresses in one filter") {
  const Pair pair;
  const FrameSocket out("near"), in("far");
  auto blocked = compiled("host 192.0.2.1 or net 198.51.100.0/24 or src host 2001:db8::1 or src host 2001:db8:1::7")
                     .attach("far", block_list);
  REQUIRE_MESSAGE(blocked, message(blocked));
  CHECK(blocked->lists().size() == 2);
  CHECK(vanishes(out, in, ipv6(1)));
  CHECK(vanishes(out, in, ipv4(2, 0xc0000201)));
  CHECK(arrives(out, in, ipv6(2)));
  CHECK(blocked->add("2001:db8::2"));
  CHECK(vanishes(out, in, ipv6(2)));
  CHECK(blocked->add("10.0.0.0/8"));
  CHECK(vanishes(out, in, ipv4(2, 0x0a0b0c0d)));
  CHECK(vanishes(out, in, ipv4(0x0a0b0c0d, 2)));
}

TEST_CASE("a list has the room that was asked for, and a network goes in as a whole or not") {
  const Pair pair;
  auto options = block_list;
  options.room = 10;
  auto blocked = compiled("ip src host 192.0.2.1 or ip src host 192.0.2.3").attach("far", options);
  REQUIRE_MESSAGE(blocked, message(blocked));
  CHECK(message(blocked->add("198.51.100.0/28")) == "the list is full: it has room for 12 entries");
  CHECK(blocked->add("198.51.100.0/29"));
  CHECK(blocked->remove("198.51.100.15") == false);
}

TEST_CASE("a filter whose lists do not live") {
  const Pair pair;
  auto attached = compiled("ip src host 192.0.2.1").attach("far", {.hook = Hook::Xdp});
  REQUIRE(attached);
  CHECK(message(attached->add("192.0.2.2")) == "the filter's lists cannot change");
}

TEST_CASE("tracing counts what passes") {
  const Pair pair;
  const FrameSocket out("near"), in("far");
  for (const Hook hook : {Hook::Tracing, Hook::TracingBtf}) {
    const auto attached = compiled("udp and ip src host 192.0.2.77").attach("netif_receive_skb", {.hook = hook});
    REQUIRE_MESSAGE(attached, message(attached));
    for (int i = 0; i < 5; ++i) CHECK(arrives(out, in, ipv4(0xc000024d, 2)));
    CHECK(arrives(out, in, ipv4(0xc000024e, 2)));
    const auto counts = attached->counts();
    REQUIRE(counts);
    CHECK(counts->accepted == 5);
    CHECK(counts->rejected >= 1);
  }
}

TEST_CASE("a filter is replaced while packets come: none that it rejects is read, none that both accept is lost") {
  const Pair pair;
  const FrameSocket out("near"), in("far");
  // Frames in turn: from host 1, which both filters accept; from 2, which only the first does; from 3, which only the second does.
  Options live;
  live.linux_ext = true;
  const auto first = compiled("src host 10.0.0.1 or src host 10.0.0.2", live),
             second = compiled("src host 10.0.0.1 or src host 10.0.0.3", live);
  for (const bool ebpf : {false, true}) {
    CAPTURE(ebpf);
    AttachOptions options;
    options.live = ebpf;
    const FrameSocket socket("far");
    REQUIRE(first.replace(socket.descriptor(), options));
    std::atomic<bool> ended = false;
    std::atomic<std::uint32_t> sent = 0;
    std::thread sender([&] {
      for (std::uint32_t i = 0; !ended; ++i) {
        if (out.send(ipv4(0x0a000001 + i % 3, 9, i))) sent = i + 1;
        if (i % 32 == 31) std::this_thread::sleep_for(std::chrono::microseconds(200));  // slower than the reader
      }
    });
    std::vector<Bytes> got;
    std::size_t wrong = 0, waited = 0, discarded = 0;
    for (int turn = 0; turn < 20; ++turn) {
      const bool to_second = turn % 2 == 0;
      const std::uint8_t rejected = to_second ? 2 : 3;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));  // some wait in the socket
      const auto replaced = (to_second ? second : first).replace(socket.descriptor(), options);
      REQUIRE_MESSAGE(replaced, message(replaced));
      CHECK(replaced->as == (ebpf ? Attached::Ebpf : Attached::Classic));
      discarded += replaced->discarded;
      waited += replaced->waiting.size();
      for (const auto& packet : replaced->waiting) {
        wrong += packet.bytes[29] == rejected;
        got.push_back(packet.bytes);
      }
      for (int i = 0; i < 50; ++i) {
        auto frame = socket.receive(5);
        if (!frame) break;
        wrong += (*frame)[29] == rejected;
        got.push_back(std::move(*frame));
      }
    }
    ended = true;
    sender.join();
    while (auto frame = socket.receive(100)) got.push_back(std::move(*frame));
    CHECK(wrong == 0);
    CHECK(waited > 0);
    CHECK(discarded > 0);
    std::vector<std::uint32_t> common;
    for (const Bytes& frame : got)
      if (frame[29] == 1) common.push_back(number_of(frame));
    CHECK(common.size() == (sent + 2) / 3);
    CHECK(std::ranges::is_sorted(common));
    CHECK(std::ranges::adjacent_find(common) == common.end());
    MESSAGE(sent.load(), " packets sent, ", waited, " waited and were kept, ", discarded, " discarded");
  }
}

TEST_CASE("the tag of a waiting packet is known to the filter that looks at it anew") {
  const Pair pair;
  const FrameSocket out("near"), in("far");
  Options live;
  live.linux_ext = true;
  auto tagged = ipv4(1, 2);
  const std::array<std::uint8_t, 4> tag = {0x81, 0, 0, 7};
  tagged.insert(tagged.begin() + 12, tag.begin(), tag.end());
  const FrameSocket beside("far");  // what comes to this one has come to the other, or does at the same time
  REQUIRE(out.send(tagged));
  REQUIRE(out.send(ipv4(1, 2)));
  while (auto frame = beside.receive(2000))
    if (*frame == ipv4(1, 2)) break;
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto replaced = compiled("vlan 7 and udp", live).replace(in.descriptor(), {});
  REQUIRE_MESSAGE(replaced, message(replaced));
  REQUIRE(replaced->waiting.size() == 1);
  CHECK(replaced->waiting[0].meta.vlan_tag == 7);
  CHECK(replaced->waiting[0].length == 60);
  CHECK(replaced->discarded >= 1);
}

TEST_CASE("a socket whose packets cannot be looked at anew loses what waits, when that is permitted") {
  const attach::Descriptor in(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), out(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(in.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(in.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  REQUIRE(::connect(out.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  for (int i = 0; i < 3; ++i) REQUIRE(::send(out.get(), "abc", 3, 0) == 3);
  const auto filter = compiled("len > 11");  // of which 8 are UDP's header
  CHECK(message(filter.replace(in.get(), {})).contains("cannot be looked at anew"));
  const auto replaced = filter.replace(in.get(), {}, false);
  REQUIRE_MESSAGE(replaced, message(replaced));
  CHECK(replaced->discarded == 3);
  CHECK(replaced->waiting.empty());
  REQUIRE(::send(out.get(), "abc", 3, 0) == 3);
  REQUIRE(::send(out.get(), "abcd", 4, 0) == 4);
  char bytes[8];
  CHECK(::recv(in.get(), bytes, sizeof bytes, 0) == 4);
  const attach::Descriptor stream(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(message(filter.replace(stream.get(), {}, false)).contains("cannot be looked at anew"));
  CHECK(message(filter.replace(0x7ffffff, {})) == "not an open file");
}
