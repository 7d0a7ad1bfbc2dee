#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <random>
#include <vector>

#include "base/set.hpp"

using weir::Interval;
using weir::Set;

namespace {

constexpr std::uint32_t top = 0xffffffff;

/// A set of some numbers below 16 and above top - 16, and the same as flags.
struct Sample {
  Set set;
  std::vector<bool> has = std::vector<bool>(32);

  explicit Sample(std::mt19937& random) {
    std::vector<Interval> parts;
    for (std::uint32_t i = 0; i < 32; ++i)
      if (random() % 2) {
        has[i] = true;
        parts.push_back({number(i), number(i)});
      }
    std::shuffle(parts.begin(), parts.end(), random);
    set = Set::join(parts);
  }
  static std::uint32_t number(std::uint32_t i) { return i < 16 ? i : top - (31 - i); }
};

}  // namespace

TEST_CASE("sets: what touches is one interval") {
  CHECK(Set::join({{5, 6}, {1, 2}, {3, 4}}) == Set({1, 6}));
  CHECK(Set::join({{8, 9}, {1, 2}}).intervals().size() == 2);
  CHECK(Set::join({{top, top}, {0, 0}}).complement() == Set({1, top - 1}));
  CHECK(Set::everything().complement().empty());
  CHECK(Set::everything().size() == std::uint64_t{1} << 32);
  CHECK(Set().complement().is_everything());
  CHECK(Set::of(7).only() == 7);
  CHECK_FALSE(Set({7, 8}).only());
}

TEST_CASE("sets: what lives in the object and what does not are one set, whichever way they came to be") {
  const auto apart = [](std::uint32_t count) {
    std::vector<Interval> parts;
    for (std::uint32_t i = 0; i < count; ++i) parts.push_back({10 * i, 10 * i + 3});
    return Set::join(parts);
  };
  for (std::uint32_t count = 1; count < 8; ++count) {
    const Set joined = apart(count), last({10 * count - 10, 10 * count - 7});
    Set grown;
    for (const Interval i : joined.intervals()) grown = grown | Set(i);
    REQUIRE(grown == joined);
    REQUIRE(weir::hash(grown) == weir::hash(joined));
    REQUIRE((apart(count + 1) - Set({10 * count, top})) == joined);
    REQUIRE((joined - last) == apart(count - 1));
    REQUIRE((joined | Set::everything()).is_everything());
    Set target = apart(8 - count);
    target = joined;
    REQUIRE(target == joined);
    target = target - last;
    REQUIRE(target == apart(count - 1));
    Set moved = std::move(grown);
    grown = apart(1);
    REQUIRE(grown == apart(1));
    moved = std::move(target);
    REQUIRE(moved == apart(count - 1));
    moved = moved | moved;
    REQUIRE(moved == apart(count - 1));
  }
}

