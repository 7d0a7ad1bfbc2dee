#include <doctest/doctest.h>

#include <vector>

#include "pred/factor.hpp"

using namespace weir;
using namespace weir::pred;

namespace {

/// A filter under construction, and what it is when endings are asked once.
struct Terms {
  Filter f;

  ValueId byte(std::uint32_t at) { return f.load(1, no_value, at); }
  ExprId is(std::uint32_t at, std::uint32_t k) { return f.compare(Relation::Equal, byte(at), f.constant(k), {}); }
  ExprId either(std::uint32_t k) { return f.any({is(1, k), is(2, k)}, {}); }
  std::string factored(ExprId root) {
    f.root = root;
    f.accept = 1;
    const auto made = pred::factored(f);
    return made ? to_string(*made) : "";
  }
  /// (either of the first and z) or (either of the second and z) or …
  template <class Ending>
  std::vector<ExprId> terms(Ending ending) {
    std::vector<ExprId> made;
    for (const std::uint32_t k : {5u, 6u, 7u, 8u}) made.push_back(f.all({either(k), ending()}, {}));
    return made;
  }
};

const std::string all_four_in_front =
    "  or\n    or\n      [1:1] == 5\n      [2:1] == 5\n    or\n      [1:1] == 6\n      [2:1] == 6\n    or\n      [1:1] == 7\n"
    "      [2:1] == 7\n    or\n      [1:1] == 8\n      [2:1] == 8\n";

}  // namespace

TEST_CASE("factor: what terms end with is asked once, behind them") {
  Terms b;
  const auto ending = [&] { return b.f.any({b.is(3, 1), b.f.all({b.is(3, 2), b.is(4, 2)}, {})}, {}); };
  CHECK(b.factored(b.f.any(b.terms(ending), {})) ==
        "and\n" + all_four_in_front + "  or\n    [3:1] == 1\n    and\n      [3:1] == 2\n      [4:1] == 2\naccept 1\n");
}

TEST_CASE("factor: an ending of chains within chains") {
  Terms b;
  const auto of_ip6 = [&] { return b.f.any({b.is(5, 1), b.f.all({b.is(5, 2), b.is(6, 1)}, {})}, {}); };
  const auto udp = [&] { return b.f.any({b.f.all({b.is(3, 1), b.is(4, 1)}, {}), b.f.all({b.is(3, 2), of_ip6()}, {})}, {}); };
  CHECK(b.factored(b.f.any(b.terms(udp), {})).starts_with("and\n" + all_four_in_front));
  const auto others = [&] { return b.f.all({b.is(7, 1), b.f.any({udp(), b.is(8, 1)}, {})}, {}); };
  CHECK(b.factored(b.f.any(b.terms(others), {})).starts_with("and\n" + all_four_in_front));
}

TEST_CASE("factor: as much as all end with, and no more") {
  Terms b;
  std::vector<ExprId> terms;
  for (const std::uint32_t k : {5u, 6u, 7u, 8u}) terms.push_back(b.f.all({b.is(1, k), b.is(9, 9), b.is(3, k == 7 ? 0 : 1), b.is(4, 2)}, {}));
  CHECK(b.factored(b.f.any(terms, {})).find("    and\n      [1:1] == 7\n      [9:1] == 9\n      [3:1] == 0\n") != std::string::npos);
  terms.back() = b.is(4, 2);  // has nothing before its end
  terms.push_back(b.f.all({b.is(1, 1), b.is(4, 3)}, {}));
  const std::string text = b.factored(b.f.any(terms, {}));
  CHECK(text.substr(0, 12) == "or\n  and\n   ");
  CHECK(text.substr(text.rfind("  [4:1] == 2")) == "  [4:1] == 2\n  and\n    [1:1] == 1\n    [4:1] == 3\naccept 1\n");
}

TEST_CASE("factor: a chain of and with its signs turned") {
  Terms b;
  std::vector<ExprId> none;
  for (const ExprId e : b.terms([&] { return b.is(3, 1); })) none.push_back(b.f.negation(e, {}));
  CHECK(b.factored(b.f.all(none, {})).find("[3:1]") == b.factored(b.f.all(none, {})).rfind("[3:1]"));
  none.clear();
  for (const std::uint32_t k : {5u, 6u, 7u, 8u}) none.push_back(b.f.any({b.f.negation(b.either(k), {}), b.is(3, 1)}, {}));
  const std::string text = b.factored(b.f.negation(b.f.all(none, {}), {}));
  CHECK(text.find("[3:1]") == text.rfind("[3:1]"));
  for (const std::uint8_t at : std::vector<std::uint8_t>{4, 5, 8, 9})
    for (const std::uint8_t last : std::vector<std::uint8_t>{0, 1}) {
      const std::vector<std::uint8_t> packet = {0, at, 0, last};
      CHECK(evaluate(*pred::factored(b.f), {packet, 60, {}}) == evaluate(b.f, {packet, 60, {}}));
    }
}

TEST_CASE("factor: few terms, other endings, marks and divisions stay") {
  Terms b;
  auto terms = b.terms([&] { return b.is(3, 1); });
  CHECK(b.factored(b.f.any({terms[0], terms[1], terms[2]}, {})).empty());
  std::uint32_t n = 0;
  CHECK(b.factored(b.f.any(b.terms([&] { return b.is(3, n++); }), {})).empty());
  CHECK(b.factored(b.f.any(b.terms([&] { return b.f.all({b.f.mark(0, {}), b.is(3, 1)}, {}); }), {})).empty());
  const auto divides = [&] {
    return b.f.compare(Relation::Equal, b.f.binary(Arith::Div, b.byte(1), b.byte(2)), b.f.constant(1), {});
  };
  CHECK(b.factored(b.f.any(b.terms(divides), {})).empty());
}

TEST_CASE("factor: a packet that is cut off is lost to no more terms than before") {
  Terms b;
  auto terms = b.terms([&] { return b.is(9, 1); });
  terms.push_back(b.is(0, 3));
  b.factored(b.f.any(terms, {}));
  const std::vector<std::uint8_t> none = {3, 0, 0}, cut = {3, 8, 0};
  for (const auto& packet : {none, cut}) CHECK(evaluate(*pred::factored(b.f), {packet, 60, {}}) == evaluate(b.f, {packet, 60, {}}));
  CHECK(evaluate(b.f, {none, 60, {}}) == 1);
}
