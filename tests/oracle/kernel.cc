#include "kernel.hpp"

#include <cerrno>
#include <cstring>

#include <linux/filter.h>
#include <sys/socket.h>
#include <unistd.h>

namespace weir::oracle {

static_assert(sizeof(cbpf::Instruction) == sizeof(sock_filter));

Kernel::Kernel() {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) != 0) {
    trouble_ = std::string("socketpair: ") + std::strerror(errno);
    return;
  }
  in_ = pair[0];
  out_ = pair[1];
  cbpf::Program keep_one{.instructions = {{cbpf::op::RET, 0, 0, 1}}, .spans = {}};
  if (const auto refused = attach(keep_one)) {
    trouble_ = "SO_ATTACH_FILTER: " + *refused;
    return;
  }
  const std::uint8_t probe[3] = {1, 2, 3};
  if (send(probe) != 1u) trouble_ = "a socket filter that keeps one byte does not";
  programs = packets = 0;
}

Kernel::~Kernel() {
  if (in_ >= 0) close(in_);
  if (out_ >= 0) close(out_);
}

std::optional<std::string> Kernel::attach(const cbpf::Program& p) {
  sock_fprog program{};
  program.len = static_cast<unsigned short>(p.instructions.size());
  program.filter = reinterpret_cast<sock_filter*>(const_cast<cbpf::Instruction*>(p.instructions.data()));
  if (setsockopt(in_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) return std::strerror(errno);
  ++programs;
  return std::nullopt;
}

std::optional<std::uint32_t> Kernel::send(std::span<const std::uint8_t> packet) {
  ++packets;
  static std::uint8_t buffer[1 << 17];
  if (::send(out_, packet.data(), packet.size(), 0) < 0) return std::nullopt;
  const ssize_t got = recv(in_, buffer, sizeof buffer, MSG_DONTWAIT);
  if (got < 0) return std::nullopt;
  return static_cast<std::uint32_t>(got);
}

}  // namespace weir::oracle
