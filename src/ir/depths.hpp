#pragma once
#include <cstdint>
#include <vector>

#include "ir/program.hpp"

namespace weir::ir {

/// By value: how many values it consists of, one inside the other, itself among them; those in the graph of a choice count. What
/// recurses into values goes so deep.
std::vector<std::uint32_t> depths(const Program& p);

}  // namespace weir::ir
