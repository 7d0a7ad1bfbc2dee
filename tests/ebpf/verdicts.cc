#include "verdicts.hpp"

#include <cerrno>

#include <fmt/format.h>

#include "kernel_program.hpp"
#include "vm/ebpf.hpp"

namespace weir::ebpf_tests {
namespace {

std::uint32_t half(std::span<const std::uint8_t> bytes, std::size_t at) {
  return at + 2 <= bytes.size() ? std::uint32_t{bytes[at]} << 8 | bytes[at + 1] : 0;
}

/// What the kernel makes of a frame of a test: it comes in on the loopback device, whose address is 0 (net/ethernet/eth.c, eth_type_trans).
Metadata metadata_of(ebpf::Hook hook, std::span<const std::uint8_t> bytes) {
  Metadata m{.interface_index = 1};
  if (hook == ebpf::Hook::Xdp) return m;
  if (hook != ebpf::Hook::TcIngress && hook != ebpf::Hook::TcEgress) {
    m.protocol = 0x88b5;
    return m;
  }
  m.protocol = half(bytes, 12);
  if (m.protocol < 0x600) m.protocol = half(bytes, 14) == 0xffff && bytes.size() >= 16 ? 1 : 4;
  std::uint32_t any = 0, all = 0xff;
  for (std::size_t i = 0; i < 6; ++i) any |= bytes[i], all &= bytes[i];
  if (all == 0xff) m.packet_type = 1;
  else if (bytes[0] & 1) m.packet_type = 2;
  else if (any != 0) m.packet_type = 3;
  return m;
}

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t b : bytes) text += fmt::format("{:02x}", b);
  return text;
}

class Comparison {
 public:
  Comparison(const ir::Program& graph, const ebpf::Program& program, const KernelProgram& loaded, Tally& tally)
      : graph_(graph), program_(program), loaded_(loaded), tally_(tally) {}

  /// One packet as it is, and with but a part of it in the linear part.
  std::optional<std::string> packet(std::span<const std::uint8_t> bytes) {
    if (auto wrong = run(bytes, 0)) return wrong;
    if (loaded_.hook() != ebpf::Hook::Xdp) return std::nullopt;  // the kernel makes no other packets in parts on request
    for (const std::uint32_t linear : {14u, 34u, 60u})
      if (bytes.size() > linear)
        if (auto wrong = run(bytes, linear)) return wrong;
    return std::nullopt;
  }

 private:
  std::optional<std::string> run(std::span<const std::uint8_t> bytes, std::uint32_t linear) {
    const auto got = loaded_.run(bytes, linear);
    if (!got) {
      ++tally_.not_taken;
      return std::nullopt;
    }
    ++tally_.verdicts;
    tally_.in_parts += linear != 0;
    const std::uint32_t expected =
        ir::evaluate(graph_, {bytes, static_cast<std::uint32_t>(bytes.size()), metadata_of(loaded_.hook(), bytes)});
    tally_.accepted += expected != 0;
    const bool same = is_socket(loaded_.hook()) ? got->returned == expected : program_.accepts(got->returned) == (expected != 0);
    if (same) return std::nullopt;
    return fmt::format("hook {}: returns {:#x} where the graph returns {:#x}, for {} bytes ({} linear): {}",
                       to_string(loaded_.hook()), got->returned, expected, bytes.size(), linear, hex(bytes));
  }

  const ir::Program& graph_;
  const ebpf::Program& program_;
  const KernelProgram& loaded_;
  Tally& tally_;
};

std::optional<std::string> compare_traced(const ir::Program& graph, const ebpf::Program& program,
                                          const std::vector<oracle::Sample>& samples, Tally& tally) {
  vm::EbpfMachine machine(program);
  for (const oracle::Sample& s : samples) {
    const Packet packet{s.bytes, static_cast<std::uint32_t>(s.bytes.size()), s.meta};
    const auto got = machine.run(packet);
    if (got.fault) return fmt::format("hook tracing: fault at instruction {}: {}", got.fault->instruction, got.fault->reason);
    const bool expected = ir::evaluate(graph, packet) != 0;
    ++tally.verdicts;
    tally.accepted += expected;
    if (program.accepts(static_cast<std::uint32_t>(got.value)) != expected)
      return fmt::format("hook tracing: {} where the graph says {}, for {} bytes: {}", !expected, expected, s.bytes.size(), hex(s.bytes));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> compare(const ir::Program& graph, const ebpf::EmitOptions& options,
                                   const std::vector<oracle::Sample>& samples, Tally& tally) {
  const auto program = ebpf::emit(graph, options);
  if (!program) {
    ++(program.error().code == Code::Unsupported ? tally.unsupported : tally.too_large);
    return std::nullopt;
  }
  if (const auto wrong = ebpf::check(*program))
    return fmt::format("hook {}: our checker refuses the program: {}", to_string(options.hook), wrong->message);
  const auto loaded = KernelProgram::load(*program);
  if (!loaded && options.hook == ebpf::Hook::SocketBtf && loaded.error().contains("more than the kernel's verifier takes")) {
    auto as_attached = options;  // written out, with two protochains, a filter can be more than the verifier walks through
    as_attached.hook = ebpf::Hook::Socket;
    ++tally.instead;
    return compare(graph, as_attached, samples, tally);
  }
  if (!loaded) return fmt::format("hook {}: the kernel refuses the program: {}", to_string(options.hook), loaded.error());
  ++tally.loaded;
  tally.instructions += program->instructions.size();
  tally.longest = std::max(tally.longest, program->instructions.size());
  if (options.hook == ebpf::Hook::Tracing) return compare_traced(graph, *program, samples, tally);
  Comparison comparison(graph, *program, *loaded, tally);
  for (const oracle::Sample& s : samples)
    if (auto wrong = comparison.packet(s.bytes)) return wrong;
  return std::nullopt;
}

}  // namespace weir::ebpf_tests
