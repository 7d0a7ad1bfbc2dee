#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "pred/gather.hpp"

using namespace weir;
using namespace weir::pred;

namespace {

/// A filter under construction, with short names for what the tests need.
struct Builder {
  Filter f;

  ValueId byte(std::uint32_t at) { return f.load(1, no_value, at); }
  ExprId is(ValueId v, std::uint32_t k) { return f.compare(Relation::Equal, v, f.constant(k), {}); }
  ExprId is(std::uint32_t at, std::uint32_t k) { return is(byte(at), k); }
  std::string gathered(ExprId root) {
    f.root = root;
    f.accept = 1;
    return to_string(gather(f));
  }
};

}  // namespace

TEST_CASE("gather: tests of one value in a chain become one") {
  Builder b;
  CHECK(b.gathered(b.f.any({b.is(0, 1), b.is(1, 2), b.is(0, 3), b.is(1, 4)}, {})) ==
        "or\n  [0:1] in {0x1, 0x3}\n  [1:1] in {0x2, 0x4}\naccept 1\n");
  CHECK(b.gathered(b.f.all({b.f.negation(b.is(0, 1), {}), b.f.negation(b.is(0, 2), {})}, {})) ==
        "[0:1] in {0x0, 0x3-0xffffffff}\naccept 1\n");
}

TEST_CASE("gather: conditions that are the same are asked once, and sets go under them") {
  Builder b;
  const auto host = [&](std::uint32_t k) { return b.f.all({b.is(0, 8), b.f.any({b.is(1, k), b.is(2, k)}, {})}, {}); };
  CHECK(b.gathered(b.f.any({host(5), host(7)}, {})) ==
        "and\n  [0:1] == 8\n  or\n    [1:1] in {0x5, 0x7}\n    [2:1] in {0x5, 0x7}\naccept 1\n");
}

TEST_CASE("gather: what has all parts of what stands before it, or right behind it, goes") {
  Builder b;
  const auto either = [&](std::uint32_t k) { return b.f.any({b.is(1, k), b.is(2, k)}, {}); };
  const auto pair = [&] { return b.f.all({b.is(0, 8), either(5)}, {}); };
  const std::string alone = "and\n  [0:1] == 8\n  or\n    [1:1] == 5\n    [2:1] == 5\naccept 1\n";
  CHECK(b.gathered(b.f.any({b.f.all({b.is(9, 1), either(5), b.is(0, 8)}, {}), pair()}, {})) == alone);
  CHECK(b.gathered(b.f.any({pair(), b.f.all({either(5), b.is(0, 8)}, {})}, {})) == alone);
  CHECK(b.gathered(b.f.any({pair(), b.is(3, 1), b.f.all({b.is(4, 2), either(5), b.is(0, 8)}, {})}, {})) ==
        b.gathered(b.f.any({pair(), b.is(3, 1)}, {})));
  CHECK(b.gathered(b.f.any({b.f.all({b.is(9, 1), b.is(0, 8)}, {}), pair()}, {})).find("[9:1]") != std::string::npos);
  // What stands between would be asked before, and the packet may not have it.
  b.f.root = b.f.any({pair(), b.is(9, 1), b.is(0, 8)}, {});
  const std::vector<std::uint8_t> packet = {8, 5};
  REQUIRE(evaluate(b.f, {packet, 60, {}}) == 1);
  CHECK(evaluate(gather(b.f), {packet, 60, {}}) == 1);
  // A division by 0 ends the filter.
  const auto divides = [&] { return b.is(b.f.binary(Arith::Div, b.byte(1), b.byte(2)), 1); };
  CHECK(b.gathered(b.f.any({b.f.all({divides(), b.is(0, 8)}, {}), b.is(0, 8)}, {})).find(" / ") != std::string::npos);
}

TEST_CASE("gather: a value that is not loaded yet stays behind what might accept before") {
  Builder b;
  const ExprId first = b.f.all({b.is(0, 8), b.is(1, 5)}, {}), between = b.is(3, 1), last = b.f.all({b.is(0, 8), b.is(9, 5)}, {});
  CHECK(b.gathered(b.f.any({first, between, last}, {})) ==
        "or\n  and\n    [0:1] == 8\n    [1:1] == 5\n  [3:1] == 1\n  and\n    [0:1] == 8\n    [9:1] == 5\naccept 1\n");
}

TEST_CASE("gather: nothing moves past a mark, a division, or an offset that no packet has") {
  Builder b;
  const auto untouched = [&](ExprId barrier) {
    return b.gathered(b.f.any({b.is(0, 1), barrier, b.is(0, 3)}, {})).find(" in {") == std::string::npos;
  };
  CHECK(untouched(b.f.negation(b.f.mark(0, {}), {})));
  CHECK(untouched(b.is(b.f.binary(Arith::Div, b.byte(1), b.byte(2)), 1)));
  CHECK(untouched(b.is(b.f.load(1, no_value, 0xfffffffe), 1)));
  CHECK(!untouched(b.is(b.f.binary(Arith::Div, b.byte(1), b.f.constant(2)), 1)));
}

