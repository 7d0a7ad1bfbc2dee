// AArch64 code on any host, as VIXL's simulator runs it. On AArch64 itself, where the library is without one, the CPU does:
// then nothing is counted or looked after, and there is no call().
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "native/code.hpp"

namespace weir::simulate {

/// One simulated CPU; keep it, for making one takes longer than running a filter. Not for several threads at once.
class Simulator {
 public:
  Simulator();
  ~Simulator();
  Simulator(Simulator&&) noexcept;
  Simulator& operator=(Simulator&&) noexcept;

  struct Ran {
    std::uint32_t result = 0;
    std::uint64_t instructions = 0;
    /// What the code did that AAPCS64 forbids: a register or the stack pointer that is not as it was.
    std::optional<std::string> broken;
  };
  /// Runs the code on a copy of the packet behind which lies no memory: reading past it ends the process (SIGSEGV).
  Ran run(const native::Encoded& code, const Packet& packet);
  /// Runs the code of a native::BatchFunction, on the packets where they are.
  template <typename Record>
  Ran run_batch(const native::Encoded& code, std::span<const Record> packets, std::uint64_t* verdicts) {
    return run_batch(code, packets.data(), packets.size(), verdicts);
  }
  /// Calls what lies at `code` with arguments in x0 to x3.
  Ran call(const std::uint8_t* code, const std::array<std::uint64_t, 4>& arguments);
  std::uint32_t result(const native::Encoded& code, const Packet& packet) { return run(code, packet).result; }

 private:
  Ran run_batch(const native::Encoded& code, const void* packets, std::size_t count, std::uint64_t* verdicts);

  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace weir::simulate
