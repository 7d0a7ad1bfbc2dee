// Packets whose headers lie in pages: from a tap device that takes packets in pieces.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstring>

#include "frames.hpp"

using namespace weir;
using namespace weir::kernel;

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
    REQUIRE(kernel::run("ip link set pieces mtu 9000 up"));
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

/// Sends all frames, their link-layer header and some bytes more in the first piece; the numbers of those that arrive, of which so many are
/// waited for.
std::set<std::uint32_t> arriving_in_pieces(const Pieces& tap, const FrameSocket& in, const std::vector<Bytes>& frames,
                                           std::size_t extra, std::size_t expected) {
  while (in.receive(0)) {}
  for (const Bytes& frame : frames) (void)tap.send(frame, std::min(frame.size() - 1, 14 + extra));
  std::set<std::uint32_t> numbers;
  const auto collect = [&] {
    while (const auto frame = in.receive(20))
      if (const auto number = number_among(frames, *frame)) numbers.insert(*number);
  };
  for (int i = 0; i < 50 && numbers.size() < expected; ++i) collect();
  collect();
  return numbers;
}

/// Of the packets that arrive at all, those that the filter accepts.
std::set<std::uint32_t> accepted_of(const std::set<std::uint32_t>& all, const Filter& filter, const std::vector<Bytes>& frames) {
  auto numbers = accepted(filter, frames, true);
  std::erase_if(numbers, [&](std::uint32_t number) { return !all.contains(number); });
  return numbers;
}

}  // namespace

TEST_CASE("packets that are not linear are seen whole") {
  const auto frames = corpus_frames();
  const Pieces tap;
  const FrameSocket in("pieces");
  for (const std::size_t extra : {std::size_t{0}, std::size_t{7}, std::size_t{30}}) {
    CAPTURE(extra);
    const auto all = arriving_in_pieces(tap, in, frames, extra, frames.size());
    REQUIRE(all.size() > frames.size() / 2);
    for (const char* text : filters) {
      CAPTURE(std::string(text));
      const auto filter = compiled(text, true);
      REQUIRE(filter);
      const auto expected = accepted_of(all, *filter, frames);
      auto classifier = filter->attach("pieces", {.hook = Hook::TcIngress, .match = tc_next, .no_match = 0, .count = true});
      REQUIRE_MESSAGE(classifier, classifier.error().message);
      const auto attached = filter->attach(in.descriptor(), {.live = true});
      REQUIRE_MESSAGE(attached, attached.error().message);
      const auto got = arriving_in_pieces(tap, in, frames, extra, expected.size());
      CHECK_MESSAGE(got == expected, difference(got, expected, frames));
      CHECK(classifier->counts()->accepted == expected.size());
    }
  }
}

TEST_CASE("packets whose headers are in pages are seen whole on their way out and by the other end, too") {
  auto frames = corpus_frames();
  std::erase_if(frames, [](const Bytes& frame) { return after_untagging(frame, 0).bytes != frame || frame.size() < 60; });
  const Pieces tap;
  const Pair pair(9000);
  const auto onward = redirected("pieces", "near");
  const FrameSocket in("far");
  for (const Place& place : places()) {
    CAPTURE(std::string(place.name));
    // Generic XDP does not look at packets that a program sent on (netif_receive_generic_xdp() in net/core/dev.c).
    if (place.options.xdp_mode == AttachOptions::XdpMode::Generic) continue;
    const auto all = arriving_in_pieces(tap, in, frames, 0, frames.size());
    REQUIRE(all.size() > frames.size() / 2);
    for (const char* text : filters) {
      CAPTURE(std::string(text));
      const auto filter = compiled(text, true);
      REQUIRE(filter);
      const auto expected = accepted_of(all, *filter, frames);
      auto options = place.options;
      options.count = true;
      const auto attached = filter->attach(place.interface, options);
      if (!attached && attached.error().code == Code::Unsupported && !attached.error().message.contains("verifier")) continue;
      REQUIRE_MESSAGE(attached, attached.error().message);
      const bool comes_before = options.hook == Hook::TcIngress;  // the socket, which gets all then
      const auto got = arriving_in_pieces(tap, in, frames, 0, comes_before ? all.size() : expected.size());
      CHECK(attached->counts()->accepted == expected.size());
      if (!comes_before) CHECK_MESSAGE(got == expected, difference(got, expected, frames));
    }
  }
}
