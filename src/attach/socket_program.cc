// The kernel's side: sk_attach_bpf() and sk_detach_filter() in net/core/filter.c.
#include "attach/socket_program.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace weir::attach {
namespace {

std::unexpected<Diagnostic> refused(const char* doing, int error) {
  switch (error) {
    case EPERM: return fail(Code::System, {}, fmt::format("cannot {}: the program on the socket is locked (SO_LOCK_FILTER)", doing));
    case EBADF: return fail(Code::System, {}, fmt::format("cannot {}: not an open file", doing));
    case ENOTSOCK: return fail(Code::System, {}, fmt::format("cannot {}: not a socket", doing));
    case ENOMEM:
      return fail(Code::TooLarge, {}, fmt::format("cannot {}: the kernel has no memory left for it", doing),
                  "programs of a socket may take net.core.optmem_max bytes in all: raise it with sysctl");
    default: return fail(Code::System, {}, fmt::format("cannot {}: {}", doing, std::strerror(error)));
  }
}

Result<void> set(int socket, int option, int value, const char* doing) {
  if (::setsockopt(socket, SOL_SOCKET, option, &value, sizeof value) == 0) return {};
  return refused(doing, errno);
}

}  // namespace

Result<void> attach_socket(const Loaded& program, int socket) {
  return set(socket, SO_ATTACH_BPF, program.descriptor(), "attach the filter");
}

Result<void> detach_socket(int socket) {
  if (auto done = set(socket, SO_DETACH_FILTER, 0, "take the filter off"); done || errno != ENOENT) return done;
  return {};
}

Result<void> lock_socket(int socket) { return set(socket, SO_LOCK_FILTER, 1, "lock the filter"); }

}  // namespace weir::attach
