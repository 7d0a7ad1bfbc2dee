#pragma once
#include <cstddef>
#include <cstdint>

namespace weir {

/// Budgets of one compilation. Running out of one is a Diagnostic like any other.
struct Limits {
  std::uint32_t depth = 1000;           ///< height of the tree: parentheses, `not`, `[…]`, arithmetic; and/or chains cost none
  std::uint32_t protochain = 6;         ///< headers that `protochain` follows after the first
  std::size_t nodes = 8'000'000;        ///< tests in the decision graph
  std::size_t tunnel_states = 256;      ///< combinations of tunnels that may have matched at one place of the filter
  /// Values that an instruction of a program that is lifted is reached with, on average, before those that meet become choices.
  std::size_t lifted_states = 4;
  /// Values that all its instructions together are reached with, where choices would hold too many tests.
  std::size_t lifted_most = 200'000;
  /// Tests on which what one of its places holds may depend, those of values among them counted as often as they stand there.
  std::size_t lifted_tests = 50'000;
  std::size_t instructions = 4096;      ///< BPF_MAXINSNS of the kernel (include/uapi/linux/bpf_common.h)
};

}  // namespace weir
