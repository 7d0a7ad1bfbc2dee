#include <doctest/doctest.h>

#include <random>

#include "prove/diagrams.hpp"
#include "prove/smt.hpp"

using namespace weir;
using namespace weir::prove;

namespace {

Diagrams::Clock::time_point soon() { return Diagrams::Clock::now() + std::chrono::seconds(20); }

/// A filter that asks a value for one key after another, as lists are written.
Ref chain(Algebra& a, Ref value, const std::vector<std::uint32_t>& keys) {
  Ref found = a.truth(false);
  for (auto k = keys.rbegin(); k != keys.rend(); ++k)
    found = a.choose(a.compare(Relation::Equal, value, a.constant(*k)), a.truth(true), found);
  return found;
}

/// The same as a balanced tree of comparisons, as a back end asks; keys are sorted.
Ref tree(Algebra& a, Ref value, std::span<const std::uint32_t> keys) {
  if (keys.empty()) return a.truth(false);
  if (keys.size() == 1) return a.compare(Relation::Equal, value, a.constant(keys[0]));
  const std::size_t half = keys.size() / 2;
  const Ref above = a.compare(Relation::GreaterEqual, value, a.constant(keys[half]));
  const Ref high = tree(a, value, keys.subspan(half));
  return a.choose(above, high, tree(a, value, keys.first(half)));
}

/// A formula over a few values, of tests against constants, each made by the same calls in any algebra.
class Formulas {
 public:
  explicit Formulas(std::uint32_t seed, std::size_t keys) : seed_(seed), keys_(keys) {}

  Ref make(Algebra& a) {
    std::mt19937 random(seed_);
    const Ref values[] = {a.load(4, a.constant(26)), a.load(2, a.constant(12)), a.load(1, a.constant(23)), a.meta(Meta::VlanTag),
                          a.room(Bytes::Captured, a.constant(0))};
    std::vector<Ref> truths{a.truth(false), a.truth(true)};
    for (std::size_t n = 0; n < keys_; ++n) {
      Ref v = values[random() % std::size(values)];
      if (random() % 4 == 0) v = a.binary(static_cast<Arith>(random() % 10), v, a.constant(static_cast<std::uint32_t>(1 + random() % 40)));
      if (random() % 6 == 0) v = a.choose(truths[random() % truths.size()], v, a.constant(static_cast<std::uint32_t>(random() % 100)));
      const auto low = static_cast<std::uint32_t>(random() % 2 ? random() : random() % 0x900);
      const Ref test = random() % 3 ? a.compare(static_cast<Relation>(random() % 4), v, a.constant(low))
                                    : a.member(v, Set::join({{low, low + std::min(0xffffffff - low, 40u)}, {7, 9}}));
      const Ref t = truths[random() % truths.size()], f = truths[random() % truths.size()];
      truths.push_back(a.choose(test, t, f));
    }
    return a.either(truths.back(), truths[truths.size() - 2]);
  }

 private:
  std::uint32_t seed_;
  std::size_t keys_;
};

}  // namespace

TEST_CASE("keys in a chain, in a tree and as a set are the same diagram") {
  std::mt19937 random(1);
  for (const std::size_t count : {1u, 2u, 5u, 64u, 1000u}) {
    Diagrams d(soon());
    const Ref value = d.load(4, d.constant(26));
    std::vector<std::uint32_t> keys;
    for (std::size_t n = 0; n < count; ++n) keys.push_back(static_cast<std::uint32_t>(random()));
    const Ref as_chain = chain(d, value, keys);
    std::ranges::sort(keys);
    std::vector<Interval> single;
    for (const std::uint32_t k : keys) single.push_back({k, k});
    CHECK(as_chain == tree(d, value, keys));
    CHECK(as_chain == d.member(value, Set::join(single)));
    ++keys[count / 2];
    CHECK(as_chain != tree(d, value, keys));
  }
}

TEST_CASE("Z3 finds formulas of up to 64 tests as it would have them without diagrams") {
  for (std::uint32_t seed = 1; seed <= 120; seed += WEIR_PART) {
    CAPTURE(seed);
    Formulas formulas(seed, 1 + seed % 64);
    Diagrams d(soon());
    Smt smt;
    const Ref direct = formulas.make(smt);
    const Ref translated = d.translate_truth(formulas.make(d), smt);
    const Ref differ = smt.choose(direct, smt.negation(translated), translated);
    CHECK(smt.solve(differ, false, 20).found == Smt::Found::Never);
  }
}

TEST_CASE("a tree of up to 64 keys is the chain, says Z3 alone") {
  std::mt19937 random(2);
  for (const std::size_t count : {3u, 17u, 64u}) {
    Smt smt;
    const Ref value = smt.load(4, smt.constant(26));
    std::vector<std::uint32_t> keys;
    for (std::size_t n = 0; n < count; ++n) keys.push_back(static_cast<std::uint32_t>(random()));
    const Ref as_chain = chain(smt, value, keys);
    std::ranges::sort(keys);
    const Ref as_tree = tree(smt, value, keys);
    CHECK(smt.solve(smt.choose(as_chain, smt.negation(as_tree), as_tree), false, 20).found == Smt::Found::Never);
    ++keys[1];
    const Ref wrong = tree(smt, value, keys);
    CHECK(smt.solve(smt.choose(as_chain, smt.negation(wrong), wrong), false, 20).found == Smt::Found::Sometimes);
  }
}

TEST_CASE("too many ways are given up") {
  Diagrams d(soon(), 1000);
  Ref parity = d.truth(false);
  const auto build = [&] {
    for (std::uint32_t n = 0; n < 4000; ++n) {
      const Ref low = d.compare(Relation::Bits, d.load(1, d.constant(n)), d.constant(1));
      parity = d.choose(low, d.negation(parity), parity);
    }
  };
  CHECK_THROWS_AS(build(), GivenUp);
}
