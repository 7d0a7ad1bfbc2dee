#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "lower/lower.hpp"

using namespace weir;
using pred::ExprId;
using pred::Filter;
using pred::ValueId;

namespace {

/// Random filters over short packets: every kind of value and expression, marks included.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  Filter filter() {
    filter_ = {};
    filter_.accept = 77;
    filter_.root = expr(4);
    return std::move(filter_);
  }

  std::vector<std::uint8_t> packet() {
    std::vector<std::uint8_t> bytes(below(12));
    for (auto& b : bytes) b = static_cast<std::uint8_t>(below(4));
    return bytes;
  }

 private:
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

  ExprId expr(unsigned depth) {
    switch (depth ? below(8) : below(2)) {
      case 0:
      case 1: return filter_.compare(static_cast<Relation>(below(4)), value(depth), value(depth ? depth - 1 : 0), {});
      case 2: return filter_.negation(expr(depth - 1), {});
      case 3: {  // first from left to right, then the mark: numbers follow the order of evaluation
        const ExprId before = expr(depth - 1);
        const ExprId mark = filter_.mark(filter_.mark_count++, {});
        return filter_.all({before, mark}, {});
      }
      case 4: return filter_.mark_count ? filter_.passed(below(filter_.mark_count), {}) : filter_.truth(below(2));
      case 5:
      case 6: {
        const ExprId a = expr(depth - 1), b = expr(depth - 1), c = expr(depth - 1);
        return filter_.any({a, b, c}, {});
      }
      default: {
        const ExprId a = expr(depth - 1), b = expr(depth - 1);
        return filter_.all({a, b}, {});
      }
    }
  }

  ValueId value(unsigned depth) {
    switch (depth ? below(7) : below(3)) {
      case 0: return filter_.constant(below(5));
      case 1: return filter_.load(1, pred::no_value, below(10));
      case 2: return filter_.length();
      case 3: return filter_.load(1u << below(3), value(depth - 1), below(4));
      case 4: return filter_.negate(value(depth - 1));
      case 5: return filter_.binary(static_cast<Arith>(below(10)), value(depth - 1), value(depth - 1));
      default: {
        const ValueId test_value = value(depth - 1);
        const ExprId test = filter_.mark_count && below(2)
                                ? filter_.passed(below(filter_.mark_count), {})
                                : filter_.compare(Relation::Greater, test_value, filter_.constant(1), {});
        return filter_.choice(test, value(depth - 1), value(depth - 1));
      }
    }
  }

  std::mt19937 random_;
  Filter filter_;
};

}  // namespace

TEST_CASE("graphs give the verdict of the filter for every packet, and verify") {
  Generator generate(20260801);
  int accepted = 0;
  for (int i = 0; i < 3000; ++i) {
    const Filter f = generate.filter();
    const auto graph = lower::lower(f);
    REQUIRE(graph);
    CAPTURE(pred::to_string(f));
    REQUIRE_MESSAGE(!ir::verify(*graph), *ir::verify(*graph));
    for (int n = 0; n < 20; ++n) {
      const auto bytes = generate.packet();
      const Packet packet{bytes, 14, {}};
      REQUIRE(ir::evaluate(*graph, packet) == pred::evaluate(f, packet));
      accepted += pred::evaluate(f, packet) != 0;
    }
  }
  CHECK(accepted > 5000);
}

TEST_CASE("the graph is as the filter says, with guards above its tests") {
  Filter f;
  f.accept = 1;
  const ExprId a = f.compare(Relation::Equal, f.load(1, pred::no_value, 0), f.constant(1), {});
  const ExprId b = f.compare(Relation::Equal, f.load(1, pred::no_value, 0), f.constant(1), {});
  f.root = f.any({a, b}, {});
  const auto graph = lower::lower(f);
  REQUIRE(graph);
  // Guard and test are the same for both; only what they lead to differs.
  CHECK(ir::to_string(*graph) ==
        "n0: return 1\nn1: return 0\nv2 = load 1 [0]\nn2: if v2 == 1 then n0 else n1\nn3: guard 1 [0] then n2\n"
        "n4: if v2 == 1 then n0 else n3\nn5: guard 1 [0] then n4\nroot n5\n");
}

TEST_CASE("tunnels that multiply the graph end in an error, not in all memory") {
  Filter f;
  f.accept = 1;
  std::vector<ExprId> parts;
  for (std::uint32_t i = 0; i < 40; ++i) {
    const auto byte = [&](std::uint32_t at) { return f.compare(Relation::Equal, f.load(1, pred::no_value, at), f.constant(1), {}); };
    parts.push_back(f.all({byte(i), f.mark(f.mark_count++, {}), byte(i + 50)}, {}));
  }
  f.root = f.any(std::move(parts), {});
  const auto graph = lower::lower(f);
  REQUIRE(!graph);
  CHECK(graph.error().code == Code::TooLarge);
}

TEST_CASE("a chain of alternating operators needs no stack") {
  Filter f;
  f.accept = 1;
  f.mark_count = 1;
  const auto byte = [&](std::uint32_t k) { return f.compare(Relation::Equal, f.load(1, pred::no_value, 0), f.constant(k), {}); };
  ExprId chain = f.all({byte(1), f.mark(0, {})}, {});
  for (std::uint32_t i = 0; i < 200'000; ++i) chain = i % 2 ? f.all({chain, byte(i % 250)}, {}) : f.any({chain, byte(i % 250)}, {});
  f.root = chain;
  CHECK(lower::lower(f));
}
