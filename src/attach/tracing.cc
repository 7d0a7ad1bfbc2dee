// The kernel's side: bpf_raw_tp_link_attach() in kernel/bpf/syscall.c.
#include "attach/tracing.hpp"

#include <bpf/bpf.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "attach/rights.hpp"

namespace weir::attach {

Result<Link> attach_tracing(const Loaded& program, const std::string& tracepoint) {
  const bool named = program.hook() == ebpf::Hook::Tracing;
  Descriptor link(bpf_raw_tracepoint_open(named ? tracepoint.c_str() : nullptr, program.descriptor()));
  if (link) return Link(std::move(link));
  if (errno == EPERM) return std::unexpected(not_permitted("attach the program to the tracepoint", program.hook(), false, rights()));
  if (errno == ENOENT) {
    return fail(Code::Name, {}, fmt::format("the kernel has no tracepoint '{}'", tracepoint),
                "their names are those of the folders in /sys/kernel/tracing/events/*/");
  }
  if (errno == EINVAL) {
    return fail(Code::Unsupported, {}, fmt::format("the tracepoint '{}' has fewer arguments than the program reads", tracepoint));
  }
  return fail(Code::System, {}, fmt::format("cannot attach the program to the tracepoint '{}': {}", tracepoint, std::strerror(errno)));
}

}  // namespace weir::attach
