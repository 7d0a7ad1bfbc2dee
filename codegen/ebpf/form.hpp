#pragma once
#include <cstddef>
#include <string>

#include "ebpf/program.hpp"

namespace weir::ebpf {

/// `instruction 3 (r0 = r5) reads r5, which …`, with the words of the instruction.
Diagnostic problem_at(const Program& p, std::size_t index, const std::string& why);

}  // namespace weir::ebpf
