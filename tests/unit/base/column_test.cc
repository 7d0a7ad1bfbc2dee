#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "base/column.hpp"

using namespace weir;

namespace {

enum class Id : std::uint32_t {};

/// Around as many as live in the column itself.
constexpr std::size_t sizes[] = {0, 1, 63, 64, 65, 1000};

bool is_filled(const Column<std::uint32_t>& c, std::size_t first, std::size_t end, std::uint32_t with) {
  for (std::size_t i = first; i < end; ++i)
    if (c[i] != with) return false;
  return true;
}

}  // namespace

TEST_CASE("a column has what it was filled with, and what was written") {
  for (const std::size_t n : sizes) {
    Column<std::uint32_t> c(n, 7);
    CHECK(c.size() == n);
    CHECK(is_filled(c, 0, n, 7));
    if (n == 0) continue;
    c[Id{0}] = 8;
    CHECK(c[std::size_t{0}] == 8);
  }
}

TEST_CASE("growing keeps what is there") {
  for (const std::size_t from : sizes)
    for (const std::size_t to : sizes) {
      Column<std::uint32_t> c(from, 1);
      c.grow(to, 2);
      CHECK(c.size() == std::max(from, to));
      CHECK(is_filled(c, 0, from, 1));
      CHECK(is_filled(c, from, c.size(), 2));
    }
}

TEST_CASE("what is moved from is empty, and may be used again") {
  for (const std::size_t n : sizes) {
    Column<std::uint32_t> from(n, 3);
    Column<std::uint32_t> to(std::move(from));
    CHECK(is_filled(to, 0, n, 3));
    CHECK(to.size() == n);
    from.grow(70, 4);
    CHECK(is_filled(from, 0, 70, 4));
    CHECK(is_filled(to, 0, n, 3));
    to = std::move(from);
    CHECK(to.size() == 70);
    CHECK(is_filled(to, 0, 70, 4));
  }
}

TEST_CASE("one that grows an item at a time seldom moves") {
  Column<std::uint32_t> column;
  std::set<const std::uint32_t*> places;
  constexpr std::uint32_t count = 10000;
  for (std::uint32_t i = 0; i < count; ++i) {
    column.grow(i + 1, i);
    places.insert(&column[0]);
  }
  CHECK_LT(places.size(), 12);
  CHECK_EQ(column.size(), count);
  for (std::uint32_t i = 0; i < count; ++i) REQUIRE_EQ(column[i], i);
}
