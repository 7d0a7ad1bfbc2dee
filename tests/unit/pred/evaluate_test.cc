#include <doctest/doctest.h>

#include <vector>

#include "pred/filter.hpp"

using namespace weir;
using namespace weir::pred;

namespace {

constexpr std::uint32_t accept = 100;

std::uint32_t run(Filter& f, ExprId root, const std::vector<std::uint8_t>& bytes, std::uint32_t length = 60) {
  f.root = root;
  f.accept = accept;
  return evaluate(f, {bytes, length, {}});
}

ExprId byte_is(Filter& f, std::uint32_t offset, std::uint32_t k) {
  return f.compare(Relation::Equal, f.load(1, no_value, offset), f.constant(k), {});
}

}  // namespace

TEST_CASE("a load past the captured bytes rejects, under not too") {
  Filter f;
  CHECK(run(f, byte_is(f, 2, 7), {1, 2, 7}) == accept);
  CHECK(run(f, byte_is(f, 3, 7), {1, 2, 7}) == 0);
  CHECK(run(f, f.negation(byte_is(f, 3, 7), {}), {1, 2, 7}) == 0);
}

TEST_CASE("evaluation stops when the verdict is known") {
  Filter f;
  const ExprId beyond = byte_is(f, 9, 0);
  CHECK(run(f, f.any({byte_is(f, 0, 1), beyond}, {}), {1}) == accept);
  CHECK(run(f, f.any({byte_is(f, 0, 2), beyond}, {}), {1}) == 0);
  CHECK(run(f, f.negation(f.all({byte_is(f, 0, 2), beyond}, {}), {}), {1}) == accept);
}

TEST_CASE("arithmetic wraps, shifts of 32 and more give 0, division by zero rejects") {
  struct Row { Arith op; std::uint32_t a, b; std::optional<std::uint32_t> result; };
  const Row rows[] = {
      {Arith::Add, 0xffffffff, 2, 1}, {Arith::Sub, 0, 1, 0xffffffff}, {Arith::Mul, 0x80000000, 2, 0},
      {Arith::Lsh, 1, 31, 0x80000000}, {Arith::Lsh, 1, 32, 0}, {Arith::Rsh, 0xffffffff, 40, 0},
      {Arith::Div, 7, 2, 3}, {Arith::Div, 7, 0, std::nullopt}, {Arith::Mod, 7, 4, 3}, {Arith::Mod, 7, 0, std::nullopt},
  };
  for (const Row& r : rows) {
    Filter f;
    const ValueId v = f.binary(r.op, f.constant(r.a), f.constant(r.b));
    const ExprId same = f.compare(Relation::Equal, v, f.constant(r.result.value_or(0)), {});
    CAPTURE(symbol(r.op));
    CHECK(run(f, same, {}) == (r.result ? accept : 0));
    CHECK(run(f, f.negation(same, {}), {}) == 0);
  }
}

TEST_CASE("offsets are summed without wrap") {
  Filter f;
  const ValueId wraps = f.load(1, f.constant(0xffffffff), 1);  // 0 if it did
  CHECK(run(f, f.compare(Relation::GreaterEqual, wraps, f.constant(0), {}), {1, 2, 3}) == 0);
}

TEST_CASE("a mark counts as passed from when it was reached") {
  Filter f;
  f.mark_count = 1;
  const ExprId asked = f.passed(0, {});
  CHECK(run(f, asked, {}) == 0);
  CHECK(run(f, f.all({f.mark(0, {}), asked}, {}), {}) == accept);
  CHECK(run(f, f.all({f.negation(f.all({byte_is(f, 0, 9), f.mark(0, {})}, {}), {}), f.negation(asked, {})}, {}), {1}) == accept);
}

TEST_CASE("a choice evaluates only what it chooses") {
  Filter f;
  const ValueId v = f.choice(byte_is(f, 0, 1), f.load(1, no_value, 1), f.load(1, no_value, 9));
  const ExprId is_2 = f.compare(Relation::Equal, v, f.constant(2), {});
  CHECK(run(f, is_2, {1, 2}) == accept);
  CHECK(run(f, is_2, {0, 2}) == 0);
}

TEST_CASE("constants fold away where expressions are joined") {
  Filter f;
  const ExprId test = byte_is(f, 0, 1);
  CHECK(f.all({f.truth(true), test}, {}) == test);
  CHECK(f.any({f.truth(false), test}, {}) == test);
  CHECK(f[f.all({test, f.truth(false)}, {})].kind == ExprKind::False);
  CHECK(f[f.any({}, {})].kind == ExprKind::False);
  CHECK(f[f.negation(f.truth(false), {})].kind == ExprKind::True);
}

TEST_CASE("a chain of alternating operators may be as long as memory holds") {
  Filter f;
  ExprId chain = byte_is(f, 0, 1);
  for (int i = 0; i < 200'000; ++i) chain = i % 2 ? f.all({chain, byte_is(f, 0, 1)}, {}) : f.any({chain, byte_is(f, 0, 2)}, {});
  CHECK(run(f, chain, {1}) == accept);
  CHECK(to_string(f).size() > 200'000);
}
