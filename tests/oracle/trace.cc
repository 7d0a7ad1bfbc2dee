#include "trace.hpp"

#include <array>

#include "cbpf/decode.hpp"

namespace weir::oracle {
namespace {

/// The offsets that mean metadata, not all that are as large (linux/filter.h: SKF_AD_MAX).
bool is_metadata(std::uint32_t k) { return k >= meta_offset && k - meta_offset < 64; }

namespace op = cbpf::op;
using cbpf::arith_of;
using cbpf::size_of;

/// A program that jumps forward only ends by itself. libpcap's `protochain` may go round for ever, because behind an
/// authentication header it goes on at that header's length, not at where it ends.
constexpr std::uint32_t most_laps = 200;

bool holds_jump(std::uint16_t code, std::uint32_t a, std::uint32_t b) {
  switch (code & 0xf0) {
    case op::JEQ: return a == b;
    case op::JGT: return a > b;
    case op::JGE: return a >= b;
    default: return (a & b) != 0;
  }
}

/// One run. Registers hold numbers of symbols.
class Machine {
 public:
  Machine(const cbpf::Program& p, const Packet& packet, Tail tail, Trace& trace)
      : program_(p), packet_(packet), tail_(tail), trace_(trace) {
    trace_.returned = 0;
    trace_.failed.reset();
    trace_.divided_by_zero = false;
    trace_.laps = 0;
    trace_.endless = false;
    trace_.tail_loads = 0;
    trace_.symbols.clear();
    trace_.branches.clear();
    trace_.loads.clear();
    a_ = x_ = constant(0);
    memory_.fill(a_);
  }

  void run() {
    std::uint32_t pc = 0;
    while (trace_.laps < most_laps) {
      const cbpf::Instruction& i = program_.instructions[pc];
      if ((i.code & 7) == op::RET) {
        trace_.returned = (i.code & 0x18) == op::A ? value(a_) : i.k;
        return;
      }
      if ((i.code & 7) == op::JMP) {
        const std::uint32_t next = jump(i, pc);
        if (next <= pc) ++trace_.laps;
        pc = next;
        continue;
      }
      if (!execute(i)) return;
      ++pc;
    }
    trace_.endless = true;
  }

 private:
  std::uint32_t value(std::uint32_t symbol) const { return trace_.symbols[symbol].value; }

  std::uint32_t push(const Symbol& s) {
    trace_.symbols.push_back(s);
    return static_cast<std::uint32_t>(trace_.symbols.size() - 1);
  }
  std::uint32_t constant(std::uint32_t k) { return push({.value = k}); }

  std::uint32_t jump(const cbpf::Instruction& i, std::uint32_t pc) {
    if ((i.code & 0xf0) == op::JA) return pc + 1 + i.k;  // k may be negative: wraps
    const std::uint32_t right = (i.code & op::X) != 0 ? x_ : constant(i.k);
    const bool taken = holds_jump(i.code, value(a_), value(right));
    trace_.branches.push_back({pc, taken, i.code, a_, right});
    return pc + 1 + (taken ? i.jt : i.jf);
  }

  bool execute(const cbpf::Instruction& i) {
    switch (i.code & 7) {
      case op::LD: return load(i, a_);
      case op::LDX: return load(i, x_);
      case op::ST: memory_[i.k % memory_.size()] = a_; return true;
      case op::STX: memory_[i.k % memory_.size()] = x_; return true;
      case op::ALU: return arithmetic(i);
      default: ((i.code & 0xf8) == op::TAX ? x_ : a_) = (i.code & 0xf8) == op::TAX ? a_ : x_; return true;
    }
  }

