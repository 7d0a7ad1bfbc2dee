#include <doctest/doctest.h>

#include <random>

#include "base/bounds.hpp"

using namespace weir;

TEST_CASE("bounds: hold whatever the operands are") {
  constexpr Arith operators[] = {Arith::Add, Arith::Sub, Arith::Mul, Arith::Div, Arith::Mod,
                                 Arith::And, Arith::Or,  Arith::Xor, Arith::Lsh, Arith::Rsh};
  std::mt19937 random(7);
  const auto number = [&] { return static_cast<std::uint32_t>(random()) >> random() % 32; };  // small ones as often as large
  const auto interval = [&] {
    const std::uint32_t a = number(), b = random() % 3 ? number() : a;
    return Interval{std::min(a, b), std::max(a, b)};
  };
  const auto inside = [&](Interval i) {
    const std::uint32_t span = i.high - i.low;
    switch (random() % 3) {
      case 0: return i.low;
      case 1: return i.high;
      default: return span == 0xffffffff ? number() : i.low + static_cast<std::uint32_t>(random()) % (span + 1);
    }
  };
  for (int round = 0; round < 200'000; ++round) {
    const Arith op = operators[random() % std::size(operators)];
    const Interval a = interval(), b = interval();
    const std::uint32_t x = inside(a), y = inside(b);
    const auto result = apply(op, x, y);
    if (!result) continue;
    const Interval all = bounds(op, a, b);
    CAPTURE(symbol(op));
    CAPTURE(x);
    CAPTURE(y);
    REQUIRE(all.low <= *result);
    REQUIRE(*result <= all.high);
  }
}
