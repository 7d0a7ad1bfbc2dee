// The kernel's side: sk_attach_filter() in net/core/filter.c.
#include "attach/socket_filter.hpp"

#include <fmt/format.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <type_traits>
#include <utility>

namespace weir::attach {
namespace {

static_assert(sizeof(cbpf::Instruction) == sizeof(sock_filter) && alignof(cbpf::Instruction) <= alignof(sock_filter) &&
              std::is_trivially_copyable_v<cbpf::Instruction>);

struct Refusal {
  int error;
  Code code;
  const char* message;
  const char* hint;
};
constexpr Refusal refusals[] = {
    {EPERM, Code::System, "the program on the socket is locked (SO_LOCK_FILTER)", ""},
    {ENOMEM, Code::TooLarge, "the kernel has no memory left for the filter",
     "programs of a socket may take net.core.optmem_max bytes in all: raise it with sysctl"},
    {EINVAL, Code::TooLarge, "the kernel refuses the program", "it may be too long for this kernel, or use what it does not know"},
    {EBADF, Code::System, "not an open file", ""},
    {ENOTSOCK, Code::System, "not a socket", ""},
};

std::unexpected<Diagnostic> refused(int error, std::size_t instructions) {
  for (const auto& row : refusals) {
    if (row.error != error) continue;
    return fail(row.code, {}, fmt::format("cannot attach the filter ({} instructions): {}", instructions, row.message),
                row.hint);
  }
  return fail(Code::System, {}, fmt::format("cannot attach the filter: {}", std::strerror(error)));
}

}  // namespace

Result<SocketFilter> SocketFilter::attach(const cbpf::Program& program, int socket) {
  const auto& code = program.instructions;
  if (code.size() > cbpf::max_instructions) return refused(EINVAL, code.size());  // the length has 16 bits only
  sock_fprog request = {};
  request.len = static_cast<unsigned short>(code.size());
  request.filter = reinterpret_cast<sock_filter*>(const_cast<cbpf::Instruction*>(code.data()));  // only read
  if (::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &request, sizeof request) != 0) {
    return refused(errno, code.size());
  }
  return SocketFilter(socket);
}

SocketFilter::SocketFilter(SocketFilter&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}

SocketFilter::~SocketFilter() {
  if (socket_ < 0) return;
  const int unused = 0;
  (void)::setsockopt(socket_, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
}

}  // namespace weir::attach
