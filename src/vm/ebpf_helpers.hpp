// The kernel's helper functions on our memory.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string_view>

#include "ebpf/helpers.hpp"
#include "vm/ebpf_memory.hpp"

namespace weir::vm {

/// What a helper returned, or why it could not be called so.
struct Called {
  std::uint64_t value = 0;
  std::string_view problem = {};
};

class EbpfHelpers {
 public:
  EbpfHelpers(EbpfMemory& memory, const EbpfSetting& setting) : memory_(memory), setting_(setting) {}

  /// `arguments` are r1 to r5.
  Called call(ebpf::Helper helper, std::span<const std::uint64_t, 5> arguments);

 private:
  using Arguments = std::span<const std::uint64_t, 5>;
  Called look_up(Arguments a);
  Called update(Arguments a);
  Called remove(Arguments a);
  Called random();
  Called copy_out(std::uint64_t to, std::uint64_t size, const std::uint8_t* from, bool clears);
  const std::uint8_t* packet_bytes(std::uint64_t offset, std::uint64_t size, std::uint64_t end) const;
  const std::uint8_t* relative_bytes(Arguments a) const;

  EbpfMemory& memory_;
  const EbpfSetting& setting_;
  std::optional<std::mt19937> random_;  ///< from its first use on: seeding takes longer than most programs
};

}  // namespace weir::vm
