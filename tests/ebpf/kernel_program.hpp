// An eBPF program in the running kernel, and packets through it by BPF_PROG_TEST_RUN (net/bpf/test_run.c).
#pragma once
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <utility>

#include "attach/load.hpp"
#include "ebpf/program.hpp"

namespace weir::ebpf_tests {

struct Run {
  std::uint32_t returned = 0;
  std::uint32_t nanoseconds = 0;  ///< of one run, on average
};

class KernelProgram {
 public:
  /// What the loader says when the kernel refuses.
  static std::expected<KernelProgram, std::string> load(const ebpf::Program& program);

  /// What it returns for a packet, which is a frame of an Ethernet interface for XDP and tc; for the others it is what they
  /// see, and a header of 14 bytes is put before it, which the kernel takes away. `linear`: how many bytes are to lie in the linear
  /// part; 0: as many as the kernel likes. The number of the error when the kernel does not take the packet.
  std::expected<Run, int> run(std::span<const std::uint8_t> packet, std::uint32_t linear = 0, std::uint32_t repeat = 1) const;

  ebpf::Hook hook() const { return loaded_.hook(); }
  int descriptor() const { return loaded_.descriptor(); }

 private:
  explicit KernelProgram(attach::Loaded loaded) : loaded_(std::move(loaded)) {}

  attach::Loaded loaded_;
};

/// Why programs cannot be loaded here; empty when they can.
std::string trouble();

}  // namespace weir::ebpf_tests
