#include "attach/link.hpp"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace weir::attach {
namespace {

/// The kernel only says EPERM where the folder is no such file system (bpf_obj_do_pin() in kernel/bpf/inode.c).
Result<void> check_folder(const std::string& path) {
  auto folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  struct statfs is = {};
  if (::statfs(folder.c_str(), &is) != 0)
    return fail(Code::Input, {}, fmt::format("cannot pin to {}: {}: {}", path, folder.string(), std::strerror(errno)));
  if (static_cast<unsigned long>(is.f_type) == BPF_FS_MAGIC) return {};
  return fail(Code::Input, {}, fmt::format("cannot pin to {}: {} is no file system of type bpf", path, folder.string()),
              "use a path in /sys/fs/bpf; where nothing is mounted there: mount -t bpf bpf /sys/fs/bpf");
}

}  // namespace

Result<void> Link::pin(const std::string& path) const {
  if (auto checked = check_folder(path); !checked) return checked;
  if (bpf_obj_pin(link_.get(), path.c_str()) == 0) return {};
  if (errno == EEXIST)
    return fail(Code::Input, {}, fmt::format("cannot pin to {}: something has that name already", path),
                "remove it, or take another name");
  return fail(Code::System, {}, fmt::format("cannot pin to {}: {}", path, std::strerror(errno)));
}

}  // namespace weir::attach
