// Runs eBPF on bytes. Knows no filters. What is run need not have passed ebpf::check: each access is looked at when it happens.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/packet.hpp"
#include "ebpf/program.hpp"

namespace weir::vm {

/// What a run is given besides the packet.
struct EbpfSetting {
  /// How many bytes lie between data and data_end; the rest is there through helpers alone, as in a packet of several parts. All,
  /// by default.
  std::optional<std::size_t> linear;
  /// Where headers begin, from the packet's first byte on; by default as in an Ethernet frame.
  std::int32_t link_header = 0, network_header = 14;
  /// Tracing: how many bytes `data` of the sk_buff is behind the packet's first one; its `len` is so much less.
  std::uint32_t pulled = 0;
  /// Tracing: which argument of the tracepoint the sk_buff is.
  std::uint32_t argument = 0;
  std::uint64_t nanoseconds = 0;  ///< what bpf_ktime_get_ns returns
  std::uint32_t seed = 0;         ///< of bpf_get_prandom_u32
  std::uint64_t most_steps = 1'000'000;
};

/// Why a program was stopped.
struct EbpfFault {
  std::size_t instruction = 0;
  std::string reason;
  bool operator==(const EbpfFault&) const = default;
};

struct EbpfResult {
  std::uint64_t value = 0;         ///< r0 at the end; 0 after a fault
  std::uint64_t steps = 0;         ///< executed instructions
  std::optional<EbpfFault> fault;  ///< nothing: the program ran to its end
};

/// What is true after an instruction was executed.
struct EbpfStep {
  std::size_t instruction = 0;
  std::span<const std::uint64_t, 11> registers;
  std::uint16_t written = 0;  ///< a bit for each register that has a value
  std::size_t depth = 0;      ///< of calls: 0 in the function that was entered first
};

/// A program with its maps, which keep what runs put into them. Not for several threads at once.
///
/// Semantics are those of RFC 9669 and of the kernel on a little-endian 64-bit host. `length` of a packet is what the kernel's
/// length fields say, its bytes are all that can be read, also through helpers. Registers and bytes of the stack that nothing was
/// written to may not be read. Where offsets of the kernel's structures go (Program::fields), those of structures of its own
/// stand.
class EbpfMachine {
 public:
  explicit EbpfMachine(ebpf::Program program);
  EbpfMachine(EbpfMachine&&) noexcept;
  EbpfMachine& operator=(EbpfMachine&&) noexcept;
  ~EbpfMachine();

  /// `trace` is called after each instruction.
  EbpfResult run(const Packet& packet, const EbpfSetting& setting = {}, const std::function<void(const EbpfStep&)>& trace = {});

  /// The value that a map has for a key; nothing when it has none.
  std::optional<std::vector<std::uint8_t>> value(std::size_t map, std::span<const std::uint8_t> key) const;

  /// The program as it runs: with offsets in the place of fields.
  const ebpf::Program& program() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::vm
