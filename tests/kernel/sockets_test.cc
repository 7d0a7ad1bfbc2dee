// Programs for groups of packet sockets and for tun and tap devices.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <cstring>

#include "attach/fanout.hpp"
#include "attach/tap.hpp"
#include "network.hpp"
#include "programs.hpp"

using namespace weir;
using attach::FanoutKind;
using attach::Loaded;
using ebpf::Hook;
using kernel::Bytes;
using kernel::FrameSocket;
using kernel::Pair;
using kernel::returning;

namespace {

Loaded load(std::int32_t value) {
  auto loaded = Loaded::load(returning(Hook::Socket, value), {});
  REQUIRE_MESSAGE(loaded, loaded.error().message);
  return std::move(*loaded);
}

cbpf::Program classic(std::uint32_t value, std::size_t instructions = 1) {
  cbpf::Program program;
  program.instructions.assign(instructions, {cbpf::op::RET, 0, 0, value});
  return program;
}

template <class T>
std::string message(const Result<T>& r) { return r ? std::string() : r.error().message; }

const Bytes frame = [] {
  Bytes bytes(60, 0xff);
  bytes[12] = 0x88, bytes[13] = 0xb5;  // an EtherType for experiments (IEEE 802)
  return bytes;
}();

/// A device, up, and the file behind it.
class Tun {
 public:
  Tun(const char* name, int flags) : file_(::open("/dev/net/tun", O_RDWR | O_CLOEXEC)) {
    ifreq request = {};
    std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = static_cast<short>(flags | IFF_NO_PI);
    REQUIRE(::ioctl(file_.get(), TUNSETIFF, &request) == 0);
    (void)kernel::run(std::string("ip link set ") + name + " up");
    kernel::wait_until_up(name);
  }
  int file() const { return file_.get(); }
  std::optional<Bytes> read(int milliseconds = 2000) const {
    pollfd ready = {file_.get(), POLLIN, 0};
    if (::poll(&ready, 1, milliseconds) != 1) return std::nullopt;
    Bytes bytes(4096);
    const auto got = ::read(file_.get(), bytes.data(), bytes.size());
    if (got < 0) return std::nullopt;
    bytes.resize(static_cast<std::size_t>(got));
    return bytes;
  }

 private:
  attach::Descriptor file_;
};

}  // namespace

TEST_CASE("a program deals packets out to the sockets of a group") {
  const Pair pair;
  const FrameSocket out("near");
  for (const auto kind : {FanoutKind::Classic, FanoutKind::Extended}) {
    const FrameSocket first("far"), second("far");
    const std::uint16_t group = kind == FanoutKind::Classic ? 1 : 2;
    const auto is_for = [&](std::uint32_t number) {
      return kind == FanoutKind::Classic ? attach::set_fanout(classic(number), first.descriptor())
                                         : attach::set_fanout(load(static_cast<std::int32_t>(number)), first.descriptor());
    };
    CHECK(!is_for(0));  // not in a group
    for (const auto* socket : {&first, &second}) REQUIRE(attach::join_fanout(socket->descriptor(), group, kind));
    for (const std::uint32_t number : {0u, 1u, 2u, 3u}) {
      const auto set = is_for(number);
      REQUIRE_MESSAGE(set, message(set));
      REQUIRE(out.send(frame));
      CHECK((number % 2 == 0 ? first : second).receive(2000) == frame);
      CHECK(!(number % 2 == 0 ? second : first).receive(20));
    }
    CHECK(message(attach::join_fanout(first.descriptor(), 9, kind)).contains("in a group already"));
    const auto other = kind == FanoutKind::Classic ? FanoutKind::Extended : FanoutKind::Classic;
    const FrameSocket third("far");
    CHECK(message(attach::join_fanout(third.descriptor(), group, other)).contains("of another kind"));
  }
}

TEST_CASE("classic BPF on a tap device") {
  const Tun tap("tap", IFF_TAP);
  const FrameSocket out("tap");
  REQUIRE(out.send(frame));
  CHECK(tap.read() == frame);
  REQUIRE(attach::attach_tap(classic(0), tap.file()));
  REQUIRE(out.send(frame));
  CHECK(!tap.read(60));
  REQUIRE(attach::attach_tap(classic(20), tap.file()));
  REQUIRE(out.send(frame));
  CHECK(tap.read() == Bytes(frame.begin(), frame.begin() + 20));
  REQUIRE(attach::detach_tap(tap.file()));
  REQUIRE(out.send(frame));
  CHECK(tap.read() == frame);
  CHECK(message(attach::attach_tap(classic(0, 5000), tap.file())).contains("5000 instructions"));
}

TEST_CASE("eBPF on a tap device keeps as many bytes as it returns") {
  const Tun tap("tap", IFF_TAP);
  const FrameSocket out("tap");
  const auto set = attach::attach_tun(load(20), tap.file());
  REQUIRE_MESSAGE(set, message(set));
  REQUIRE(out.send(frame));
  CHECK(tap.read() == Bytes(frame.begin(), frame.begin() + 20));
  REQUIRE(attach::attach_tun(load(0), tap.file()));
  REQUIRE(out.send(frame));
  CHECK(!tap.read(60));
  REQUIRE(attach::detach_tun(tap.file()));
  REQUIRE(out.send(frame));
  CHECK(tap.read() == frame);
}

TEST_CASE("a tun device takes eBPF, and no classic BPF") {
  const Tun tun("tun", IFF_TUN);
  CHECK(message(attach::attach_tap(classic(0), tun.file())).contains("no tap device"));
  CHECK(attach::attach_tun(load(0), tun.file()));
  const attach::Descriptor bare(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  CHECK(message(attach::attach_tun(load(0), bare.get())).contains("no device is set up"));
  CHECK(message(attach::attach_tun(load(0), 0x7fffffff)).contains("not an open file"));
}

TEST_CASE("a program chooses the queue of a device") {
  const Tun first("tap", IFF_TAP | IFF_MULTI_QUEUE), second("tap", IFF_TAP | IFF_MULTI_QUEUE);
  const FrameSocket out("tap");
  for (const int queue : {0, 1}) {
    const auto set = attach::steer_tun(load(queue), first.file());
    REQUIRE_MESSAGE(set, message(set));
    REQUIRE(out.send(frame));
    CHECK((queue == 0 ? first : second).read() == frame);
  }
  CHECK(attach::unsteer_tun(first.file()));
}
