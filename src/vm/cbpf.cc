// The two machines as their sources have them: libpcap's bpf_filter.c, and the kernel's translation to eBPF
// (net/core/filter.c: bpf_convert_filter, convert_bpf_extensions, convert_bpf_ld_abs, the bpf_skb_load_helper
// family). Tested by tests/unit/vm/cbpf_test.cc against the installed libpcap and the running kernel.
#include "vm/cbpf.hpp"

#include <algorithm>
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

/// Where an offset of 2^31 and more, which is negative for bpf_skb_load_helper_8 and its like, begins in the packet.
std::uint64_t from_header(std::uint32_t offset) {
  if (offset >= network_offset) return offset - network_offset + network_header;
  if (offset >= link_offset) return offset - link_offset + link_header;
  return offset;  // beyond any packet
}

/// What Packet does not tell (mark, queue, hash, processor, random number, payload offset, netlink attributes) is 0.
/// Every size of load gets the whole value.
Value kernel_metadata(const Packet& packet, std::uint32_t offset, std::uint32_t a, std::uint32_t x) {
  if (cbpf::metadata(offset) == nullptr) return std::nullopt;
  return offset == cbpf::xor_x ? a ^ x : packet.meta.get(static_cast<Meta>(offset - meta_offset));
}

/// libpcap's auxiliary data are the VLAN tag, and only byte loads find them.
Value libpcap_metadata(const Packet& packet, std::uint32_t offset, std::uint32_t size) {
  const auto meta = static_cast<Meta>(offset - meta_offset);
  if (size != 1 || (meta != Meta::VlanTag && meta != Meta::VlanTagPresent)) return std::nullopt;
  return packet.meta.get(meta);
}

/// In network order.
template <std::uint32_t Size>
std::uint32_t bytes_at(const std::uint8_t* p) {
  if constexpr (Size == 1) return p[0];
  if constexpr (Size == 2) return std::uint32_t{p[0]} << 8 | p[1];
  return std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | p[3];
}

/// Loads of one machine from one packet. What a load gives is a value, so that the registers of a run need no memory.
template <Machine M>
class Loads {
 public:
  explicit Loads(const Packet& packet)
      : packet_(packet), data_(packet.bytes.data()), end_(std::min<std::uint64_t>(packet.bytes.size(), 0x80000000)) {}

  template <std::uint32_t Size>
  Value absolute(std::uint32_t k, std::uint32_t a, std::uint32_t x) const {
    if (std::uint64_t{k} + Size <= end_) [[likely]] return bytes_at<Size>(data_ + k);
    if (k < meta_offset) return beyond<Size>(packet_, k);
    return metadata<Size>(packet_, k, a, x);
  }

  template <std::uint32_t Size>
  Value indirect(std::uint32_t k, std::uint32_t x) const {
    std::uint64_t offset = std::uint64_t{k} + x;
    if constexpr (M == Machine::Kernel) offset = static_cast<std::uint32_t>(offset);
    if (offset + Size <= end_) [[likely]] return bytes_at<Size>(data_ + offset);
    if constexpr (M == Machine::Libpcap) return std::nullopt;
    return beyond<Size>(packet_, static_cast<std::uint32_t>(offset));
  }

 private:
  /// An offset that is none of the captured bytes: the kernel counts some from headers.
  template <std::uint32_t Size>
  [[gnu::noinline]] static Value beyond(const Packet& packet, std::uint32_t offset) {
    if (M == Machine::Libpcap || offset < link_offset) return std::nullopt;
    const std::uint64_t at = from_header(offset);
    return at + Size <= packet.bytes.size() ? Value(bytes_at<Size>(packet.bytes.data() + at)) : std::nullopt;
  }

  template <std::uint32_t Size>
  [[gnu::noinline]] static Value metadata(const Packet& packet, std::uint32_t k, std::uint32_t a, std::uint32_t x) {
    return M == Machine::Kernel ? kernel_metadata(packet, k, a, x) : libpcap_metadata(packet, k, Size);
  }

  const Packet& packet_;
  const std::uint8_t* data_;
  std::uint64_t end_;  ///< no offset from here on is one of the packet; from 2^31 on they mean something else
};