TEST_CASE("sets: numbers of a byte are the same set as bits and as intervals") {
  std::mt19937 engine(4);
  const auto random = [&] { return static_cast<std::uint32_t>(engine()); };
  const auto sample = [&](std::uint32_t above) {
    std::vector<Interval> parts;
    for (std::uint32_t low = random() % 9; low < above; low += 1 + random() % 60) {
      const std::uint32_t high = low + (random() % 3 ? 0 : random() % 30);
      parts.push_back({low, high});
      low = high + 1;
    }
    return parts;
  };
  const auto grown = [](const std::vector<Interval>& parts) {
    Set all;
    for (const Interval i : parts) all = all | Set(i);
    return all;
  };
  for (int round = 0; round < 400; ++round) {
    const auto parts = sample(random() % 2 ? 240 : 600), others = sample(random() % 2 ? 100 : 230);
    const Set a = Set::join(parts), b = grown(others);
    REQUIRE(a == grown(parts));
    REQUIRE(weir::hash(a) == weir::hash(grown(parts)));
    REQUIRE(b.count() == Set::join(others).intervals().size());
    REQUIRE(a.count() == a.intervals().size());
    const Set both = a & b, any = a | b, rest = a - b, of_b = b - a;
    bool meets = false, covers = true;
    for (std::uint32_t k = 0; k < 700; ++k) {
      const bool in_a = a.contains(k), in_b = b.contains(k);
      meets |= in_a && in_b;
      covers &= in_a || !in_b;
      REQUIRE(in_b == std::ranges::any_of(others, [&](Interval i) { return i.low <= k && k <= i.high; }));
      REQUIRE(both.contains(k) == (in_a && in_b));
      REQUIRE(any.contains(k) == (in_a || in_b));
      REQUIRE(rest.contains(k) == (in_a && !in_b));
      REQUIRE(of_b.contains(k) == (in_b && !in_a));
    }
    REQUIRE(a.meets(b) == meets);
    REQUIRE(b.meets(a) == meets);
    REQUIRE(a.covers(b) == covers);
    for (const Set& s : {a, b, both, any, rest, of_b}) {
      REQUIRE(Set::join({s.intervals().begin(), s.intervals().end()}) == s);
      if (s.empty()) continue;
      REQUIRE(s.low() == s.intervals().front().low);
      REQUIRE(s.high() == s.intervals().back().high);
      for (const Interval domain : {Interval{0, 0xff}, Interval{s.low(), s.high()}, Interval{3, 0xffff}, Interval{7, 90}}) {
        REQUIRE(s.comparisons(domain) == weir::comparisons(s.intervals(), domain));
        REQUIRE(s.comparisons_of_rest(domain) == weir::comparisons_of_rest(s.intervals(), domain));
      }
      const Interval part{random() % 300, 300};
      REQUIRE(s.meets(part) == !(s & Set(part)).empty());
      REQUIRE(s.covers(part) == (Set(part) - s).empty());
    }
  }
}

TEST_CASE("sets: of the numbers of a byte those whose masked bits are the same") {
  for (std::uint32_t mask = 0; mask < 0x100; ++mask)
    for (std::uint32_t bits = mask;; bits = (bits - 1) & mask) {
      const weir::ByteSet alike = weir::ByteSet::of_bits(mask, bits);
      bool right = true;
      for (std::uint32_t k = 0; k < 0x100; ++k) right &= alike.contains(k) == ((k & mask) == bits);
      REQUIRE(right);
      REQUIRE(alike.size() == 1u << (8 - std::popcount(mask)));
      REQUIRE(alike.has_more_than(alike.size() - 1));
      REQUIRE_FALSE(alike.has_more_than(alike.size()));
      if (bits == 0) break;
    }
}

TEST_CASE("sets: operations agree with those on each number") {
  std::mt19937 random(3);
  for (int round = 0; round < 2000; ++round) {
    const Sample a(random), b(random);
    const Set both = a.set & b.set, any = a.set | b.set, rest = a.set - b.set, other = a.set.complement();
    for (std::uint32_t i = 0; i < 32; ++i) {
      const std::uint32_t k = Sample::number(i);
      REQUIRE(a.set.contains(k) == a.has[i]);
      REQUIRE(both.contains(k) == (a.has[i] && b.has[i]));
      REQUIRE(any.contains(k) == (a.has[i] || b.has[i]));
      REQUIRE(rest.contains(k) == (a.has[i] && !b.has[i]));
      REQUIRE(other.contains(k) == !a.has[i]);
    }
    REQUIRE(other.contains(1000));
    const Interval part{Sample::number(random() % 16), Sample::number(16 + random() % 16)};
    REQUIRE(weir::comparisons_of_rest(a.set.intervals(), part) == weir::comparisons((Set(part) - a.set).intervals(), part));
    REQUIRE(a.set.only().has_value() == (a.set.size() == 1));
    REQUIRE(other.complement() == a.set);
    const std::uint32_t low = Sample::number(random() % 16), high = Sample::number(16 + random() % 16);
    REQUIRE(a.set.meets({low, high}) == !(a.set & Set({low, high})).empty());
    REQUIRE(a.set.covers({low, low + 2}) == (Set({low, low + 2}) - a.set).empty());
  }
}
