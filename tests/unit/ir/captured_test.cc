// What is known of a graph at a place of it, and of the values and tests it is made of.
#include <doctest/doctest.h>

#include <string>

#include "ir/adjacent.hpp"
#include "ir/captured.hpp"
#include "ir/depths.hpp"

using namespace weir;
using namespace weir::ir;

TEST_CASE("captured bytes are those that both ways to a place have asked for") {
  Captured one, other;
  one.learn(no_value, 20);
  one.learn(no_value, 14);
  one.learn(ValueId{3}, 4);
  CHECK_EQ(one.end(no_value), 20);
  CHECK(one.has(ValueId{3}, 4));
  CHECK_FALSE(one.has(ValueId{3}, 5));
  other.learn(no_value, 34);
  one.meet(other);
  CHECK_EQ(one.end(no_value), 20);
  CHECK_EQ(one.end(ValueId{3}), 0);
}

TEST_CASE("of many bases some are forgotten, but never the packet's beginning") {
  Captured all;
  all.learn(no_value, 14);
  for (std::uint32_t base = 1; base < 20; ++base) all.learn(ValueId{base}, base);
  CHECK_EQ(all.end(no_value), 14);
  CHECK_EQ(all.end(ValueId{19}), 19);
  CHECK_EQ(all.end(ValueId{1}), 0);
}

TEST_CASE("values inside values, those of a choice's graph among them") {
  const auto p = read("v0 = load 1 [0]\nv1 = v0 & 15\nv2 = v1 << 2\nn0: return v2\nn1: return 7\nn2: if v0 == 5 then n0 else n1\n"
                      "v3 = choice n2\nv4 = v3 + 1\nn3: return v4\nn4: guard 1 [0] then n3\nroot n4\n");
  REQUIRE_MESSAGE(p.has_value(), p.error().message);
  const auto all = depths(*p);
  const Value& sum = (*p)[(*p)[(*p)[p->root].t].a];
  CHECK_EQ(all[static_cast<std::size_t>(sum.a)], 4);
  CHECK_EQ(all[static_cast<std::size_t>((*p)[(*p)[p->root].t].a)], 5);
}

TEST_CASE("a chain of adjacent bytes is asked for in wide pieces") {
  const auto p = read(
      "n0: return 1\nn1: return 0\nv0 = load 4 [6]\nv1 = load 2 [10]\nv2 = load 2 [12]\nv3 = load 1 [20]\nn2: if v3 == 6 then n0 "
      "else n1\n"
      "n3: if v2 == 0x0102 then n2 else n1\nn4: if v1 == 0x0304 then n3 else n1\nn5: if v0 == 0x05060708 then n4 else n1\nn6: "
      "guard 15 [6] then n5\nroot n6\n");
  REQUIRE_MESSAGE(p.has_value(), p.error().message);
  const auto same = [](NodeId id) { return id; };
  const NodeId first = (*p)[p->root].t;
  const auto all = adjacent_from(*p, first, same, [](NodeId) { return true; });
  REQUIRE(all);
  CHECK_EQ(all->links.size(), 3);
  REQUIRE_EQ(all->pieces.size(), 1);
  CHECK_EQ(all->pieces[0].at, 6);
  CHECK_EQ(all->pieces[0].size, 8);
  CHECK_EQ(all->pieces[0].value, 0x0506070803040102);
  CHECK_FALSE(adjacent_from(*p, first, same, [](NodeId) { return false; }));
}
