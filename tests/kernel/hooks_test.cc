// What a program decides at each hook, what is there when it goes, and what the kernel minds. The programs keep or drop everything.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>

#include "attach/cgroup.hpp"
#include "attach/socket_program.hpp"
#include "attach/tracing.hpp"
#include "attach/traffic_control.hpp"
#include "attach/xdp.hpp"
#include "network.hpp"
#include "programs.hpp"

using namespace weir;
using attach::Loaded;
using attach::XdpMode;
using ebpf::Hook;
using kernel::Bytes;
using kernel::FrameSocket;
using kernel::Pair;
using kernel::returning;

namespace {

constexpr int xdp_drop = 1, xdp_pass = 2, tc_drop = 2, tc_next = -1;

Loaded load(Hook hook, std::int32_t value, std::string name = "weir") {
  auto loaded = Loaded::load(returning(hook, value), {.name = std::move(name)});
  REQUIRE_MESSAGE(loaded, loaded.error().message);
  return std::move(*loaded);
}

attach::NetworkInterface interface(const char* name) {
  auto found = attach::find_interface(name);
  REQUIRE(found);
  return *found;
}

template <class T>
std::string message(const Result<T>& r) { return r ? std::string() : r.error().message; }

const Bytes frame = [] {
  Bytes bytes(60, 0xff);
  bytes[12] = 0x88, bytes[13] = 0xb5;  // an EtherType for experiments (IEEE 802)
  return bytes;
}();

constexpr int patience = 2000, impatience = 60;  // milliseconds

bool arrives(const FrameSocket& out, const FrameSocket& in, int milliseconds = patience) {
  while (in.receive(0)) {}
  REQUIRE(out.send(frame));
  return in.receive(milliseconds).has_value();
}
bool vanishes(const FrameSocket& out, const FrameSocket& in) { return !arrives(out, in, impatience); }

/// A file system of type bpf, for the time of this object.
struct BpfFolder {
  std::string path = std::filesystem::temp_directory_path() / ("weir-bpf-" + std::to_string(::getpid()));
  BpfFolder() {
    std::filesystem::create_directory(path);
    REQUIRE(::mount("bpf", path.c_str(), "bpf", 0, nullptr) == 0);
  }
  ~BpfFolder() {
    (void)::umount(path.c_str());
    std::filesystem::remove(path);
  }
};

/// A pair of UDP sockets on the loopback interface.
class Datagrams {
 public:
  Datagrams() : in_(::socket(AF_INET, SOCK_DGRAM, 0)), out_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    (void)::bind(in_.get(), reinterpret_cast<sockaddr*>(&address), size);
    (void)::getsockname(in_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    (void)::connect(out_.get(), reinterpret_cast<sockaddr*>(&address), size);
  }
  bool come_through(int milliseconds) const {
    (void)::send(out_.get(), "x", 1, 0);
    pollfd ready = {in_.get(), POLLIN, 0};
    char byte;
    return ::poll(&ready, 1, milliseconds) == 1 && ::recv(in_.get(), &byte, 1, MSG_DONTWAIT) == 1;
  }

 private:
  attach::Descriptor in_, out_;
};

}  // namespace

TEST_CASE("XDP, in all modes") {
  const Pair pair;
  const FrameSocket out("near"), in("far");
  for (const XdpMode mode : {XdpMode::Any, XdpMode::Native, XdpMode::Generic}) {
    CAPTURE(static_cast<int>(mode));
    {
      const auto link = attach::attach_xdp(load(Hook::Xdp, xdp_drop), interface("far"), mode);
      REQUIRE_MESSAGE(link, message(link));
      CHECK(attach::running_mode(interface("far")) == (mode == XdpMode::Generic ? XdpMode::Generic : XdpMode::Native));
      CHECK(vanishes(out, in));
    }
    CHECK(attach::running_mode(interface("far")) == XdpMode::Any);
    CHECK(arrives(out, in));
  }
}

TEST_CASE("XDP on an interface whose packets are larger than a page") {
  const Pair pair(9000);
  const FrameSocket out("near"), in("far");
  const auto link = attach::attach_xdp(load(Hook::Xdp, xdp_pass), interface("far"), XdpMode::Native);
  REQUIRE_MESSAGE(link, message(link));
  Bytes jumbo(8000, 0xff);
  jumbo[12] = 0x88, jumbo[13] = 0xb5;
  REQUIRE(out.send(jumbo));
  CHECK(in.receive(patience) == jumbo);
}

