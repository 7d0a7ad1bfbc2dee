// Programs of others.
#pragma once
#include <string_view>

#include "base/result.hpp"
#include "ebpf/program.hpp"

namespace weir::ebpf {

/// Instructions as the kernel has them in memory (struct bpf_insn, little endian), one behind the other.
Result<Program> read_bytes(std::string_view bytes);

/// A program of an ELF object as clang, bpftool and to_object make them, with the functions that it calls and with maps: those of
/// `.maps`, and data sections as arrays of one value. The hook is that of its section's name. `name` is that of its function; it
/// may be empty when there is one program only. Errors (Input): no such object; it asks for what has no place here, as other
/// kinds of maps; Unsupported: relocations for fields of the kernel (CO-RE), other sections.
Result<Program> read_object(std::string_view file, std::string_view name = {});

/// One of the forms: an ELF object, text as bpftool prints it (read_text), bytes, or bytes as hexadecimal digits.
Result<Program> read(std::string_view file, std::string_view name = {});

}  // namespace weir::ebpf
