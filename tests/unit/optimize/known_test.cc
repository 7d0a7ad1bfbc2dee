#include "optimize/known.hpp"

#include <doctest/doctest.h>

#include <cstdint>

using namespace weir;
using namespace weir::optimize;

TEST_CASE("known: what a value is not, of a long list, is not a set of its own for each member") {
  Numbers numbers;
  Known known;
  const auto is = [](std::uint32_t k) { return Question{.value = ir::ValueId{1}, .holds = Set::of(k)}; };
  for (std::uint32_t k = 0; k < 1000; ++k) known.learn(numbers, is(3 * k), false);
  CHECK(numbers.add(Set::of(1)) < 100);  // so many came before it
  CHECK(known.decides(numbers, is(3)) == false);
  known.learn(numbers, is(4), true);
  CHECK(known.decides(numbers, is(4)) == true);
  CHECK(known.decides(numbers, is(5)) == false);
}