template <Machine M>
std::uint32_t shift_left(std::uint32_t a, std::uint32_t by) { return M == Machine::Libpcap && by > 31 ? 0 : a << (by & 31); }
template <Machine M>
std::uint32_t shift_right(std::uint32_t a, std::uint32_t by) { return M == Machine::Libpcap && by > 31 ? 0 : a >> (by & 31); }

/// How far a conditional jump goes, beyond the next instruction. A branch, which can be predicted, and no conditional move, which waits
/// for both.
std::int64_t distance(const Instruction& i, bool taken) {
  std::int64_t far = i.jf;
  if (taken) [[unlikely]] far = i.jt;
  return far;
}

/// Only libpcap's machine knows a way back (sign-extended here): `protochain` loops there.
template <Machine M>
std::int64_t distance(const Instruction& i) {
  if constexpr (M == Machine::Kernel) return i.k;
  return static_cast<std::int32_t>(i.k);
}

/// No program needs more, unless it loops without end; such a program rejects.
constexpr std::uint64_t max_steps = 1'000'000;

/// Who looks on.
struct Watch {
  const std::function<void(const Step&)>& trace;
  std::optional<Fault> fault = {};
};

/// `Checked`: jumps stay inside and lead forward, and the last instruction returns. Not inline, so that each has the registers for itself,
/// and at the beginning of a cache line, for elsewhere it took up to a quarter longer.
template <Machine M, bool Checked>
[[gnu::noinline, gnu::aligned(64)]] std::uint32_t run_on(const cbpf::Program& p, const Packet& packet, std::uint64_t* executed,
                                                         Watch* watch = nullptr) {
  const Loads<M> loads(packet);
  std::uint32_t a = 0, x = 0;
  std::array<std::uint32_t, cbpf::scratch_words> scratch{};
  std::uint64_t steps = 0;  // a local, so that it stays in a register
  const auto end = [&](std::uint32_t result) {
    if constexpr (!Checked) *executed = steps;
    return result;
  };
  std::size_t at = 0;  // the last instruction
  const auto stop = [&](const char* reason) {
    if constexpr (!Checked)
      if (watch) watch->fault = Fault{at, reason};
    return end(0);
  };
  constexpr const char* no_word = "is about a scratch word that is not there";
  const auto put = [](std::uint32_t& reg, const Value& loaded) {
    if (loaded) reg = *loaded;
    return loaded.has_value();
  };
  const Instruction* const code = p.instructions.data();
  const auto count = static_cast<std::int64_t>(p.instructions.size());
  const Instruction* next = code;
  const auto jump = [&](std::int64_t by) {
    if constexpr (Checked) {
      next += by;
    } else {  // out of the program, also to below 0, is its end
      const std::int64_t to = next - code + by;
      next = code + (to < 0 || to > count ? count : to);
    }
  };
  // Most values are compared at once, and often with several numbers in turn: that needs no look at what comes next.
  const auto compare = [&] {
    if constexpr (!Checked) return;
    while (static_cast<Opcode>(next->code) == Opcode::JeqK) {
      const Instruction& i = *next++;
      jump(distance(i, a == i.k));
    }
  };
  for (;;) {
    if constexpr (!Checked) {
      if (next == code + count) return stop("leads out of the program");
      if (steps == max_steps) return stop("is reached again and again: the program does not end");
      ++steps;
      at = static_cast<std::size_t>(next - code);
      if (watch) watch->trace({at, a, x});
    }
    const Instruction& i = *next++;
    switch (static_cast<Opcode>(i.code)) {
      case Opcode::LdImm: a = i.k; continue;
      case Opcode::LdAbsW: if (!put(a, loads.template absolute<4>(i.k, a, x))) return end(0); compare(); continue;
      case Opcode::LdAbsH: if (!put(a, loads.template absolute<2>(i.k, a, x))) return end(0); compare(); continue;
      case Opcode::LdAbsB: if (!put(a, loads.template absolute<1>(i.k, a, x))) return end(0); compare(); continue;
      case Opcode::LdIndW: if (!put(a, loads.template indirect<4>(i.k, x))) return end(0); compare(); continue;
      case Opcode::LdIndH: if (!put(a, loads.template indirect<2>(i.k, x))) return end(0); compare(); continue;
      case Opcode::LdIndB: if (!put(a, loads.template indirect<1>(i.k, x))) return end(0); compare(); continue;
      case Opcode::LdxMsh: if (!put(x, loads.template indirect<1>(i.k, 0))) return end(0); x = (x & 0xf) << 2; continue;
      case Opcode::LdMem: if (i.k >= scratch.size()) return stop(no_word); a = scratch[i.k]; continue;
      case Opcode::LdxMem: if (i.k >= scratch.size()) return stop(no_word); x = scratch[i.k]; continue;
      case Opcode::St: if (i.k >= scratch.size()) return stop(no_word); scratch[i.k] = a; continue;
      case Opcode::Stx: if (i.k >= scratch.size()) return stop(no_word); scratch[i.k] = x; continue;
      case Opcode::LdLen: a = packet.length; continue;
      case Opcode::LdxLen: x = packet.length; continue;
      case Opcode::LdxImm: x = i.k; continue;
      case Opcode::AddK: a += i.k; continue;
      case Opcode::SubK: a -= i.k; continue;
      case Opcode::MulK: a *= i.k; continue;
      case Opcode::DivK: if (i.k == 0) return end(0); a /= i.k; continue;
      case Opcode::ModK: if (i.k == 0) return end(0); a %= i.k; continue;
      case Opcode::AndK: a &= i.k; continue;
      case Opcode::OrK: a |= i.k; continue;
      case Opcode::XorK: a ^= i.k; continue;
      case Opcode::LshK: a = shift_left<M>(a, i.k); continue;
      case Opcode::RshK: a = shift_right<M>(a, i.k); continue;
      case Opcode::AddX: a += x; continue;
      case Opcode::SubX: a -= x; continue;
      case Opcode::MulX: a *= x; continue;
      case Opcode::DivX: if (x == 0) return end(0); a /= x; continue;
      case Opcode::ModX: if (x == 0) return end(0); a %= x; continue;
      case Opcode::AndX: a &= x; continue;
      case Opcode::OrX: a |= x; continue;
      case Opcode::XorX: a ^= x; continue;
      case Opcode::LshX: a = shift_left<M>(a, x); continue;
      case Opcode::RshX: a = shift_right<M>(a, x); continue;
      case Opcode::Neg: a = 0 - a; continue;
      case Opcode::Ja: jump(distance<M>(i)); continue;
      case Opcode::JeqK: jump(distance(i, a == i.k)); compare(); continue;
      case Opcode::JgtK: jump(distance(i, a > i.k)); continue;
      case Opcode::JgeK: jump(distance(i, a >= i.k)); continue;
      case Opcode::JsetK: jump(distance(i, (a & i.k) != 0)); continue;
      case Opcode::JeqX: jump(distance(i, a == x)); continue;
      case Opcode::JgtX: jump(distance(i, a > x)); continue;
      case Opcode::JgeX: jump(distance(i, a >= x)); continue;
      case Opcode::JsetX: jump(distance(i, (a & x) != 0)); continue;
      case Opcode::RetK: return end(i.k);
      case Opcode::RetA: return end(a);
      case Opcode::Tax: x = a; continue;
      case Opcode::Txa: a = x; continue;
    }
    return stop("is none that machines know");
  }
}

}  // namespace

std::uint32_t run(const cbpf::Program& p, const Packet& packet, Machine machine, std::uint64_t* steps) {
  std::uint64_t executed = 0;
  const std::uint32_t result = machine == Machine::Kernel ? run_on<Machine::Kernel, false>(p, packet, &executed)
                                                          : run_on<Machine::Libpcap, false>(p, packet, &executed);
  if (steps) *steps = executed;
  return result;
}

Traced run_traced(const cbpf::Program& p, const Packet& packet, Machine machine, const std::function<void(const Step&)>& trace) {
  std::uint64_t executed = 0;
  Watch watch{trace};
  const std::uint32_t result = machine == Machine::Kernel ? run_on<Machine::Kernel, false>(p, packet, &executed, &watch)
                                                          : run_on<Machine::Libpcap, false>(p, packet, &executed, &watch);
  return {result, watch.fault};
}

std::uint32_t run_checked(const cbpf::Program& p, const Packet& packet, Machine machine) {
  return machine == Machine::Kernel ? run_on<Machine::Kernel, true>(p, packet, nullptr)
                                    : run_on<Machine::Libpcap, true>(p, packet, nullptr);
}

}  // namespace weir::vm
