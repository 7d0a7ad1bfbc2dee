// Random classic BPF programs, and the running kernel as a judge of them; for the tests of the rooms cbpf and vm.
#pragma once
#include <linux/filter.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <random>
#include <vector>

#include "cbpf/opcodes.hpp"

namespace weir::test {

/// Programs that run through, most of the time: they read within the first bytes of a packet.
class RandomPrograms {
 public:
  explicit RandomPrograms(std::uint32_t seed) : random_(seed) {}

  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }

  /// Any 32-bit number, with those that break things more often than others.
  std::uint32_t number() {
    static constexpr std::uint32_t edges[] = {0, 1, 2, 31, 32, 33, 0xff, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffff0, 0xffffffff};
    switch (below(3)) {
      case 0: return edges[below(std::size(edges))];
      case 1: return below(300);
      default: return static_cast<std::uint32_t>(random_());
    }
  }

  /// `count` instructions and a return of the accumulator, or some bits of it. Demands of single instructions hold;
  /// that scratch words are written first does often, so ask cbpf::check.
  cbpf::Program program(std::uint32_t count) {
    namespace op = cbpf::op;
    cbpf::Program p;
    for (std::uint32_t word = 0; word < 3; ++word) p.instructions.push_back({op::ST, 0, 0, word});
    const std::size_t end = p.instructions.size() + count;
    while (p.instructions.size() < end) {
      const cbpf::Instruction next = instruction(static_cast<std::uint32_t>(end - p.instructions.size()));
      if (wants_small_x(next) && below(8)) p.instructions.push_back({op::LDX | op::IMM, 0, 0, 1 + below(12)});
      p.instructions.push_back(next);
    }
    if (below(2)) p.instructions.push_back({op::ALU | op::RSH | op::K, 0, 0, below(32)});
    if (below(4)) p.instructions.push_back({op::ALU | op::AND | op::K, 0, 0, 0x3f});
    p.instructions.push_back({op::RET | op::A, 0, 0, 0});
    return p;
  }

  /// An instruction with `left` others behind it, 1 at least. No metadata.
  cbpf::Instruction instruction(std::uint32_t left) {
    using cbpf::Demand;
    using cbpf::Operand;
    const cbpf::Row& row = cbpf::instruction_rows[below(std::size(cbpf::instruction_rows))];
    cbpf::Instruction i{static_cast<std::uint16_t>(row.code), 0, 0, 0};
    const std::uint32_t reach = std::min(left, 12u);
    if ((i.code & 0x07) == cbpf::op::RET && below(8)) return instruction(left);  // not too many early ends
    switch (row.operand) {
      case Operand::Number:
      case Operand::HexNumber: i.k = number(); break;
      case Operand::Nibble:
      case Operand::Absolute: i.k = below(16) ? below(60) : number() % meta_offset; break;
      case Operand::Indirect: i.k = below(16) ? below(40) : number(); break;
      default: break;
    }
    switch (row.demand) {
      case Demand::Scratch: i.k = below(16) ? below(3) : below(16); break;
      case Demand::NonZero: i.k = std::max(i.k, 1u); break;
      case Demand::Shift: i.k = below(32); break;
      case Demand::Jump: i.k = below(reach); break;
      case Demand::Branch:
        i.jt = static_cast<std::uint8_t>(below(reach));
        i.jf = static_cast<std::uint8_t>(below(reach));
        break;
      default: break;
    }
    return i;
  }

  std::vector<std::uint8_t> packet(std::uint32_t size) {
    std::vector<std::uint8_t> bytes(size);
    for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(below(4) ? random_() : 0);
    return bytes;
  }

 private:
  /// With any other X, most programs would end here.
  static bool wants_small_x(const cbpf::Instruction& i) {
    const auto code = static_cast<cbpf::Opcode>(i.code);
    return cbpf::row(i.code)->operand == cbpf::Operand::Indirect || code == cbpf::Opcode::DivX || code == cbpf::Opcode::ModX;
  }

  std::mt19937 random_;
};

/// Two ends of a datagram socket, with a program on the receiving one: what it returns shows in how much arrives.
class KernelSocket {
 public:
  KernelSocket() { works_ = socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends_) == 0; }
  ~KernelSocket() {
    if (works_) close(ends_[0]), close(ends_[1]);
  }
  KernelSocket(const KernelSocket&) = delete;
  KernelSocket& operator=(const KernelSocket&) = delete;

  bool works() const { return works_; }

  /// 0, or the error with which the kernel refused.
  int attach(const cbpf::Program& p) {
    std::vector<sock_filter> code;
    for (const cbpf::Instruction& i : p.instructions) code.push_back({i.code, i.jt, i.jf, i.k});
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    return setsockopt(ends_[1], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 ? 0 : errno;
  }

  /// Whether the kernel has nothing against the program itself (ENOMEM is net.core.optmem_max).
  bool accepts(const cbpf::Program& p) { return attach(p) != EINVAL; }

  /// How many bytes of a packet the program keeps, which are no more than there are.
  std::size_t keep(const std::vector<std::uint8_t>& packet) {
    std::vector<std::uint8_t> buffer(packet.size() + 1);
    if (send(ends_[0], packet.data(), packet.size(), 0) < 0) return SIZE_MAX;
    const ssize_t got = recv(ends_[1], buffer.data(), buffer.size(), 0);
    return got < 0 ? 0 : static_cast<std::size_t>(got);
  }

 private:
  int ends_[2] = {-1, -1};
  bool works_ = false;
};

}  // namespace weir::test
