#include <doctest/doctest.h>

#include <random>

#include "prove/terms.hpp"

using namespace weir;
using namespace weir::prove;

namespace {

/// What a term is when Meta::Protocol is v.
std::uint32_t value(const Terms& terms, TermId id, std::uint32_t v) {
  const Term& t = terms[id];
  if (t.kind == TermKind::Constant) return t.k;
  if (t.kind == TermKind::Meta) return v;
  if (t.kind == TermKind::Load) return v & terms.range(id).high;
  return apply(t.arith(), value(terms, t.a, v), value(terms, t.b, v)).value_or(0);
}

std::uint32_t number(std::mt19937& random) {
  constexpr std::uint32_t edges[] = {0, 1, 2, 3, 31, 32, 0xff, 0xf0, 0xffffff00, 0x80000000, 0x7fffffff, 0xffffffff};
  return random() % 2 ? edges[random() % std::size(edges)] : static_cast<std::uint32_t>(random());
}

Set some_set(std::mt19937& random) {
  std::vector<Interval> parts;
  for (int n = 0; n < 4; ++n) {
    const std::uint32_t low = number(random);
    parts.push_back({low, low + std::min(0xffffffff - low, static_cast<std::uint32_t>(random() % 300))});
  }
  return Set::join(parts);
}

}  // namespace

TEST_CASE("what is done to a term with constants keeps its value, its bounds, and its sets") {
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    Terms terms;
    const TermId start = random() % 2 ? terms.meta(Meta::Protocol) : terms.load(1u << random() % 2, terms.constant(0));
    const std::uint32_t v = number(random);
    std::uint32_t expected = value(terms, start, v);
    TermId term = start;
    for (int step = 0; step < 4; ++step) {
      const auto op = static_cast<Arith>(random() % 10);
      const std::uint32_t k = number(random) % (random() % 2 ? 34 : 0xffffffff);
      if ((op == Arith::Div || op == Arith::Mod) && k == 0) continue;
      term = terms.binary(op, term, terms.constant(k));
      expected = *apply(op, expected, k);
    }
    const std::uint32_t got = value(terms, term, v);
    REQUIRE(got == expected);
    CHECK(terms.range(term).low <= got);
    CHECK(got <= terms.range(term).high);
    const Set set = some_set(random);
    const auto [inner, inner_set] = terms.peeled(term, set);
    CHECK(inner_set.contains(value(terms, inner, v)) == set.contains(got));
    const Set exactly = terms.peeled(term, Set::of(got)).second;
    CHECK(exactly.contains(value(terms, inner, v)));
  }
}

TEST_CASE("two bytes that a product swaps are those bytes in the other order") {
  for (const bool fixed : {true, false}) {
    Terms terms;
    const TermId from = fixed ? terms.constant(2) : terms.binary(Arith::Add, terms.meta(Meta::Protocol), terms.constant(2));
    const auto swapped = [&](std::uint32_t size, std::uint32_t factor) {
      return terms.binary(Arith::Rsh, terms.binary(Arith::Mul, terms.load(size, from), terms.constant(factor)), terms.constant(16));
    };
    const TermId low = terms.load(1, from), high = terms.load(1, terms.binary(Arith::Add, from, terms.constant(1)));
    const TermId bytes = terms.binary(Arith::Or, low, terms.binary(Arith::Lsh, high, terms.constant(8)));
    CHECK(swapped(2, 0x01000100) == bytes);
    CHECK(swapped(2, 0x01000200) != bytes);
    CHECK(swapped(4, 0x01000100) != bytes);
  }
  for (std::uint32_t both = 0; both <= 0xffff; ++both) REQUIRE((both * 0x01000100u >> 16) == (both >> 8 | (both & 0xff) << 8));
}
