#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "cbpf/emit.hpp"

namespace cbpf = weir::cbpf;
namespace ir = weir::ir;

namespace {

struct Lengths {
  std::size_t least = 0, length = 0;
};

Lengths lengths(const char* text) {
  const auto graph = ir::read(text);
  REQUIRE(graph);
  const auto program = cbpf::emit(*graph);
  REQUIRE(program);
  return {cbpf::least_length(*graph), program->instructions.size()};
}

}  // namespace

TEST_CASE("least length: a jump a test, an instruction a value, one a verdict") {
  const Lengths port = lengths(R"(
    n0: return 262144
    n1: return 0
    v2 = load 2 [12]
    v3 = load 1 [20]
    v4 = load 2 [54]
    v5 = load 2 [56]
    n2: if v5 == 0x50 then n0 else n1
    n3: if v4 == 0x50 then n0 else n2
    n4: if v3 == 0x6 then n3 else n1
    n5: if v2 == 0x86dd then n4 else n1
    root n5
  )");
  CHECK(port.least == 10);
  CHECK(port.length == port.least);
}

TEST_CASE("least length: places that loads count from are worked out, too, and once") {
  const Lengths header = lengths(R"(
    n0: return 1
    n1: return 0
    v2 = load 1 [14]
    v3 = v2 & 0xf
    v4 = v3 << 2
    v5 = load 2 [v4 + 14]
    v6 = load 2 [v4 + 16]
    n2: if v6 == 0x50 then n0 else n1
    n3: if v5 == 0x35 then n0 else n2
    root n3
  )");
  CHECK(header.least == 7);
  CHECK(header.length == header.least);
}

TEST_CASE("least length: a value that is asked about at two places is loaded twice, behind another test of it once") {
  const Lengths twice = lengths(R"(
    n0: return 1
    n1: return 0
    v2 = load 2 [12]
    v3 = load 1 [23]
    n2: if v2 == 0x50 then n0 else n1
    n3: if v3 == 0x1 then n2 else n1
    n4: if v2 == 0x60 then n0 else n3
    n5: if v2 == 0x70 then n1 else n4
    root n5
  )");
  CHECK(twice.least == 9);
  CHECK(twice.length == twice.least);
}

TEST_CASE("least length: tests that ask the same of other values share code only where the value is there already") {
  constexpr const char* apart = R"(
    n0: return 1
    n1: return 0
    v2 = load 2 [12]
    v3 = load 2 [14]
    v4 = load 1 [0]
    n2: if v2 == 0x50 then n0 else n1
    n3: if v3 == 0x50 then n0 else n1
    n4: if v4 == 0x1 then n2 else n3
    root n4
  )";
  CHECK(lengths(apart).least == 8);
  CHECK(lengths(apart).length == 8);
  const Lengths shared = lengths(R"(
    n0: return 1
    n1: return 0
    v2 = load 2 [12]
    v3 = load 2 [14]
    v4 = load 1 [0]
    n2: if v2 == 0x50 then n0 else n1
    n3: if v3 == 0x50 then n0 else n1
    n4: if v2 == 0x60 then n0 else n2
    n5: if v3 == 0x60 then n0 else n3
    n6: if v4 == 0x1 then n4 else n5
    root n6
  )");
  CHECK(shared.least == 0);
  CHECK(shared.length == 9);
}

TEST_CASE("least length: a load beyond all packets says nothing, for what follows it is not there") {
  const Lengths beyond = lengths("n0: return 1\nn1: return 0\nv1 = load 4 [0x7fffffff]\nn2: if v1 == 7 then n0 else n1\nroot n2\n");
  CHECK(beyond.least == 0);
  CHECK(beyond.length == 1);
}

