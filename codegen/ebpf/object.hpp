// A program as a file that loaders of others take: an ELF object with types, as clang makes them of C.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ebpf/program.hpp"

namespace weir::ebpf {

struct ObjectOptions {
  std::string name = "weir";    ///< of the program: letters, digits and _, at most 15 (BPF_OBJ_NAME_LEN)
  std::string_view text = {};   ///< the filter: its words become the program's source lines
  std::string tracepoint = {};  ///< for tracing hooks: which one, part of the section's name; may be empty for Hook::Tracing
};

/// What `bpftool prog load`, `ip link set … xdp obj`, `tc filter … bpf obj` and libbpf load as it is. Sets of maps, which none of
/// these could fill, become sorted tables in .rodata that a function of the object searches: they cannot change. Other maps stay.
/// Errors: Unsupported (it asks a set in a way of which no search can be made), System (no memory for the file). Tested by
/// tests/unit/ebpf/object_test.cc and tests/kernel/object_test.cc.
Result<std::vector<std::uint8_t>> to_object(const Program& program, const ObjectOptions& options);

}  // namespace weir::ebpf
