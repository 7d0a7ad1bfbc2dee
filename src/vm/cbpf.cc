// The two machines as their sources have them: libpcap's bpf_filter.c, and the kernel's translation to eBPF
// (net/core/filter.c: bpf_convert_filter, convert_bpf_extensions, convert_bpf_ld_abs, the bpf_skb_load_helper
// family). Tested by tests/unit/vm/cbpf_test.cc against the installed libpcap and the running kernel.
#include "vm/cbpf.hpp"

#include <array>

#include "cbpf/opcodes.hpp"

namespace weir::vm {
namespace {

using cbpf::Instruction;
using cbpf::Opcode;
using Value = std::optional<std::uint32_t>;  // nothing: the program ends here and rejects

/// Offsets of the kernel that have a sign: from here relative to the network header, and to the link-layer header
/// (include/uapi/linux/filter.h, SKF_NET_OFF and SKF_LL_OFF).
constexpr std::uint32_t network_offset = 0xfff00000;
constexpr std::uint32_t link_offset = 0xffe00000;
/// Where those headers are taken to begin: as on an Ethernet socket that sees whole frames.
constexpr std::uint32_t network_header = 14;
constexpr std::uint32_t link_header = 0;

/// SKF_AD_ALU_XOR_X: a load that is none.
constexpr std::uint32_t xor_x = meta_offset + 40;

/// Bytes in network order at an offset that has not wrapped; nothing when they are not all captured.
template <std::uint32_t Size>
Value bytes_at(const Packet& packet, std::uint64_t offset) {
  if (offset + Size > packet.bytes.size()) return std::nullopt;
  std::uint32_t value = 0;
  for (std::uint32_t n = 0; n < Size; ++n) value = value << 8 | packet.bytes[offset + n];
  return value;
}

/// Where an offset of 2^31 and more, which is negative for bpf_skb_load_helper_8 and its like, begins in the packet.
std::uint64_t from_header(std::uint32_t offset) {
  if (offset >= network_offset) return offset - network_offset + network_header;
  if (offset >= link_offset) return offset - link_offset + link_header;
  return UINT32_MAX;  // beyond any packet
}

/// What Packet does not tell (mark, queue, hash, processor, random number, payload offset, netlink attributes) is 0.
/// Every size of load gets the whole value.
Value kernel_metadata(const Packet& packet, std::uint32_t offset, std::uint32_t a, std::uint32_t x) {
  if (cbpf::metadata(offset) == nullptr) return std::nullopt;
  return offset == xor_x ? a ^ x : packet.meta.get(static_cast<Meta>(offset - meta_offset));
}

/// libpcap's auxiliary data are the VLAN tag, and only byte loads find them.
Value libpcap_metadata(const Packet& packet, std::uint32_t offset, std::uint32_t size) {
  const auto meta = static_cast<Meta>(offset - meta_offset);
  if (size != 1 || (meta != Meta::VlanTag && meta != Meta::VlanTagPresent)) return std::nullopt;
  return packet.meta.get(meta);
}

/// One run of a program: the registers, and the steps that need more than a line.
template <Machine M>
struct Run {
  const Packet& packet;
  std::uint32_t a = 0;
  std::uint32_t x = 0;
  std::array<std::uint32_t, cbpf::scratch_words> scratch{};

  template <std::uint32_t Size>
  Value absolute(std::uint32_t k) const {
    if (k < meta_offset) return bytes<Size>(k, 0);
    if constexpr (M == Machine::Kernel) return kernel_metadata(packet, k, a, x);
    return libpcap_metadata(packet, k, Size);
  }

  template <std::uint32_t Size>
  Value bytes(std::uint32_t k, std::uint32_t index) const {
    if constexpr (M == Machine::Libpcap) return bytes_at<Size>(packet, std::uint64_t{k} + index);
    const std::uint32_t offset = k + index;
    return bytes_at<Size>(packet, offset < 0x80000000 ? offset : from_header(offset));
  }

  std::uint32_t shift_left(std::uint32_t by) const { return M == Machine::Libpcap && by > 31 ? 0 : a << (by & 31); }
  std::uint32_t shift_right(std::uint32_t by) const { return M == Machine::Libpcap && by > 31 ? 0 : a >> (by & 31); }
};

/// Hands on what a load gave; false when it gave nothing.
bool put(std::uint32_t& reg, const Value& loaded) {
  if (loaded) reg = *loaded;
  return loaded.has_value();
}

/// How far a jump goes, beyond the next instruction; in 64 bits, so that nothing wraps into the program.
std::uint64_t distance(const Instruction& i, bool taken) { return taken ? i.jt : i.jf; }

/// Only libpcap's machine knows a way back (sign-extended here): `protochain` loops there.
template <Machine M>
std::uint64_t distance(const Instruction& i) {
  if constexpr (M == Machine::Kernel) return i.k;
  return static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(i.k)});
}

/// No program needs more, unless it loops without end; such a program rejects.
constexpr std::uint64_t max_steps = 1'000'000;