TEST_CASE("gather: what is decided does not take along what may reject before it") {
  Builder b;
  const ExprId divides = b.is(b.f.binary(Arith::Div, b.byte(1), b.byte(2)), 1);
  b.f.root = b.f.any({b.f.all({divides, b.is(0, 1), b.is(0, 2)}, {}), b.is(3, 0)}, {});
  b.f.accept = 1;
  const Filter g = gather(b.f);
  const std::vector<std::uint8_t> zero = {0, 0, 0, 0}, one = {0, 0, 1, 0};
  CHECK(evaluate(g, {zero, 4, {}}) == 0);
  CHECK(evaluate(g, {one, 4, {}}) == 1);
}

TEST_CASE("gather: a long list is a set, in any nesting") {
  Builder b;
  std::vector<ExprId> some, all;
  for (std::uint32_t k = 0; k < 200; k += 2) some.push_back(b.is(0, k));
  all.push_back(b.f.any(std::move(some), {}));
  for (std::uint32_t k = 1; k < 200; k += 2) all.push_back(b.is(0, k));
  CHECK(b.gathered(b.f.any(std::move(all), {})) == "[0:1] in {0x0-0xc7}\naccept 1\n");
}

TEST_CASE("gather: of a long list, terms that are like one before but for numbers go with it") {
  constexpr std::uint32_t many = 300;
  Builder b;
  const auto is_on = [&](std::uint32_t type, std::uint32_t k) {
    return b.f.all({b.is(0, type), b.f.any({b.is(1, k), b.is(2, k)}, {})}, {});
  };
  const auto masked = [&](std::uint32_t k, std::uint32_t mask) { return b.is(b.f.binary(Arith::And, b.byte(3), b.f.constant(mask)), k); };
  std::vector<ExprId> terms;
  for (std::uint32_t i = 0; i < many; ++i) {
    const std::uint32_t k = i * 7 % 256 & ~1u;
    if (i % 5 == 4) terms.push_back(is_on(9, k));               // another condition
    else if (i % 5 == 3) terms.push_back(masked(k & 0xf0, k % 3 ? 0xf0 : 0xff));  // ranges of a value, and single numbers
    else if (i == 130) terms.push_back(b.is(b.f.binary(Arith::Div, b.byte(1), b.byte(4)), 7));  // nothing moves past it
    else terms.push_back(is_on(8, k));
  }
  const std::string made = b.gathered(b.f.any(std::move(terms), {}));
  CHECK(std::ranges::count(made, '\n') < 40);
  const Filter short_one = gather(b.f);
  const auto is_alike = [&](const std::vector<std::uint8_t>& packet) {
    return evaluate(short_one, {packet, 60, {}}) == evaluate(b.f, {packet, 60, {}});
  };
  for (const std::uint8_t type : {std::uint8_t{7}, std::uint8_t{8}, std::uint8_t{9}})
    for (unsigned i = 0; i < 256; ++i) {
      const auto k = static_cast<std::uint8_t>(i);
      CHECK(is_alike({type, k, 1, k, 9}));
      CHECK(is_alike({type, 1, k, 1, 0}));
      CHECK(is_alike({type, 1, k, k, k}));
    }
}

TEST_CASE("gather: of a long list, a masked value goes to the whole one where it is a range of that, whatever term it is like") {
  Builder b;
  std::vector<ExprId> terms;
  for (std::uint32_t k = 0; k < 256; ++k) terms.push_back(b.is(b.f.binary(Arith::And, b.byte(3), b.f.constant(0xf0)), k ^ 1));
  const std::string made = b.gathered(b.f.any(std::move(terms), {}));
  CHECK(made.find("[3:1] in {0x0-0xff}") != std::string::npos);
}

TEST_CASE("gather: a list of values in several words is as gathered behind an and as it is alone") {
  Builder b;
  std::vector<ExprId> list;
  for (const std::uint32_t k : {5u, 6u, 7u, 8u}) list.push_back(b.f.all({b.is(1, 9), b.is(2, k)}, {}));
  const ExprId any = b.f.any(std::move(list), {});
  CHECK(b.gathered(b.f.all({any, b.is(3, 1)}, {})) == "and\n  and\n    [1:1] == 9\n    [2:1] in {0x5-0x8}\n  [3:1] == 1\naccept 1\n");
}

