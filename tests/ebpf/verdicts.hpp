// A graph and its programs for all hooks on packets, against the graph's own evaluator.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ebpf/emit.hpp"
#include "ir/program.hpp"
#include "setting.hpp"

namespace weir::ebpf_tests {

/// The kernel runs programs of these on request, but for tracing: what those return our machine says.
inline constexpr ebpf::Hook hooks[] = {ebpf::Hook::Xdp, ebpf::Hook::TcIngress, ebpf::Hook::Cgroup, ebpf::Hook::Socket,
                                       ebpf::Hook::SocketBtf, ebpf::Hook::Tracing};

struct Tally {
  std::size_t loaded = 0;        ///< programs
  std::size_t unsupported = 0;   ///< graphs that ask what the hook does not know
  std::size_t too_large = 0;
  std::size_t instead = 0;       ///< programs for socket-btf that the verifier takes for hook socket only, as attach() does then
  std::size_t instructions = 0;  ///< of all programs
  std::size_t longest = 0;
  std::size_t verdicts = 0;      ///< packets, by programs
  std::size_t in_parts = 0;      ///< of them, those of which but a part was linear
  std::size_t accepted = 0;      ///< verdicts that were "accept"
  std::size_t not_taken = 0;     ///< packets that the kernel does not run
};

/// What is wrong: the kernel refuses the program, or it returns something else. Nothing when all is well.
std::optional<std::string> compare(const ir::Program& graph, const ebpf::EmitOptions& options,
                                   const std::vector<oracle::Sample>& samples, Tally& tally);

}  // namespace weir::ebpf_tests