template <Machine M>
std::uint32_t run_on(const cbpf::Program& p, const Packet& packet, std::uint64_t& executed) {
  Run<M> r{packet};
  std::uint64_t steps = 0;  // a local, so that it stays in a register
  const auto end = [&](std::uint32_t result) {
    executed = steps;
    return result;
  };
  const Instruction* const code = p.instructions.data();
  const std::uint64_t count = p.instructions.size();
  for (std::uint64_t pc = 0; pc < count && steps < max_steps; ++pc) {  // a jump out of the program, also to below 0, ends it
    const Instruction& i = code[pc];
    ++steps;
    switch (static_cast<Opcode>(i.code)) {
      case Opcode::LdImm: r.a = i.k; continue;
      case Opcode::LdAbsW: if (!put(r.a, r.template absolute<4>(i.k))) return end(0); continue;
      case Opcode::LdAbsH: if (!put(r.a, r.template absolute<2>(i.k))) return end(0); continue;
      case Opcode::LdAbsB: if (!put(r.a, r.template absolute<1>(i.k))) return end(0); continue;
      case Opcode::LdIndW: if (!put(r.a, r.template bytes<4>(i.k, r.x))) return end(0); continue;
      case Opcode::LdIndH: if (!put(r.a, r.template bytes<2>(i.k, r.x))) return end(0); continue;
      case Opcode::LdIndB: if (!put(r.a, r.template bytes<1>(i.k, r.x))) return end(0); continue;
      case Opcode::LdxMsh: if (!put(r.x, r.template bytes<1>(i.k, 0))) return end(0); r.x = (r.x & 0xf) << 2; continue;
      case Opcode::LdMem: if (i.k >= r.scratch.size()) return end(0); r.a = r.scratch[i.k]; continue;
      case Opcode::LdxMem: if (i.k >= r.scratch.size()) return end(0); r.x = r.scratch[i.k]; continue;
      case Opcode::St: if (i.k >= r.scratch.size()) return end(0); r.scratch[i.k] = r.a; continue;
      case Opcode::Stx: if (i.k >= r.scratch.size()) return end(0); r.scratch[i.k] = r.x; continue;
      case Opcode::LdLen: r.a = packet.length; continue;
      case Opcode::LdxLen: r.x = packet.length; continue;
      case Opcode::LdxImm: r.x = i.k; continue;
      case Opcode::AddK: r.a += i.k; continue;
      case Opcode::SubK: r.a -= i.k; continue;
      case Opcode::MulK: r.a *= i.k; continue;
      case Opcode::DivK: if (i.k == 0) return end(0); r.a /= i.k; continue;
      case Opcode::ModK: if (i.k == 0) return end(0); r.a %= i.k; continue;
      case Opcode::AndK: r.a &= i.k; continue;
      case Opcode::OrK: r.a |= i.k; continue;
      case Opcode::XorK: r.a ^= i.k; continue;
      case Opcode::LshK: r.a = r.shift_left(i.k); continue;
      case Opcode::RshK: r.a = r.shift_right(i.k); continue;
      case Opcode::AddX: r.a += r.x; continue;
      case Opcode::SubX: r.a -= r.x; continue;
      case Opcode::MulX: r.a *= r.x; continue;
      case Opcode::DivX: if (r.x == 0) return end(0); r.a /= r.x; continue;
      case Opcode::ModX: if (r.x == 0) return end(0); r.a %= r.x; continue;
      case Opcode::AndX: r.a &= r.x; continue;
      case Opcode::OrX: r.a |= r.x; continue;
      case Opcode::XorX: r.a ^= r.x; continue;
      case Opcode::LshX: r.a = r.shift_left(r.x); continue;
      case Opcode::RshX: r.a = r.shift_right(r.x); continue;
      case Opcode::Neg: r.a = 0 - r.a; continue;
      case Opcode::Ja: pc += distance<M>(i); continue;
      case Opcode::JeqK: pc += distance(i, r.a == i.k); continue;
      case Opcode::JgtK: pc += distance(i, r.a > i.k); continue;
      case Opcode::JgeK: pc += distance(i, r.a >= i.k); continue;
      case Opcode::JsetK: pc += distance(i, (r.a & i.k) != 0); continue;
      case Opcode::JeqX: pc += distance(i, r.a == r.x); continue;
      case Opcode::JgtX: pc += distance(i, r.a > r.x); continue;
      case Opcode::JgeX: pc += distance(i, r.a >= r.x); continue;
      case Opcode::JsetX: pc += distance(i, (r.a & r.x) != 0); continue;
      case Opcode::RetK: return end(i.k);
      case Opcode::RetA: return end(r.a);
      case Opcode::Tax: r.x = r.a; continue;
      case Opcode::Txa: r.a = r.x; continue;
    }
    return end(0);  // no instruction: check refuses it
  }
  return end(0);
}

}  // namespace

std::uint32_t run(const cbpf::Program& p, const Packet& packet, Machine machine, std::uint64_t* steps) {
  std::uint64_t executed = 0;
  const std::uint32_t result = machine == Machine::Kernel ? run_on<Machine::Kernel>(p, packet, executed)
                                                          : run_on<Machine::Libpcap>(p, packet, executed);
  if (steps) *steps = executed;
  return result;
}

}  // namespace weir::vm
