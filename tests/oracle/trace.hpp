// Runs classic BPF as libpcap's interpreter does, and remembers where each compared value came from, so that a
// packet can be changed to take the other way. Beyond the packet an endless tail can be put: that is f(p,∞) of the
// refinement relation. Test: the oracle compares every run with libpcap's own interpreter.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "base/arith.hpp"
#include "base/packet.hpp"
#include "cbpf/program.hpp"

namespace weir::oracle {

/// What follows the last byte of a packet. With any but None every load below 2^32 is in bounds.
enum class Tail : std::uint8_t { None, Zeros, Ones, Noise };

/// The byte that stands at an offset of the tail.
std::uint32_t tail_byte(Tail tail, std::uint64_t at);

enum class SymbolKind : std::uint8_t { Constant, Load, Length, Meta, Negate, Binary };

/// How a value of a run was computed.
struct Symbol {
  SymbolKind kind = SymbolKind::Constant;
  std::uint8_t detail = 0;  ///< Load: size; Meta: weir::Meta; Binary: weir::Arith
  std::uint32_t at = 0;     ///< Load: offset in the packet
  std::uint32_t a = 0;      ///< operands: numbers of earlier symbols
  std::uint32_t b = 0;
  std::uint32_t value = 0;
};

/// A conditional jump that was executed.
struct Branch {
  std::uint32_t pc = 0;
  bool taken = false;
  std::uint16_t code = 0;
  std::uint32_t left = 0;   ///< symbols
  std::uint32_t right = 0;
};

struct Access {
  std::uint32_t at = 0;
  std::uint32_t size = 0;
};

/// What happened in one run.
struct Trace {
  std::uint32_t returned = 0;
  std::optional<Access> failed;     ///< the load that ran out of the packet and ended the run
  bool divided_by_zero = false;
  std::uint32_t laps = 0;           ///< backward jumps (libpcap's protochain)
  bool endless = false;             ///< given up: it goes round and round
  std::uint32_t tail_loads = 0;     ///< loads that touched the tail
  std::vector<Symbol> symbols;
  std::vector<Branch> branches;
  std::vector<Access> loads;        ///< those in bounds, in order
};

/// Runs `p`; any program that libpcap accepts, also one that jumps backward. `trace` is overwritten.
void run(const cbpf::Program& p, const Packet& packet, Tail tail, Trace& trace);

/// Whether the program reads what the kernel knows of a packet.
bool uses_metadata(const cbpf::Program& p);

}  // namespace weir::oracle