TEST_CASE("least length: as many jumps as a set has bounds and numbers, and once the last of those that lead to the same places") {
  const Lengths ports = lengths(R"(
    n0: return 1
    n1: return 0
    v2 = load 2 [12]
    v3 = load 2 [14]
    v4 = load 2 [16]
    n2: if v2 in {5060-5090} then n0 else n1
    n3: if v3 in {7, 9, 17} then n2 else n1
    n4: if v4 in {5060-5090} then n0 else n3
    root n4
  )");
  CHECK(ports.least == 12);
  CHECK(ports.length == ports.least);
  const Lengths shared = lengths(R"(
    n0: return 1
    n1: return 0
    v2 = load 2 [12]
    v3 = load 2 [14]
    v4 = load 2 [16]
    n2: if v2 >= 5060 then n0 else n1
    n3: if v3 in {5060-5090} then n0 else n1
    n4: if v4 == 7 then n2 else n3
    root n4
  )");
  CHECK(shared.least == 8);
  CHECK(shared.length == 9);  // not found, but there is a program of 8
}

TEST_CASE("least length: bits of a value take an instruction more, but where they, or the value, may be there already") {
  const Lengths masked = lengths(R"(
    n0: return 1
    n1: return 0
    v2 = load 2 [14]
    v4 = v2 & 0xfff
    v5 = load 2 [12]
    n2: if v4 == 0x64 then n0 else n1
    n3: if v5 == 0x8100 then n2 else n1
    root n3
  )");
  CHECK(masked.least == 7);
  CHECK(masked.length == masked.least);
  const Lengths behind = lengths(R"(
    n0: return 1
    n1: return 0
    v2 = load 2 [14]
    v4 = v2 & 0xfff
    n2: if v4 == 0x64 then n0 else n1
    n3: if v2 > 0x1fff then n0 else n2
    root n3
  )");
  CHECK(behind.least == 6);
  CHECK(behind.length == behind.least);
}

TEST_CASE("least length: other memberships, guards, choices and other verdicts than numbers say nothing") {
  for (const char* text : {
           "n0: return 1\nn1: return 0\nv1 = load 1 [0]\nn2: if v1 in {1, 3, 5, 7, 9, 11} then n0 else n1\nroot n2\n",
           "n0: return 1\nn1: return 0\nv1 = load 1 [0]\nn2: if v1 in {0-256} then n0 else n1\nroot n2\n",
           "n0: return 1\nn1: guard 2 [12] then n0\nroot n1\n",
           "v1 = load 1 [0]\nn0: return v1\nroot n0\n",
           "n0: return 1\nn1: return 0\nv1 = load 1 [0]\nv2 = load 1 [1]\nn2: if v1 == v2 then n0 else n1\nroot n2\n",
       })
    CHECK(lengths(text).least == 0);
}

TEST_CASE("least length: no program of random graphs of tests and memberships is shorter") {
  std::size_t counted = 0;
  for (std::uint32_t seed = 0; seed < 6000; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
    ir::Program p;
    std::vector<ir::ValueId> values{p.length(), p.meta(weir::Meta::VlanTag), p.load(1, ir::no_value, 14)};
    const auto some = [&](const auto& from) { return from[below(static_cast<std::uint32_t>(from.size()))]; };
    for (std::uint32_t i = 0; i < 6; ++i)
      values.push_back(below(2) ? p.load(1u << below(3), below(2) ? ir::no_value : some(values), below(4))
                                : p.binary(static_cast<weir::Arith>(below(10)), some(values), p.constant(1 + below(4))));
    std::vector<ir::NodeId> nodes{p.ret(0u), p.ret(1)};
    const auto some_set = [&] {
      const std::uint32_t low = 1 + below(3);
      if (below(4) == 0) return weir::Set::join({{low, low}, {low + 2, low + 3}, {low + 5, low + 5 + below(2)}, {low + 8, low + 8}});
      return below(2) ? weir::Set::join({{low, low + 1 + below(3)}}) : weir::Set::join({{low, low}, {low + 2, low + 2}});
    };
    for (std::uint32_t i = 2 + below(8); i-- > 0;)
      nodes.push_back(
          below(3) ? p.test(static_cast<weir::Relation>(below(4)), some(values), p.constant(below(3)), nodes.back(), some(nodes))
                   : p.member(some(values), some_set(), nodes.back(), some(nodes)));
    p.root = nodes.back();
    const auto program = cbpf::emit(p);
    REQUIRE(program);
    const std::size_t least = cbpf::least_length(p);
    counted += least != 0;
    REQUIRE(least <= program->instructions.size());
  }
  CHECK(counted > 300);
}
