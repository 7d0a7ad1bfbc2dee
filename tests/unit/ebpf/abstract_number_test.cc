// What is known of results holds for all numbers that operands may be: random abstract numbers, and random members of them.
#include "ebpf/abstract_number.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "ebpf/arithmetic.hpp"

namespace weir::ebpf {
namespace {

class Random {
 public:
  std::uint64_t number() {
    static constexpr std::uint64_t edges[] = {0,
                                              1,
                                              2,
                                              31,
                                              32,
                                              63,
                                              64,
                                              0x7f,
                                              0xff,
                                              0x7fffffff,
                                              0x80000000,
                                              0xffffffff,
                                              0x100000000,
                                              0x7fffffffffffffff,
                                              0x8000000000000000,
                                              ~std::uint64_t{0}};
    switch (engine_() % 4) {
      case 0: return edges[engine_() % std::size(edges)];
      case 1: return engine_() % 300;
      case 2: return engine_() >> (engine_() % 64);
      default: return engine_();
    }
  }
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }

  /// A number, and what someone who does not know it may know of it.
  std::pair<std::uint64_t, AbstractNumber> pair() {
    const std::uint64_t v = number();
    AbstractNumber known;
    for (int n = static_cast<int>(below(4)); n > 0; --n) known = known.met(fact(v));
    CHECK(known.contains(v));
    return {v, known};
  }

 private:
  AbstractNumber fact(std::uint64_t v) {
    const std::uint64_t away = number() >> below(64);
    switch (below(5)) {
      case 0: return AbstractNumber::between(v - std::min(v, away), v + std::min(~v, number() >> below(64)));
      case 1: return AbstractNumber().with_bits(v & away, ~v & away);
      case 2: return AbstractNumber::constant(v).joined(AbstractNumber::constant(number()));
      case 3: return AbstractNumber().at_least_signed(std::min(static_cast<std::int64_t>(v), static_cast<std::int64_t>(v) >> below(3)));
      default: return AbstractNumber::constant(v);
    }
  }
  std::mt19937_64 engine_{7};
};

TEST_CASE("arithmetic knows nothing false") {
  Random random;
  constexpr std::uint8_t operations[] = {op::ADD, op::SUB, op::MUL, op::DIV, op::OR,  op::AND,  op::LSH,
                                         op::RSH, op::NEG, op::MOD, op::XOR, op::MOV, op::ARSH, op::END};
  constexpr std::int16_t moves[] = {0, 8, 16, 32};
  for (int n = 0; n < 400000 / WEIR_PART; ++n) {
    const auto [a, known_a] = random.pair();
    const auto [b, known_b] = random.pair();
    const std::uint8_t operation = operations[random.below(std::size(operations))];
    const bool wide = random.below(2);
    std::int16_t offset = 0;
    if (operation == op::DIV || operation == op::MOD) offset = static_cast<std::int16_t>(random.below(2));
    if (operation == op::MOV) offset = moves[random.below(wide ? 4 : 3)];
    const Instruction i =
        make(static_cast<std::uint8_t>((wide ? op::ALU64 : op::ALU) | operation | (random.below(2) ? op::X : 0)), 1, 2, offset,
             operation == op::END ? 16 << random.below(3) : 0);
    const std::uint64_t result =
        operation == op::END ? byte_swapped(i, a)
        : wide               ? arithmetic<std::uint64_t>(operation, offset, a, b)
               : arithmetic<std::uint32_t>(operation, offset, static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b));
    INFO(to_string(i), " of ", a, " and ", b);
    REQUIRE(abstract_result(i, known_a, known_b).contains(result));
  }
}

TEST_CASE("comparisons lose no number") {
  Random random;
  constexpr std::uint8_t relations[] = {op::JEQ,  op::JGT, op::JGE, op::JSET, op::JNE, op::JSGT,
                                        op::JSGE, op::JLT, op::JLE, op::JSLT, op::JSLE};
  for (int n = 0; n < 400000 / WEIR_PART; ++n) {
    auto [a, known_a] = random.pair();
    auto [b, known_b] = random.pair();
    const std::uint8_t relation = relations[random.below(std::size(relations))];
    const bool wide = random.below(2);
    const bool truth = wide ? holds<std::uint64_t>(relation, a, b)
                            : holds<std::uint32_t>(relation, static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b));
    INFO(int{relation}, " ", wide, " of ", a, " and ", b);
    REQUIRE(assume(relation, truth, wide, known_a, known_b));
    REQUIRE(known_a.contains(a));
    REQUIRE(known_b.contains(b));
  }
}

TEST_CASE("joining covers both") {
  Random random;
  for (int n = 0; n < 100000 / WEIR_PART; ++n) {
    const auto [a, known_a] = random.pair();
    const auto [b, known_b] = random.pair();
    const AbstractNumber joined = known_a.joined(known_b);
    REQUIRE(joined.covers(known_a));
    REQUIRE(joined.contains(b));
    REQUIRE(known_a.lower_half().contains(a & 0xffffffff));
    if (known_a.covers(known_b)) REQUIRE(known_a.contains(b));
  }
}

TEST_CASE("what the checker lives by") {
  const auto byte = AbstractNumber::of_bytes(1);
  const auto header =
      abstract_arithmetic(op::LSH, abstract_arithmetic(op::AND, byte, AbstractNumber::constant(15)), AbstractNumber::constant(2));
  CHECK(header.high() == 60);
  CHECK(header.bits() == KnownBits{0, 0x3c});
  auto length = AbstractNumber::of_bytes(4), limit = AbstractNumber::constant(100);
  CHECK(assume(op::JGT, false, true, length, limit));
  CHECK(length.high() == 100);
  CHECK_FALSE(assume(op::JEQ, true, true, length, limit = AbstractNumber::constant(101)));
}

}  // namespace
}  // namespace weir::ebpf
