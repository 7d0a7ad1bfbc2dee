#include <doctest/doctest.h>

#include "ir/program.hpp"

using namespace weir;
using namespace weir::ir;

TEST_CASE("equal values and nodes exist once") {
  Program p;
  const ValueId v = p.load(2, no_value, 12);
  CHECK(p.load(2, no_value, 12) == v);
  CHECK(p.load(4, no_value, 12) != v);
  CHECK(p.load(2, no_value, 13) != v);
  CHECK(p.load(2, v, 12) != v);
  CHECK(p.binary(Arith::Add, v, v) == p.binary(Arith::Add, v, v));
  CHECK(p.binary(Arith::Add, v, v) != p.binary(Arith::Sub, v, v));
  CHECK(p.length() == p.length());
  CHECK(p.meta(Meta::VlanTag) != p.meta(Meta::Protocol));
  CHECK(p.ret(1u) == p.ret(p.constant(1)));
  const NodeId accept = p.ret(1u), reject = p.ret(0u);
  const NodeId n = p.test(Relation::Equal, v, p.constant(5), accept, reject);
  CHECK(p.test(Relation::Equal, v, p.constant(5), accept, reject) == n);
  CHECK(p.test(Relation::Equal, v, p.constant(5), reject, accept) != n);
  CHECK(p.test(Relation::Greater, v, p.constant(5), accept, reject) != n);
  CHECK(p.guard(2, no_value, 12, n) == p.guard(2, no_value, 12, n));
  CHECK(p.choice(n) == p.choice(n));
}

TEST_CASE("a big pool still finds everything") {
  Program p;
  for (std::uint32_t k = 0; k < 50'000; ++k) CHECK_EQ(p.constant(k * 2654435761u), ValueId{k});
  for (std::uint32_t k = 0; k < 50'000; ++k) CHECK_EQ(p.constant(k * 2654435761u), ValueId{k});
  CHECK(p.value_count() == 50'000);
}

TEST_CASE("the first words given are kept") {
  Program p;
  const NodeId end = p.ret(0u);
  const NodeId n = p.guard(2, no_value, 12, end, {3, 5});
  p.guard(2, no_value, 12, end, {7, 9});
  CHECK(p.span(n) == Span{3, 5});
  const ValueId v = p.load(2, no_value, 12);
  p.load(2, no_value, 12, {1, 2});
  CHECK(p.span(v) == Span{1, 2});
}

TEST_CASE("constant_of") {
  Program p;
  CHECK(constant_of(p, p.constant(7)) == 7u);
  CHECK(constant_of(p, p.length()) == std::nullopt);
  CHECK(constant_of(p, no_value) == std::nullopt);
}

TEST_CASE("reachable follows ways out and choices") {
  Program p;
  const NodeId reject = p.ret(0u), accept = p.ret(1u), idle = p.ret(2u);
  const NodeId four = p.ret(4u);
  const NodeId pick = p.test(Relation::Equal, p.length(), p.constant(60), four, reject);
  const ValueId offset = p.binary(Arith::Add, p.choice(pick), p.constant(14));
  p.root = p.test(Relation::Equal, p.load(1, offset, 0), p.constant(6), accept, accept);
  const NodeId unused = p.guard(1, no_value, 0, p.root);
  const auto flags = reachable(p);
  const auto is_reached = [&](NodeId n) { return flags[static_cast<std::uint32_t>(n)]; };
  for (const NodeId n : {reject, accept, four, pick, p.root}) CHECK(is_reached(n));
  for (const NodeId n : {idle, unused}) CHECK_FALSE(is_reached(n));
}

TEST_CASE("compact forgets how a graph was built") {
  Program a;
  {
    const NodeId reject = a.ret(0u), accept = a.ret(1u);
    a.guard(4, no_value, 30, reject);
    const ValueId v = a.load(1, no_value, 23, {4, 6});
    a.root = a.guard(1, no_value, 23, a.test(Relation::Equal, v, a.constant(6), accept, reject), {1, 2});
  }
  Program b;
  {
    b.constant(99);
    const ValueId six = b.constant(6);
    const ValueId v = b.load(1, no_value, 23);
    const NodeId accept = b.ret(1u), reject = b.ret(0u);
    b.root = b.guard(1, no_value, 23, b.test(Relation::Equal, v, six, accept, reject));
  }
  const Program x = compact(a), y = compact(b);
  CHECK(x.root == y.root);
  CHECK(x.span(x.root) == Span{1, 2});
  REQUIRE(x.node_count() == y.node_count());
  REQUIRE(x.value_count() == y.value_count());
  for (std::uint32_t i = 0; i < x.node_count(); ++i) CHECK(x[NodeId{i}] == y[NodeId{i}]);
  for (std::uint32_t i = 0; i < x.value_count(); ++i) CHECK(x[ValueId{i}] == y[ValueId{i}]);
}

TEST_CASE("a graph of a million nodes in a row costs no stack") {
  Program p;
  const NodeId accept = p.ret(1u);
  const ValueId v = p.load(4, no_value, 26);
  p.root = p.ret(0u);
  for (std::uint32_t k = 0; k < 1'000'000; ++k) p.root = p.test(Relation::Equal, v, p.constant(k), accept, p.root);
  p.root = p.guard(4, no_value, 26, p.root);
  const std::vector<std::uint8_t> zeros(64);
  CHECK(evaluate(p, {.bytes = zeros}) == 1);
  CHECK(verify(p) == std::nullopt);
  CHECK(compact(p).node_count() == p.node_count());
}
