// Programs of hook socket-btf: where the packet's bytes are.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "ebpf/program.hpp"

namespace weir::attach {

/// A function of the kernel that programs may call by the number that its BTF has for it (a kfunc).
enum class KernelFunction : std::uint8_t {
  CastToKernelContext,  ///< bpf_cast_to_kern_ctx: the sk_buff behind a context
};

/// Whoever loads the program puts the function's number into `imm` of this call.
struct FunctionUse {
  std::size_t instruction = 0;
  KernelFunction function{};
  bool operator==(const FunctionUse&) const = default;
};

/// Puts, in the place of the loads of `data` and `data_end` that such a program begins with, what reads them of the sk_buff. Its
/// fields join those of the program; the functions are returned. Programs of other hooks stay as they are. Error: Unsupported (it
/// reads them otherwise than weir's programs do).
/// Tested by tests/unit/attach/packet_pointers_test.cc, and in the kernel by tests/ebpf.
Result<std::vector<FunctionUse>> open_packet_pointers(ebpf::Program& program);

}  // namespace weir::attach
