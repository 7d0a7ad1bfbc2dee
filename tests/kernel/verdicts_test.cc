// Filters at every hook, on frames of the corpus that really come through: what gets past is what the filter accepts in user space.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <span>

#include "frames.hpp"

using namespace weir;
using namespace weir::kernel;

namespace {

/// The numbers of the frames that arrive, of which so many are waited for, and a little longer for more. The sender looks at them now
/// and then, so that no queue overflows.
std::set<std::uint32_t> arriving(const FrameSocket& out, const FrameSocket& in, const std::vector<Bytes>& frames, std::size_t expected) {
  std::set<std::uint32_t> numbers;
  const auto collect = [&](int milliseconds) {
    while (const auto frame = in.receive(milliseconds))
      if (const auto number = number_among(frames, *frame)) numbers.insert(*number);
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

/// Where packets are looked at that got past a program: sockets for all protocols come before traffic control, so that what comes
/// through that is sent on to another pair, by a program behind.
class Behind {
 public:
  Behind() {
    REQUIRE(kernel::run("ip link add probe mtu 9000 type veth peer name probed mtu 9000 && ip link set probe up && ip link set probed up"));
    kernel::wait_until_up("probe");
    kernel::wait_until_up("probed");
    filter_ = std::make_unique<attach::ClsactFilter>(redirected("far", "probe"));
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

struct Tally {
  std::size_t programs = 0, passed = 0, again = 0;
};

using Counts = Attachment::Counts;

/// What a program made of all frames, sent once.
struct Verdicts {
  std::set<std::uint32_t> got;
  Counts counts;  ///< of the program, where it counts
};

Verdicts verdicts(const Attachment& attached, const Place& place, const FrameSocket& out, const FrameSocket& seen,
                  const std::vector<Bytes>& frames, std::size_t expected) {
  const auto count = [&] { return place.options.count ? *attached.counts() : Counts{}; };
  const Counts before = count();
  Verdicts v{arriving(out, seen, frames, expected), {}};
  const Counts after = count();
  v.counts = {.accepted = after.accepted - before.accepted, .rejected = after.rejected - before.rejected};
  return v;
}

/// A frame can get lost on its way, before the program or behind it. Then it is missing where it is looked for, but no frame is
/// there that should not be, and no verdict was given more often than it should.
bool lacks_only(const Verdicts& v, const std::set<std::uint32_t>& expected, const Counts& counts) {
  return std::ranges::includes(expected, v.got) && v.counts.accepted <= counts.accepted && v.counts.rejected <= counts.rejected;
}

/// One filter at one place: what arrives behind it of the frames that arrive at all. Where frames got lost all are sent again; a
/// frame that is dropped by the program never arrives.
void compare(const char* text, const Place& place, const FrameSocket& out, const FrameSocket& seen, const std::vector<Bytes>& frames,
             const std::set<std::uint32_t>& all, Tally& tally) {
  CAPTURE(std::string(text));
  const auto filter = compiled(text, place.untagged);
  REQUIRE(filter);
  auto attached = filter->attach(place.interface, place.options);
  if (!attached && attached.error().code == Code::Unsupported && !attached.error().message.contains("verifier")) return;
  REQUIRE_MESSAGE(attached, attached.error().message);
  auto expected = accepted(*filter, frames, place.untagged);
  const Counts counts = place.options.count ? Counts{.accepted = expected.size(), .rejected = frames.size() - expected.size()} : Counts{};
  std::erase_if(expected, [&](std::uint32_t number) { return !all.contains(number); });
  const auto is_right = [&](const Verdicts& v) {
    return v.got == expected && v.counts.accepted == counts.accepted && v.counts.rejected == counts.rejected;
  };
  constexpr int most_tries = 5;
  int tries = 1;
  Verdicts v = verdicts(*attached, place, out, seen, frames, expected.size());
  for (; tries < most_tries && !is_right(v) && lacks_only(v, expected, counts); ++tries)
    v = verdicts(*attached, place, out, seen, frames, expected.size());
  CAPTURE(tries);
  CHECK_MESSAGE(v.got == expected, difference(v.got, expected, frames));
  CHECK(v.counts.accepted == counts.accepted);
  CHECK(v.counts.rejected == counts.rejected);
  ++tally.programs;
  tally.passed += v.got.size();
  tally.again += static_cast<std::size_t>(tries - 1);
}

/// The numbers of the frames that arrive where no program is: of some rounds, for one may lose some.
std::set<std::uint32_t> all_arriving(const FrameSocket& out, const FrameSocket& in, const std::vector<Bytes>& frames) {
  std::set<std::uint32_t> all;
  for (int round = 0; round < 3; ++round) all.merge(arriving(out, in, frames, frames.size() - 5));
  return all;
}

/// All filters at all places.
void compare_all(std::span<const char* const> texts, const std::vector<Bytes>& frames) {
  const Pair pair(9000);
  const FrameSocket out("near"), in("far");
  Tally tally;
  for (const Place& place : places()) {
    CAPTURE(std::string(place.name));
    std::unique_ptr<Behind> behind;
    if (place.options.hook == Hook::TcIngress) behind = std::make_unique<Behind>();
    const FrameSocket& seen = behind ? behind->socket() : in;
    const auto all = all_arriving(out, seen, frames);
    CHECK(all.size() >= frames.size() - 5);
    for (const char* text : texts) compare(text, place, out, seen, frames, all, tally);
  }
  CHECK(tally.programs >= texts.size() * 5);
  MESSAGE(tally.programs, " programs, ", frames.size(), " frames each, ", tally.passed,
          " passed; sent again because some got lost: ", tally.again);
}

}  // namespace

TEST_CASE("what passes a program at an interface is what its filter accepts") {
  const auto frames = corpus_frames();
  REQUIRE(frames.size() > 500);
  compare_all(filters, frames);
}

TEST_CASE("frames of several pages, as XDP's too, are seen whole") {
  const auto frames = grown(corpus_frames());
  compare_all(far_filters, frames);
}

TEST_CASE("what a tracepoint with types shows is what the filter accepts") {
  auto frames = corpus_frames();
  const auto own = static_cast<std::uint8_t>(::getpid());  // others' packets come to the tracepoint, too
  for (Bytes& frame : frames) frame[7] = own;
  const Pair pair(9000);
  const FrameSocket out("near"), in("far");
  for (const char* text : filters) {
    CAPTURE(std::string(text));
    const auto filter = compile("ether[6:4] = " + std::to_string(0x02000000U | std::uint32_t{own} << 16) + " and (" + text + ")", {});
    REQUIRE(filter);
    const auto attached = filter->attach("netif_receive_skb", {.hook = Hook::TracingBtf});
    if (!attached && attached.error().code == Code::Unsupported && !attached.error().message.contains("verifier")) continue;
    REQUIRE_MESSAGE(attached, attached.error().message);
    (void)arriving(out, in, frames, frames.size());
    CHECK(attached->counts()->accepted == accepted(*filter, frames, false).size());
  }
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