  bool load(const cbpf::Instruction& i, std::uint32_t& target) {
    switch (i.code & 0xe0) {
      case op::IMM: target = constant(i.k); return true;
      case op::LEN: target = push({.kind = SymbolKind::Length, .value = packet_.length}); return true;
      case op::MEM: target = memory_[i.k % memory_.size()]; return true;
      case op::ABS: return is_metadata(i.k) ? metadata(i.k, target) : bytes(i.k, size_of(i.code), target);
      case op::IND: return bytes(std::uint64_t{value(x_)} + i.k, size_of(i.code), target);
      default: return header_length(i.k, target);
    }
  }

  bool metadata(std::uint32_t k, std::uint32_t& target) {
    const auto which = static_cast<std::uint8_t>(k - meta_offset);
    target = push({.kind = SymbolKind::Meta, .detail = which, .value = packet_.meta.get(static_cast<Meta>(which))});
    return true;
  }

  /// ldxb 4*([k]&0xf)
  bool header_length(std::uint32_t k, std::uint32_t& target) {
    std::uint32_t loaded = 0;
    if (!bytes(k, 1, loaded)) return false;
    return binary(Arith::And, loaded, constant(15), loaded) && binary(Arith::Lsh, loaded, constant(2), target);
  }

  bool bytes(std::uint64_t at, std::uint32_t size, std::uint32_t& target) {
    const std::size_t have = packet_.bytes.size();
    const bool inside = at + size <= have;
    if (!inside && (tail_ == Tail::None || at + size > std::uint64_t{1} << 32)) {
      trace_.failed = Access{static_cast<std::uint32_t>(at < 0xffffffff ? at : 0xffffffff), size};
      return false;
    }
    std::uint32_t v = 0;
    for (std::uint64_t i = at; i < at + size; ++i) v = v << 8 | (i < have ? packet_.bytes[i] : tail_byte(tail_, i));
    const auto offset = static_cast<std::uint32_t>(at);
    if (!inside) ++trace_.tail_loads;
    trace_.loads.push_back({offset, size});
    target = push({.kind = SymbolKind::Load, .detail = static_cast<std::uint8_t>(size), .at = offset, .value = v});
    return true;
  }

  bool arithmetic(const cbpf::Instruction& i) {
    if ((i.code & 0xf0) == op::NEG) {
      a_ = push({.kind = SymbolKind::Negate, .a = a_, .value = 0 - value(a_)});
      return true;
    }
    const auto what = arith_of(i.code);
    return what && binary(*what, a_, (i.code & op::X) != 0 ? x_ : constant(i.k), a_);
  }

  bool binary(Arith what, std::uint32_t left, std::uint32_t right, std::uint32_t& target) {
    const auto result = apply(what, value(left), value(right));
    if (!result) {
      trace_.divided_by_zero = true;
      return false;
    }
    target = push({.kind = SymbolKind::Binary, .detail = static_cast<std::uint8_t>(what), .a = left, .b = right,
                   .value = *result});
    return true;
  }

  const cbpf::Program& program_;
  const Packet& packet_;
  const Tail tail_;
  Trace& trace_;
  std::uint32_t a_ = 0;
  std::uint32_t x_ = 0;
  std::array<std::uint32_t, 2 * cbpf::scratch_words> memory_{};  // twice as much as there is: see repair.hpp
};

}  // namespace

std::uint32_t tail_byte(Tail tail, std::uint64_t at) {
  switch (tail) {
    case Tail::None:
    case Tail::Zeros: return 0;
    case Tail::Ones: return 0xff;
    case Tail::Noise: break;
  }
  return static_cast<std::uint32_t>((at + 1) * 0x9e3779b97f4a7c15 >> 56);
}

void run(const cbpf::Program& p, const Packet& packet, Tail tail, Trace& trace) {
  Machine(p, packet, tail, trace).run();
}

bool uses_metadata(const cbpf::Program& p) {
  for (const cbpf::Instruction& i : p.instructions)
    if ((i.code & 7) == op::LD && (i.code & 0xe0) == op::ABS && is_metadata(i.k)) return true;
  return false;
}

}  // namespace weir::oracle
