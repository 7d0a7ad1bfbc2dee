// Loads, or parts of them, that are compared with constants, whatever the CPU: then their bytes need not be put in order.
#pragma once
#include <cstdint>
#include <optional>

#include "ir/program.hpp"

namespace weir::native {

/// What a value has of a load: all, or what a constant mask leaves.
struct Masked {
  ir::ValueId load;
  std::uint32_t mask;  ///< no bits beyond the load
};
std::optional<Masked> masked_load(const ir::Program& p, ir::ValueId v);

/// A test as `(load & mask) == wanted`, or as the opposite of that.
struct MaskedTest {
  ir::ValueId load;
  std::uint32_t size;          ///< of the load, in bytes
  std::uint32_t mask, wanted;  ///< of its value; never bits of `wanted` beside those of `mask`
  bool opposite;
};
std::optional<MaskedTest> masked_test(const ir::Program& p, const ir::Node& test);

}  // namespace weir::native