TEST_CASE("a second XDP program, and which one is there") {
  const Pair pair;
  const auto first = attach::attach_xdp(load(Hook::Xdp, xdp_pass, "first_one"), interface("far"), XdpMode::Native);
  REQUIRE(first);
  for (const XdpMode mode : {XdpMode::Native, XdpMode::Generic}) {
    const auto second = attach::attach_xdp(load(Hook::Xdp, xdp_pass), interface("far"), mode);
    REQUIRE(!second);
    CHECK(second.error().message.contains("far has an XDP program already: program "));
    CHECK(second.error().message.contains("('first_one'), in native mode"));
  }
}

TEST_CASE("a mode that the driver cannot") {
  const auto link = attach::attach_xdp(load(Hook::Xdp, xdp_pass), interface("lo"), XdpMode::Native);
  CHECK(message(link) == "the driver of lo cannot run XDP programs in native mode");
  CHECK(attach::attach_xdp(load(Hook::Xdp, xdp_pass), interface("lo"), XdpMode::Any));
}

TEST_CASE("an interface that is gone") {
  attach::NetworkInterface gone;
  {
    const Pair pair;
    gone = interface("far");
  }
  CHECK(message(attach::attach_xdp(load(Hook::Xdp, xdp_pass), gone, XdpMode::Any)) == "the interface far is gone");
  CHECK(message(attach::attach_tcx(load(Hook::TcIngress, tc_next), gone)) == "the interface far is gone");
  CHECK(message(attach::attach_clsact(load(Hook::TcEgress, tc_next), gone)) == "the interface far is gone");
  CHECK(message(attach::find_interface("far")) == "there is no interface 'far'");
}

TEST_CASE("an interface that goes while a program is on it") {
  auto pair = std::make_unique<Pair>();
  auto xdp = attach::attach_xdp(load(Hook::Xdp, xdp_pass), interface("far"), XdpMode::Any);
  auto tcx = attach::attach_tcx(load(Hook::TcIngress, tc_next), interface("far"));
  auto clsact = attach::attach_clsact(load(Hook::TcIngress, tc_next), interface("far"));
  REQUIRE(xdp);
  REQUIRE(tcx);
  REQUIRE(clsact);
  pair.reset();
  clsact->detach();
}

TEST_CASE("traffic control, out of an interface") {
  const Pair pair;
  const FrameSocket out("near"), in("far");
  {
    const auto link = attach::attach_tcx(load(Hook::TcEgress, tc_drop), interface("near"));
    REQUIRE_MESSAGE(link, message(link));
    while (in.receive(0)) {}
    (void)out.send(frame);  // ENOBUFS says that it was dropped
    CHECK(!in.receive());
  }
  CHECK(arrives(out, in));
  {
    const auto filter = attach::attach_clsact(load(Hook::TcEgress, tc_drop), interface("near"));
    REQUIRE_MESSAGE(filter, message(filter));
    (void)out.send(frame);
    CHECK(!in.receive());
    CHECK(kernel::output_of("tc qdisc show dev near")->contains("clsact"));
  }
  CHECK(arrives(out, in));
  CHECK(!kernel::output_of("tc qdisc show dev near")->contains("clsact"));
}

TEST_CASE("a clsact qdisc in which others have filters stays") {
  const Pair pair;
  {
    auto first = attach::attach_clsact(load(Hook::TcIngress, tc_next), interface("far"));
    REQUIRE(first);
    auto second = attach::attach_clsact(load(Hook::TcEgress, tc_next), interface("far"));
    REQUIRE(second);
    first->detach();
    CHECK(kernel::output_of("tc filter show dev far egress")->contains("direct-action"));
    CHECK(!kernel::output_of("tc filter show dev far ingress")->contains("direct-action"));
  }
  CHECK(kernel::output_of("tc qdisc show dev far")->contains("clsact"));  // who brought it was gone before
}

