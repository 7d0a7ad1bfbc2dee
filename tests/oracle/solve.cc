#include "solve.hpp"

namespace weir::oracle {
namespace {

/// The inverse of an odd number modulo 2^32 (Newton; each step doubles the correct bits).
std::uint32_t inverse(std::uint32_t odd) {
  std::uint32_t x = odd;
  for (int i = 0; i < 4; ++i) x *= 2 - odd * x;
  return x;
}

std::optional<std::uint32_t> solve_product(std::uint32_t right, std::uint32_t wanted) {
  if (right == 0) return std::nullopt;
  const int zeros = __builtin_ctz(right);
  if ((wanted & ((1u << zeros) - 1)) != 0) return std::nullopt;
  return (wanted >> zeros) * inverse(right >> zeros);
}

std::optional<std::uint32_t> solve_remainder(std::uint32_t left, std::uint32_t right, std::uint32_t wanted) {
  if (right == 0 || wanted >= right) return std::nullopt;
  return left - left % right + wanted;
}

std::optional<std::uint32_t> solve_shift(bool to_left, std::uint32_t left, std::uint32_t by, std::uint32_t wanted) {
  if (by >= 32) return std::nullopt;
  const std::uint32_t lost = by == 0 ? 0 : to_left ? ~(0xffffffffu >> by) : (1u << by) - 1;
  return to_left ? wanted >> by | (left & lost) : wanted << by | (left & lost);
}

std::optional<std::uint32_t> candidate(Arith op, std::uint32_t left, std::uint32_t right, std::uint32_t wanted,
                                       Random& random) {
  switch (op) {
    case Arith::Add: return wanted - right;
    case Arith::Sub: return wanted + right;
    case Arith::Xor: return wanted ^ right;
    case Arith::And: return (left & ~right) | wanted;
    case Arith::Or: return wanted & (random.percent(50) ? ~right : ~0u);
    case Arith::Mul: return solve_product(right, wanted);
    case Arith::Div: return right == 0 ? std::nullopt : std::optional(wanted * right + random.below(right));
    case Arith::Mod: return solve_remainder(left, right, wanted);
    case Arith::Lsh: return solve_shift(true, left, right, wanted);
    case Arith::Rsh: return solve_shift(false, left, right, wanted);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> solve_left(Arith op, std::uint32_t left, std::uint32_t right, std::uint32_t wanted,
                                        Random& random) {
  const auto found = candidate(op, left, right, wanted, random);
  return found && apply(op, *found, right) == wanted ? found : std::nullopt;
}

std::optional<std::uint32_t> solve_right(Arith op, std::uint32_t left, std::uint32_t right, std::uint32_t wanted,
                                         Random& random) {
  std::optional<std::uint32_t> found;
  switch (op) {
    case Arith::Add:
    case Arith::Xor:
    case Arith::And:
    case Arith::Or:
    case Arith::Mul: found = candidate(op, right, left, wanted, random); break;
    case Arith::Sub: found = left - wanted; break;
    case Arith::Div: found = wanted != 0 ? left / wanted : left + 1; break;
    case Arith::Mod: found = left - wanted; break;
    case Arith::Lsh:
    case Arith::Rsh:
      for (std::uint32_t by = 0; by <= 32 && !found; ++by)
        if (apply(op, left, by) == wanted) found = by;
      break;
  }
  return found && apply(op, left, *found) == wanted ? found : std::nullopt;
}

}  // namespace weir::oracle
