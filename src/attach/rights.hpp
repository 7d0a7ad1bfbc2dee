// What a process may do with BPF, and what it lacks for a hook.
#pragma once
#include <cstdint>
#include <string>

#include "base/diagnostic.hpp"
#include "ebpf/program.hpp"

namespace weir::attach {

/// Of the thread that asks.
struct Rights {
  bool bpf = false;             ///< CAP_BPF, or CAP_SYS_ADMIN, which it was a part of before Linux 5.8
  bool net_admin = false;       ///< CAP_NET_ADMIN, or CAP_SYS_ADMIN
  bool perfmon = false;         ///< CAP_PERFMON, or CAP_SYS_ADMIN
  bool everybody = false;       ///< kernel.unprivileged_bpf_disabled is 0: socket filters need none of them
  bool initial_namespace = true;  ///< of users: in others, capabilities do not count for BPF
  bool counts_locked_memory = false;  ///< a kernel before 5.11, where maps and programs count as locked memory (RLIMIT_MEMLOCK)
  std::uint64_t lockable = 0;   ///< bytes that the process may lock
};

Rights rights();

/// Why the kernel says EPERM to somebody with these rights who wants to do something ("load the program") for a hook.
/// `maps`: whether maps are made, which needs CAP_BPF for socket filters, too.
Diagnostic not_permitted(const std::string& doing, ebpf::Hook hook, bool maps, const Rights& rights);

/// What is missing to somebody for whom the verifier does not add numbers to pointers.
Diagnostic perfmon_missing(const std::string& doing);

}  // namespace weir::attach
