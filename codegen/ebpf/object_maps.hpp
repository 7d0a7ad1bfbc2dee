#pragma once
#include <cstdint>
#include <vector>

#include "ebpf/program.hpp"

namespace weir::ebpf {

/// The maps that an object's types (the bytes of .BTF) describe in `.maps`, empty; those of kinds that programs here cannot have
/// are left out.
std::vector<Map> maps_of(const std::vector<std::uint8_t>& types);

}  // namespace weir::ebpf
