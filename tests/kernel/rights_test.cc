// What somebody is told who has not all capabilities.
#include <doctest/doctest.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <initializer_list>

#include "attach/load.hpp"
#include "attach/rights.hpp"
#include "programs.hpp"

using namespace weir;
using attach::Loaded;
using ebpf::Hook;
using kernel::asking;
using kernel::returning;

namespace {

/// What the work says in a process that has these capabilities only.
std::string with_only(std::initializer_list<int> capabilities, const std::function<std::string()>& work) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
    for (const int c : capabilities) {
      data[c / 32].effective |= 1u << c % 32;
      data[c / 32].permitted |= 1u << c % 32;
    }
    const std::string said = ::syscall(SYS_capset, &header, data) == 0 ? work() : "capset failed";
    (void)!::write(ends[1], said.data(), said.size());
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string said;
  char part[512];
  for (ssize_t got; (got = ::read(ends[0], part, sizeof part)) > 0;) said.append(part, static_cast<std::size_t>(got));
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return said;
}

std::string loading(Hook hook) {
  const auto loaded = Loaded::load(returning(hook, hook == Hook::Cgroup ? 1 : 0), {.tracepoint = "netif_receive_skb"});
  return loaded ? "loaded" : loaded.error().message;
}

}  // namespace

TEST_CASE("without any capability") {
  CHECK(with_only({}, [] { return loading(Hook::Xdp); }) ==
        "no permission to load the program: CAP_BPF and CAP_NET_ADMIN and CAP_PERFMON are missing");
  CHECK(with_only({}, [] { return loading(Hook::TracingBtf); }) ==
        "no permission to load the program: CAP_BPF and CAP_PERFMON are missing");
  const auto socket = with_only({}, [] { return loading(Hook::Socket); });
  CHECK(socket == (attach::rights().everybody ? "loaded" : "no permission to load the program: CAP_BPF is missing"));
}

TEST_CASE("with one of its capabilities missing") {
  CHECK(with_only({CAP_BPF, CAP_PERFMON}, [] { return loading(Hook::Xdp); }) ==
        "no permission to load the program: CAP_NET_ADMIN is missing");
  CHECK(with_only({CAP_BPF, CAP_PERFMON}, [] { return loading(Hook::TcEgress); }) ==
        "no permission to load the program: CAP_NET_ADMIN is missing");
  CHECK(with_only({CAP_BPF}, [] { return loading(Hook::Tracing); }) == "no permission to load the program: CAP_PERFMON is missing");
  CHECK(with_only({CAP_NET_ADMIN, CAP_PERFMON}, [] { return loading(Hook::Xdp); }) ==
        "no permission to load the program: CAP_BPF is missing");
}

TEST_CASE("with those that are named it works") {
  CHECK(with_only({CAP_BPF}, [] { return loading(Hook::Socket); }) == "loaded");
  for (const Hook hook : {Hook::Xdp, Hook::TcIngress, Hook::TcEgress, Hook::Cgroup})
    CHECK(with_only({CAP_BPF, CAP_NET_ADMIN}, [&] { return loading(hook); }) == "loaded");
  for (const Hook hook : {Hook::Tracing, Hook::TracingBtf})
    CHECK(with_only({CAP_BPF, CAP_PERFMON}, [&] { return loading(hook); }) == "loaded");
}

TEST_CASE("programs that follow packets by pointers need one more") {
  const auto adding = [] {
    using namespace ebpf::op;
    auto p = returning(Hook::TcIngress, 0);
    p.instructions.insert(p.instructions.begin(), {{.code = LDX | MEM | W, .dst = 2, .src = 1, .offset = 76},   // data
                                                   {.code = LDX | MEM | W, .dst = 3, .src = 1, .offset = 16},   // protocol
                                                   {.code = ALU64 | AND | K, .dst = 3, .imm = 255},
                                                   {.code = ALU64 | ADD | X, .dst = 2, .src = 3}});
    const auto loaded = Loaded::load(p, {});
    return loaded ? "loaded" : loaded.error().message;
  };
  CHECK(with_only({CAP_BPF, CAP_NET_ADMIN}, adding) == "no permission to load the program: CAP_PERFMON is missing");
  CHECK(with_only({CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON}, adding) == "loaded");
}

TEST_CASE("a map that may not be made is called what it is for") {
  if (attach::rights().everybody) return;  // then arrays are for all
  const auto making = [](ebpf::MapKind kind) {
    return with_only({}, [kind] {
      const auto loaded = Loaded::load(
          asking({.name = "m", .kind = kind, .key_bytes = 4, .value_bytes = 8, .max_entries = 2, .keys = {}, .span = {}}), {});
      return loaded ? "loaded" : loaded.error().message;
    });
  };
  CHECK(making(ebpf::MapKind::PerCpuArray) == "no permission to make a map for counters: CAP_BPF is missing");
  CHECK(making(ebpf::MapKind::Hash) == "no permission to make a map for a list: CAP_BPF is missing");
}
