#include <doctest/doctest.h>

#include <map>
#include <random>
#include <vector>

#include "base/intern.hpp"

using weir::InternIndex;

TEST_CASE("intern: equal items get one position, however many there are and whatever was expected") {
  const auto hash = [](std::uint32_t x) { return weir::mix(1, x % 7, 0); };  // many with the same
  for (const std::size_t expected : {0u, 5u, 12u, 300u}) {
    std::mt19937 random(static_cast<std::uint32_t>(expected));
    InternIndex index;
    std::vector<std::uint32_t> pool;
    std::map<std::uint32_t, std::uint32_t> known;
    index.expect(expected);
    for (int n = 0; n < 500; ++n) {
      const auto item = static_cast<std::uint32_t>(random() % (n < 20 ? 6 : 200));
      const std::uint32_t at = index.intern(pool, item, hash);
      REQUIRE(pool[at] == item);
      REQUIRE(known.try_emplace(item, at).first->second == at);
      REQUIRE(pool.size() == known.size());
      if (n == 100) index.expect(2 * expected);
    }
  }
}

TEST_CASE("intern: an index that begins anew finds what is in the pool") {
  const auto hash = [](std::uint32_t x) { return weir::mix(2, x, 0); };
  for (const std::uint32_t count : {1u, 31u, 32u, 33u, 40u, 70u})
    for (const std::size_t expected : {0u, 20u, 100u}) {
      std::vector<std::uint32_t> pool;
      for (std::uint32_t k = 0; k < count; ++k) pool.push_back(3 * k);
      InternIndex index;
      index.expect(expected);
      for (const std::uint32_t added : {0u, 1u, 2u}) CHECK(index.intern(pool, 3 * added + 1, hash) == count + added);
      for (std::uint32_t k = 0; k < count; ++k) CHECK(index.intern(pool, 3 * k, hash) == k);
      const InternIndex copy = index;
      std::vector<std::uint32_t> other = pool;
      for (std::uint32_t k = 0; k < 100; ++k) CHECK(InternIndex(copy).intern(other, 4u, hash) == count + 1);
    }
}
