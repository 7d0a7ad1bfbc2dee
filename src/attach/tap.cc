// The kernel's side: tun_net_xmit(), tun_set_ebpf() and __tun_chr_ioctl() in drivers/net/tun.c.
#include "attach/tap.hpp"

#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

namespace weir::attach {
namespace {

std::unexpected<Diagnostic> refused(int error, const char* doing, const char* invalid) {
  switch (error) {
    case EINVAL: return fail(Code::Unsupported, {}, fmt::format("cannot {}: {}", doing, invalid));
    case EBADFD:
      return fail(Code::System, {},
                  fmt::format("cannot {}: the file is /dev/net/tun, but no device is set up (TUNSETIFF)", doing));
    case EBADF: return fail(Code::System, {}, fmt::format("cannot {}: not an open file", doing));
    case ENOTTY: return fail(Code::System, {}, fmt::format("cannot {}: not the file of a tun or tap device", doing));
    case EPERM: return fail(Code::System, {}, fmt::format("cannot {}: the filter of the device is locked", doing));
    case ENOMEM:
      return fail(Code::TooLarge, {}, fmt::format("cannot {}: the kernel has no memory left for it", doing),
                  "programs of a socket may take net.core.optmem_max bytes in all: raise it with sysctl");
    default: return fail(Code::System, {}, fmt::format("cannot {}: {}", doing, std::strerror(error)));
  }
}

constexpr auto no_tap = "the device is no tap device, or the program is not one that it takes";

Result<void> change(int file, unsigned long request, void* argument, const char* doing) {
  if (::ioctl(file, request, argument) == 0) return {};
  return refused(errno, doing, no_tap);
}

}  // namespace

Result<void> attach_tap(const cbpf::Program& program, int tap) {
  const auto& code = program.instructions;
  if (code.size() > cbpf::max_instructions)
    return fail(Code::TooLarge, {},
                fmt::format("cannot attach the filter: it has {} instructions, and the kernel takes {}", code.size(),
                            cbpf::max_instructions));
  sock_fprog request = {};
  request.len = static_cast<unsigned short>(code.size());
  request.filter = reinterpret_cast<sock_filter*>(const_cast<cbpf::Instruction*>(code.data()));  // only read
  return change(tap, TUNATTACHFILTER, &request, "attach the filter");
}

Result<void> detach_tap(int tap) {
  sock_fprog unused = {};
  return change(tap, TUNDETACHFILTER, &unused, "take the filter off");
}

Result<void> attach_tun(const Loaded& program, int tun) {
  int descriptor = program.descriptor();
  return change(tun, TUNSETFILTEREBPF, &descriptor, "attach the filter");
}

Result<void> detach_tun(int tun) {
  int none = -1;
  return change(tun, TUNSETFILTEREBPF, &none, "take the filter off");
}

Result<void> steer_tun(const Loaded& program, int tun) {
  int descriptor = program.descriptor();
  return change(tun, TUNSETSTEERINGEBPF, &descriptor, "let the program choose the queue");
}

Result<void> unsteer_tun(int tun) {
  int none = -1;
  return change(tun, TUNSETSTEERINGEBPF, &none, "take off the program that chooses the queue");
}

}  // namespace weir::attach
