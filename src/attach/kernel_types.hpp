// Where the fields of the running kernel's structures are, as its BTF says.
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "attach/packet_pointers.hpp"
#include "base/result.hpp"
#include "ebpf/program.hpp"

namespace weir::attach {

/// Puts the offsets of fields, and the numbers of functions, into the instructions that use them. Errors: System (the kernel has
/// no BTF, or no such field), Unsupported (no such function).
Result<void> place_fields(ebpf::Program& program, std::span<const FunctionUse> functions = {});

/// The id of a tracepoint's type, for programs of kind tp_btf. Errors: System, Name (there is no such tracepoint).
Result<std::uint32_t> tracepoint_type(const std::string& tracepoint);

}  // namespace weir::attach