TEST_CASE("a pinned link outlives its object") {
  const Pair pair;
  const BpfFolder folder;
  const FrameSocket out("near"), in("far");
  {
    const auto link = attach::attach_xdp(load(Hook::Xdp, xdp_drop), interface("far"), XdpMode::Any);
    REQUIRE(link);
    const auto pinned = link->pin(folder.path + "/link");
    REQUIRE_MESSAGE(pinned, message(pinned));
    CHECK(message(link->pin(folder.path + "/link")).contains("something has that name already"));
    CHECK(message(link->pin("/nowhere/link")).contains("No such file or directory"));
    CHECK(message(link->pin("/proc/link")).contains("/proc is no file system of type bpf"));
  }
  CHECK(vanishes(out, in));
  std::filesystem::remove(folder.path + "/link");
  bool back = false;  // the kernel ends the link a little later
  for (int i = 0; i < 50 && !back; ++i) back = arrives(out, in, impatience);
  CHECK(back);
}

TEST_CASE("what a killed process attached by a link is gone") {
  const Pair pair;
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto link = attach::attach_xdp(*Loaded::load(returning(Hook::Xdp, xdp_drop), {}), *attach::find_interface("far"), XdpMode::Any);
    const auto tcx = attach::attach_tcx(*Loaded::load(returning(Hook::TcIngress, tc_drop), {}), *attach::find_interface("far"));
    (void)!::write(ready[1], link && tcx ? "y" : "n", 1);
    ::pause();
  }
  char said = 0;
  REQUIRE(::read(ready[0], &said, 1) == 1);
  CHECK(said == 'y');
  CHECK(attach::running_mode(interface("far")) == XdpMode::Native);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(attach::running_mode(interface("far")) == XdpMode::Any);
  const FrameSocket out("near"), in("far");
  CHECK(arrives(out, in));
}

TEST_CASE("a socket") {
  const Pair pair;
  const FrameSocket out("near"), in("far");
  REQUIRE(attach::attach_socket(load(Hook::Socket, 0), in.descriptor()));
  CHECK(vanishes(out, in));
  REQUIRE(attach::attach_socket(load(Hook::Socket, 20), in.descriptor()));
  REQUIRE(out.send(frame));
  CHECK(in.receive(patience) == Bytes(frame.begin(), frame.begin() + 20));
  REQUIRE(attach::detach_socket(in.descriptor()));
  CHECK(arrives(out, in));
  CHECK(attach::detach_socket(in.descriptor()));
  REQUIRE(attach::lock_socket(in.descriptor()));
  CHECK(message(attach::attach_socket(load(Hook::Socket, 0), in.descriptor())).contains("locked"));
  CHECK(message(attach::detach_socket(in.descriptor())).contains("locked"));
  CHECK(message(attach::attach_socket(load(Hook::Socket, 0), 0x7ffffff)).contains("not an open file"));
}

TEST_CASE("a control group") {
  const std::filesystem::path top = std::filesystem::exists("/sys/fs/cgroup/unified") ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup";
  const auto group = top / ("weir-" + std::to_string(::getpid()));
  std::filesystem::create_directory(group);
  const pid_t child = ::fork();  // whose sockets are the group's
  if (child == 0) {
    std::ofstream(group / "cgroup.procs") << ::getpid() << std::endl;
    const Datagrams sockets;
    const auto comes_through = [&](int milliseconds = patience) { return sockets.come_through(milliseconds); };
    bool good = comes_through();
    for (const auto direction : {attach::Direction::Ingress, attach::Direction::Egress}) {
      {
        const auto link = attach::attach_cgroup(*Loaded::load(returning(Hook::Cgroup, 0), {}), group, direction);
        good = good && link && !comes_through(impatience);
      }
      good = good && comes_through();
    }
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  std::filesystem::remove(group);
  CHECK(message(attach::attach_cgroup(load(Hook::Cgroup, 1), group, attach::Direction::Ingress)).contains("No such file"));
  CHECK(message(attach::attach_cgroup(load(Hook::Cgroup, 1), "/proc", attach::Direction::Ingress)) ==
        "/proc is no control group of version 2");
  const auto nowhere = attach::attach_cgroup(load(Hook::Cgroup, 1), "/nowhere", attach::Direction::Ingress);
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().hint.contains("/sys/fs/cgroup"));
}

TEST_CASE("tracepoints") {
  for (const Hook hook : {Hook::Tracing, Hook::TracingBtf}) {
    const auto program = Loaded::load(returning(hook, 0), {.tracepoint = "netif_receive_skb"});
    REQUIRE(program);
    const auto link = attach::attach_tracing(*program, "netif_receive_skb");
    CHECK_MESSAGE(link, message(link));
  }
  CHECK(message(attach::attach_tracing(load(Hook::Tracing, 0), "no_such_point")).contains("no tracepoint 'no_such_point'"));
}
