#include "cbpf/products.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace weir;
using namespace weir::cbpf;

namespace {

Set set_of(std::initializer_list<std::uint32_t> numbers) {
  std::vector<Interval> parts;
  for (const std::uint32_t n : numbers) parts.push_back({n, n});
  return Set::join(std::move(parts));
}

}  // namespace

TEST_CASE("the product says of every byte whether it is in the set") {
  int found = 0;
  for (std::uint32_t a = 1; a < 250; a += 7) {
    const Set set = set_of({0, a, (a + 93) % 255 + 1, 255});
    const auto product = product_of(set);
    found += product.has_value();
    for (std::uint32_t n = 0; product && n < 256; ++n) CHECK(set.contains(n) == !((n * product->factor) & product->bits));
  }
  CHECK(found > 10);
}

TEST_CASE("the extension headers of IPv6, with AH and without, have a product") {
  CHECK(product_of(set_of({0, 43, 44, 51, 60})));
  CHECK(product_of(set_of({0, 43, 44, 60})));
}

TEST_CASE("no product where comparisons are as short, 0 is not among the numbers, or they are no bytes") {
  CHECK(!product_of(set_of({0, 43, 60})));
  CHECK(!product_of(set_of({1, 43, 44, 60})));
  CHECK(!product_of(set_of({0, 43, 60, 256})));
  CHECK(!product_of(Set(Interval{0, 4})));
  CHECK(!product_of(Set{}));
}
