// What an eBPF program can reach: its stack, its packet, values of its maps, and in tracing the kernel's structures. Addresses
// are numbers of their own, not ours: each region begins at a place far from all others, and an address that lies in none is
// refused.
#pragma once
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/packet.hpp"
#include "ebpf/context.hpp"
#include "ebpf/program.hpp"
#include "vm/ebpf.hpp"
#include "vm/ebpf_maps.hpp"

namespace weir::vm {

namespace address {
inline constexpr std::uint64_t stack = 0x1'0000'0000, context = 0x2'0000'0000, packet = 0x3'0000'0000, kernel = 0x4'0000'0000;
inline constexpr std::uint64_t maps = 0x100'0000'0000, values = 0x1000'0000'0000, apart = 0x1'0000'0000;  // one map from the next
}  // namespace address

/// Bytes, or why there are none.
struct Place {
  std::uint8_t* bytes = nullptr;
  std::string_view problem;
};

class EbpfMemory {
 public:
  EbpfMemory(const ebpf::Program& program, std::span<EbpfMap> maps, const Packet& packet, const EbpfSetting& setting);

  /// Bytes that an instruction reads or writes. What is read must have been written; what is written is from then on.
  Place at(std::uint64_t address, std::uint32_t size, ebpf::Access access);
  /// Kernel memory for bpf_probe_read_kernel; null where there is none.
  const std::uint8_t* kernel_at(std::uint64_t address, std::uint32_t size) const;

  /// Fields of the context; the packet's pointers are whole 64-bit addresses.
  std::optional<std::uint64_t> load_context(std::int64_t offset, std::uint32_t size) const;
  bool store_context(std::int64_t offset, std::uint32_t size, std::uint64_t value);

  /// The map that an address refers to.
  EbpfMap* map_of(std::uint64_t address) const;
  std::uint64_t value_address(std::uint64_t map, std::size_t slot) const;

  /// Functions called one in another; the stack of each has stack_bytes.
  std::size_t depth() const { return depth_; }
  bool enter();
  void leave();
  /// r10 of the function that runs.
  std::uint64_t frame_end() const { return address::stack + (depth_ + 1) * ebpf::stack_bytes; }

  std::span<const std::uint8_t> packet() const { return packet_; }
  std::size_t linear() const { return linear_; }
  void make_linear(std::size_t bytes) { linear_ = bytes; }
  std::uint32_t length() const { return length_; }

 private:
  Place stack_at(std::uint64_t offset, std::uint32_t size, ebpf::Access access);
  void describe_packet(const Packet& packet, const EbpfSetting& setting);
  void describe_kernel(const Packet& packet, const EbpfSetting& setting);

  ebpf::Hook hook_;
  std::span<EbpfMap> maps_;
  std::vector<std::uint8_t> packet_;
  std::size_t linear_ = 0;
  std::uint32_t length_ = 0;
  std::array<std::uint64_t, ebpf::context_fields> context_{};
  std::array<std::uint64_t, ebpf::raw_arguments> arguments_{};
  std::vector<std::uint8_t> kernel_;  ///< the sk_buff, its device, its head
  std::array<std::uint8_t, 8> nothing_{};  ///< what is read where there is nothing
  std::array<std::uint8_t, ebpf::stack_bytes * ebpf::call_depth> stack_;  ///< as it comes: only what was written can be read
  std::bitset<ebpf::stack_bytes * ebpf::call_depth> written_;
  std::size_t depth_ = 0;
};

/// Where a field of the kernel lies in the structures that kernel memory has here.
std::uint32_t offset_of(ebpf::KernelField field);

}  // namespace weir::vm
