// The kernel's side: cgroup_bpf_link_attach() in kernel/bpf/cgroup.c.
#include "attach/cgroup.hpp"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstring>

#include "attach/rights.hpp"

namespace weir::attach {
namespace {

constexpr const char* where_they_are = "their folders are in /sys/fs/cgroup, or in /sys/fs/cgroup/unified beside those of version 1";

Result<Descriptor> open_group(const std::string& path) {
  Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder)
    return fail(Code::Input, {}, fmt::format("cannot open the control group {}: {}", path, std::strerror(errno)), where_they_are);
  struct statfs is = {};
  if (::fstatfs(folder.get(), &is) == 0 && is.f_type == CGROUP2_SUPER_MAGIC) return folder;
  return fail(Code::Input, {}, fmt::format("{} is no control group of version 2", path), where_they_are);
}

}  // namespace

Result<Link> attach_cgroup(const Loaded& program, const std::string& path, Direction direction) {
  const auto group = open_group(path);
  if (!group) return std::unexpected(group.error());
  const auto type = direction == Direction::Ingress ? BPF_CGROUP_INET_INGRESS : BPF_CGROUP_INET_EGRESS;
  Descriptor link(bpf_link_create(program.descriptor(), group->get(), type, nullptr));
  if (link) return Link(std::move(link));
  if (errno == EPERM) {
    auto why = not_permitted("attach the program to " + path, ebpf::Hook::Cgroup, false, rights());
    if (why.message.ends_with("no capability is missing")) {
      why.message = fmt::format("{} does not take the program: one of a group above it does not let others beside it", path);
      why.hint = "it was attached without BPF_F_ALLOW_MULTI; `bpftool cgroup tree` shows it";
    }
    return std::unexpected(std::move(why));
  }
  return fail(Code::System, {}, fmt::format("cannot attach the program to {}: {}", path, std::strerror(errno)));
}

}  // namespace weir::attach