TEST_CASE("gather: conditions nest no deeper than stages can follow, however many there are") {
  const auto indentation = [](std::uint32_t count, bool behind_one) {
    Builder b;
    std::vector<ExprId> conditions;
    for (std::uint32_t i = 0; i < count; ++i) conditions.push_back(b.f.negation(b.f.all({b.is(i & 3, i), b.is(4, i)}, {}), {}));
    const ExprId all = b.f.all(std::move(conditions), {});
    const ExprId term = behind_one ? b.f.all({b.is(5, 1), all, b.is(6, 1)}, {}) : all;
    const std::string made = b.gathered(b.f.any({term, b.is(7, 1)}, {}));
    std::size_t most = 0;
    for (std::size_t at = 0; at < made.size(); at = std::min(made.find('\n', at), made.size() - 1) + 1)
      most = std::max(most, made.find_first_not_of(' ', at) - at);
    return most;
  };
  for (const bool behind_one : {false, true}) {
    CHECK(indentation(100, behind_one) > 50);
    CHECK(indentation(3000, behind_one) < 100);
  }
}

TEST_CASE("gather: conditions for many numbers of one value are found by halving") {
  Builder b;
  std::vector<ExprId> list;
  for (std::uint32_t k = 10; k < 90; k += 10) {
    list.push_back(b.f.all({b.is(8, k), b.is(6, k + 1)}, {}));  // 6 is there when 8 is
    list.push_back(b.f.all({b.is(2, k), b.is(0, k + 1)}, {}));
  }
  b.f.root = b.f.any(std::move(list), {});
  b.f.accept = 1;
  const Filter g = gather(b.f);
  CHECK(to_string(g).find("[8:1] >= 0x32") != std::string::npos);
  CHECK(to_string(g).find("[2:1] >= 0x32") != std::string::npos);
  std::vector<std::uint8_t> packet(9);
  for (std::uint32_t i = 0; i < 256; ++i)
    for (const std::size_t at : {std::size_t{2}, std::size_t{8}}) {
      packet.assign(9, 0);
      packet[at] = static_cast<std::uint8_t>(i);
      packet[at - 2] = static_cast<std::uint8_t>(i + 1);
      REQUIRE(evaluate(g, {packet, 9, {}}) == evaluate(b.f, {packet, 9, {}}));
    }
}

TEST_CASE("gather: what needs more bytes than the tests before it show does not move up to the same condition") {
  Builder b;
  const auto far = [&](std::uint32_t k) { return b.f.all({b.is(0, k), b.is(20, 1)}, {}); };
  std::vector<ExprId> list;
  for (std::uint32_t k = 1; k < 9; ++k) {
    list.push_back(far(k));
    list.push_back(b.f.all({b.is(1, k), b.is(2, 7)}, {}));  // holds in packets without byte 20
  }
  b.f.root = b.f.any(std::move(list), {});
  b.f.accept = 1;
  const std::vector<std::uint8_t> packet = {8, 1, 7};
  REQUIRE(evaluate(b.f, {packet, 60, {}}) == 1);
  CHECK(evaluate(gather(b.f), {packet, 60, {}}) == 1);
}

TEST_CASE("gather: numbers are not brought together past what may reject whole packets") {
  Builder b;
  std::vector<ExprId> list;
  const auto one = [&](std::uint32_t k) { return b.f.all({b.is(8, k), b.is(6, k + 1)}, {}); };
  for (std::uint32_t k = 1; k < 6; ++k) list.push_back(one(k));
  list.push_back(b.is(b.f.binary(Arith::Div, b.byte(1), b.byte(2)), 1));
  for (std::uint32_t k = 6; k < 12; ++k) list.push_back(one(k));
  b.f.root = b.f.any(std::move(list), {});
  b.f.accept = 1;
  const std::vector<std::uint8_t> packet = {0, 0, 0, 0, 0, 0, 8, 0, 7};  // the seventh, but the division by 0 comes first
  REQUIRE(evaluate(b.f, {packet, 9, {}}) == 0);
  CHECK(evaluate(gather(b.f), {packet, 9, {}}) == 0);
}

TEST_CASE("gather: what is asked of one number keeps its order") {
  Builder b;
  std::vector<ExprId> list;
  list.push_back(b.f.all({b.is(0, 1), b.is(2, 7)}, {}));  // holds in packets without byte 20
  for (std::uint32_t k = 2; k < 13; ++k) list.push_back(b.f.all({b.is(0, k), b.is(20, 1)}, {}));
  list.push_back(b.f.all({b.is(0, 1), b.is(20, 1)}, {}));
  b.f.root = b.f.any(std::move(list), {});
  b.f.accept = 1;
  const std::vector<std::uint8_t> packet = {1, 0, 7};
  REQUIRE(evaluate(b.f, {packet, 60, {}}) == 1);
  CHECK(evaluate(gather(b.f), {packet, 60, {}}) == 1);
}
