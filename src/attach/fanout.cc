// The kernel's side: fanout_add() and fanout_set_data() in net/packet/af_packet.c.
#include "attach/fanout.hpp"

#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace weir::attach {
namespace {

std::unexpected<Diagnostic> refused(int error, const char* doing) {
  switch (error) {
    case EPERM: return fail(Code::System, {}, fmt::format("cannot {}: the socket's programs are locked (SO_LOCK_FILTER)", doing));
    case EALREADY: return fail(Code::System, {}, fmt::format("cannot {}: the socket is in a group already", doing));
    case ENOSPC: return fail(Code::System, {}, fmt::format("cannot {}: the group has as many members as it can take", doing));
    case EINVAL:
      return fail(
          Code::System, {},
          fmt::format("cannot {}: the group is of another kind or for another interface, or the socket is not bound", doing));
    case ENOPROTOOPT: return fail(Code::System, {}, fmt::format("cannot {}: not a packet socket (AF_PACKET)", doing));
    default: return fail(Code::System, {}, fmt::format("cannot {}: {}", doing, std::strerror(error)));
  }
}

constexpr auto joining = "join the group of packet sockets", giving = "give the group of packet sockets a program";

Result<void> set(int socket, int option, const void* value, std::size_t size, const char* doing) {
  if (::setsockopt(socket, SOL_PACKET, option, value, static_cast<socklen_t>(size)) == 0) return {};
  return refused(errno, doing);
}

}  // namespace

Result<void> join_fanout(int socket, std::uint16_t group, FanoutKind kind) {
  const std::uint32_t type = kind == FanoutKind::Classic ? PACKET_FANOUT_CBPF : PACKET_FANOUT_EBPF;
  const std::uint32_t request = group | type << 16;
  return set(socket, PACKET_FANOUT, &request, sizeof request, joining);
}

Result<void> set_fanout(const cbpf::Program& program, int socket) {
  const auto& code = program.instructions;
  if (code.size() > cbpf::max_instructions)
    return fail(
        Code::TooLarge, {},
        fmt::format("cannot {}: it has {} instructions, and the kernel takes {}", giving, code.size(), cbpf::max_instructions));
  sock_fprog request = {};
  request.len = static_cast<unsigned short>(code.size());
  request.filter = reinterpret_cast<sock_filter*>(const_cast<cbpf::Instruction*>(code.data()));  // only read
  return set(socket, PACKET_FANOUT_DATA, &request, sizeof request, giving);
}

Result<void> set_fanout(const Loaded& program, int socket) {
  const int descriptor = program.descriptor();
  return set(socket, PACKET_FANOUT_DATA, &descriptor, sizeof descriptor, giving);
}

}  // namespace weir::attach
