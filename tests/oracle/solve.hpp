// Which operand gives a wanted result: the operators of classic BPF, inverted.
#pragma once
#include <cstdint>
#include <optional>

#include "base/arith.hpp"
#include "random.hpp"

namespace weir::oracle {

/// A left operand with `left OP right == wanted`, as near to the present one as is easy.
std::optional<std::uint32_t> solve_left(Arith op, std::uint32_t left, std::uint32_t right, std::uint32_t wanted,
                                        Random& random);
/// The same for the right operand.
std::optional<std::uint32_t> solve_right(Arith op, std::uint32_t left, std::uint32_t right, std::uint32_t wanted,
                                         Random& random);

}  // namespace weir::oracle
