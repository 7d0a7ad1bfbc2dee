#include <doctest/doctest.h>

#include <map>
#include <random>
#include <utility>
#include <vector>

#include "ir/radix_map.hpp"

using weir::ir::RadixMaps;

namespace {

using Plain = std::map<std::uint64_t, std::uint64_t>;

Plain meet(const Plain& a, const Plain& b) {
  Plain both;
  for (const auto& [key, value] : a)
    if (const auto found = b.find(key); found != b.end()) both[key] = std::min(value, found->second);
  return both;
}

}  // namespace

TEST_CASE("radix maps agree with std::map, and old maps stay as they are") {
  std::mt19937 random(1);
  const auto below = [&](std::uint32_t n) { return random() % n; };
  const std::uint64_t keys[] = {0,     1,          2,             3,             7,            8, 0x100,
                                0x101, 0xffffffff, 0x1'0000'0000, 0x1'0000'0001, 0x1'ffff'ffff};
  RadixMaps maps;
  std::vector<std::pair<RadixMaps::Map, Plain>> made = {{RadixMaps::empty, {}}};
  for (int step = 0; step < 3000; ++step) {
    auto [map, plain] = made[below(static_cast<std::uint32_t>(made.size()))];
    if (below(3)) {
      const std::uint64_t key = keys[below(std::size(keys))], value = 1 + below(5);
      map = maps.raised(map, key, value);
      plain[key] = std::max(plain[key], value);
    } else {
      const auto& [other, other_plain] = made[below(static_cast<std::uint32_t>(made.size()))];
      map = maps.meet(map, other);
      plain = meet(plain, other_plain);
    }
    made.emplace_back(map, plain);
  }
  for (const auto& [map, plain] : made)
    for (const std::uint64_t key : keys) REQUIRE(maps.at(map, key) == (plain.contains(key) ? plain.at(key) : 0));
}

TEST_CASE("what does not change a map returns it") {
  RadixMaps maps;
  const auto a = maps.raised(maps.raised(RadixMaps::empty, 5, 9), 6, 2);
  CHECK(maps.raised(a, 5, 3) == a);
  const auto b = maps.raised(a, 70, 1);
  CHECK(maps.meet(a, b) == a);
  CHECK(maps.meet(b, a) == a);
  CHECK(maps.meet(a, RadixMaps::empty) == RadixMaps::empty);
}
