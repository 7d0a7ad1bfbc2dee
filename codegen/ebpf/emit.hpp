#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/result.hpp"
#include "ebpf/program.hpp"
#include "ir/program.hpp"

namespace weir::ebpf {

/// From so many numbers on a table takes half the time of comparisons on traffic that nobody foresees (docs/benchmarks.md, lists).
inline constexpr std::size_t usual_table_threshold = 128;

struct EmitOptions {
  Hook hook = Hook::Socket;
  /// What the program returns for a packet that the graph accepts, and for one that it rejects. Without them: what makes the
  /// kernel keep the one and drop the other (a socket filter keeps as many bytes as the graph says). They must differ; control groups
  /// take 0 and 1, a socket filter needs `match` where it has `no_match`. Other numbers are the kernel's to understand.
  std::optional<std::int32_t> match = std::nullopt, no_match = std::nullopt;
  /// Sets of so many intervals and more become maps; by default where a map is measured to be faster. 1: every set that can.
  std::optional<std::size_t> map_threshold = std::nullopt;
  /// Sets of so many numbers of four bytes and more become tables, in a map that the program reads in place: faster than a hash,
  /// but nothing can change them, and objects do not have them.
  std::optional<std::size_t> table_threshold = std::nullopt;
  /// Short jumps reach over what kernels make of the program that hide its constants (net.core.bpf_jit_harden=2): three times as
  /// many instructions.
  bool hides_constants = false;
  /// Where loads call the kernel they do it in a function of the program, outside which the stack is hardly touched: in long
  /// programs the verifier's time grows with the square of that. Not for objects, whose functions need names.
  bool loads_in_functions = false;
  /// Tracing: which argument of the tracepoint is the sk_buff.
  std::uint32_t argument = 0;
};

/// The graph as a program for a hook. "Captured" means the whole packet, also where part of it is not linear; `length` is the
/// packet's length there. Tracing: the linear part alone. XDP: not what begins behind byte 65535 (bpf_xdp_load_bytes in
/// net/core/filter.c), of the few packets so long; their check of it fails, and they are rejected. Errors: Unsupported (the hook
/// does not know what the graph asks, as VLAN metadata in XDP), TooLarge.
Result<Program> emit(const ir::Program& p, const EmitOptions& options);

}  // namespace weir::ebpf
