// Classic BPF in the running kernel: a pair of datagram sockets, the filter attached to the one that receives. Needs
// no rights. The kernel sees the whole packet: what is sent is what is captured, and its length on the wire.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "cbpf/program.hpp"

namespace weir::oracle {

class Kernel {
 public:
  Kernel();
  ~Kernel();
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  /// Why the kernel cannot be used on this machine; empty when it can.
  const std::string& trouble() const { return trouble_; }

  /// Attaches a program in place of the one before; the error when the kernel refuses it.
  std::optional<std::string> attach(const cbpf::Program& p);

  /// How many bytes the attached filter lets through: nothing when it drops the packet.
  std::optional<std::uint32_t> send(std::span<const std::uint8_t> packet);

  /// Programs that the kernel took, and packets that it has seen.
  std::uint64_t programs = 0;
  std::uint64_t packets = 0;

 private:
  int in_ = -1;
  int out_ = -1;
  std::string trouble_;
};

}  // namespace weir::oracle
