#include "attach/rights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <vector>

namespace weir::attach {
namespace {

std::uint64_t effective_capabilities() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return 0;
  return data[0].effective | std::uint64_t{data[1].effective} << 32;
}

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// All numbers map to themselves (user_namespaces(7)).
bool in_initial_user_namespace() {
  std::istringstream line(first_line("/proc/self/uid_map"));
  std::uint64_t inside = 0, outside = 0, count = 0;
  return !(line >> inside >> outside >> count) || (inside == 0 && outside == 0 && count == 0xffffffff);
}

/// Since Linux 5.11, memory of BPF counts for the control group only (commit 3ac1f01b43b6, "bpf: Eliminate rlimit-based memory
/// accounting for bpf progs").
bool is_before_5_11() {
  utsname name = {};
  int major = 0, minor = 0;
  if (::uname(&name) != 0 || std::sscanf(name.release, "%d.%d", &major, &minor) != 2) return false;
  return major < 5 || (major == 5 && minor < 11);
}

/// The kernel's bpf_prog_load() in kernel/bpf/syscall.c: is_net_admin_prog_type(), is_perfmon_prog_type().
bool needs_net_admin(ebpf::Hook hook) {
  return hook == ebpf::Hook::Xdp || hook == ebpf::Hook::TcIngress || hook == ebpf::Hook::TcEgress || hook == ebpf::Hook::Cgroup;
}
bool needs_perfmon(ebpf::Hook hook) {
  return hook == ebpf::Hook::Tracing || hook == ebpf::Hook::TracingBtf ||
         hook == ebpf::Hook::SocketBtf;  // the last reads the kernel's structures
}

/// Where packets are read through pointers, the verifier asks for CAP_PERFMON, too, but only when it comes to a sum of a pointer
/// and a number.
std::vector<const char*> lacking(ebpf::Hook hook, bool maps, const Rights& r) {
  std::vector<const char*> names;
  if (!r.bpf && (hook != ebpf::Hook::Socket || maps || !r.everybody)) names.push_back("CAP_BPF");
  if (!r.net_admin && needs_net_admin(hook)) names.push_back("CAP_NET_ADMIN");
  if (!r.perfmon && (needs_perfmon(hook) || (needs_net_admin(hook) && !names.empty()))) names.push_back("CAP_PERFMON");
  return names;
}

Diagnostic missing(const std::string& doing, const std::vector<const char*>& names) {
  return {Code::System,
          {},
          fmt::format("no permission to {}: {} {} missing", doing, fmt::join(names, " and "), names.size() > 1 ? "are" : "is"),
          "run it as root, or give the program these capabilities (setcap, or AmbientCapabilities= of systemd)"};
}

}  // namespace

Rights rights() {
  const std::uint64_t all = effective_capabilities();
  const auto has = [&](int capability) { return (all >> capability & 1) != 0; };
  rlimit locked = {};
  (void)::getrlimit(RLIMIT_MEMLOCK, &locked);
  return {.bpf = has(CAP_BPF) || has(CAP_SYS_ADMIN),
          .net_admin = has(CAP_NET_ADMIN) || has(CAP_SYS_ADMIN),
          .perfmon = has(CAP_PERFMON) || has(CAP_SYS_ADMIN),
          .everybody = first_line("/proc/sys/kernel/unprivileged_bpf_disabled") == "0",
          .initial_namespace = in_initial_user_namespace(),
          .counts_locked_memory = is_before_5_11(),
          .lockable = locked.rlim_cur};
}

Diagnostic perfmon_missing(const std::string& doing) { return missing(doing, {"CAP_PERFMON"}); }

Diagnostic not_permitted(const std::string& doing, ebpf::Hook hook, bool maps, const Rights& r) {
  const auto names = lacking(hook, maps, r);
  if (!names.empty()) return missing(doing, names);
  if (!r.initial_namespace) {
    return {
        Code::System,
        {},
        fmt::format("no permission to {}: this is a user namespace of its own, where capabilities do not count for BPF", doing),
        "run it outside of the container, or in one that shares the users of the host"};
  }
  if (r.counts_locked_memory) {
    return {
        Code::System,
        {},
        fmt::format("no permission to {}: it takes more memory than the {} bytes that this process may lock", doing, r.lockable),
        "raise the limit: ulimit -l unlimited, or LimitMEMLOCK=infinity of systemd"};
  }
  return {Code::System, {}, fmt::format("no permission to {}, though no capability is missing", doing),
          "a security module or a filter of system calls (a container's seccomp profile) may forbid bpf(2)"};
}

}  // namespace weir::attach
