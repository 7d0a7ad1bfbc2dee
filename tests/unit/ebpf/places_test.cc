#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "ebpf/places.hpp"

using namespace weir::ebpf;

namespace {

void finds_members_only(const std::set<std::uint32_t>& members) {
  const std::vector<std::uint32_t> list(members.begin(), members.end());
  const auto table = places_of(list);
  REQUIRE(table);
  CHECK(table->numbers.size() <= std::max<std::size_t>(8, 16 * list.size()));
  std::mt19937 random(1);
  std::size_t wrong = 0;
  for (const std::uint32_t m : list)
    for (const std::uint32_t n : {m, m - 1, m + 1, m ^ 0x80000000, static_cast<std::uint32_t>(random())})
      wrong += table->has(n) != members.contains(n);
  CHECK(wrong == 0);
  for (const std::uint32_t edge : {0u, 1u, 2u, 0x7fffffffu, 0xffffffffu}) CHECK(table->has(edge) == members.contains(edge));
}

}  // namespace

TEST_CASE("a table has the members, and no number beside them") {
  finds_members_only({0});
  finds_members_only({0xffffffff});
  finds_members_only({0, 1, 0xffffffff});
  std::mt19937 random(7);
  for (const std::size_t count : {2u, 5u, 100u, 256u, 3000u, 20'000u}) {
    CAPTURE(count);
    std::set<std::uint32_t> scattered, neighbours, far;
    while (scattered.size() < count) scattered.insert(static_cast<std::uint32_t>(random()));
    for (std::uint32_t i = 0; i < count; ++i) neighbours.insert(0x0a000000 + i), far.insert(i << 15 | 10);
    finds_members_only(scattered);
    finds_members_only(neighbours);
    finds_members_only(far);
  }
}

TEST_CASE("what has too many members for a table is told") {
  CHECK_FALSE(places_of(std::vector<std::uint32_t>(1u << 24)));
}
