#include <doctest/doctest.h>

#include <random>

#include "../cbpf/random_program.hpp"
#include "../ir/random_program.hpp"
#include "prove/prove.hpp"

using namespace weir;
using namespace weir::prove;

namespace {

ir::Program graph(std::string_view text) {
  auto p = ir::read(text);
  REQUIRE(p);
  return *std::move(p);
}

cbpf::Program code(std::vector<cbpf::Instruction> instructions) { return {std::move(instructions), {}}; }

bool proven(const Answer& a) { return std::holds_alternative<Proven>(a.is); }
const Counterexample* packet(const Answer& a) { return std::get_if<Counterexample>(&a.is); }

/// A few bytes that matter, in graphs.
const char* const port_80 =
    "n0: return 1\nn1: return 0\nv0 = load 2 [36]\nn2: if v0 == 80 then n0 else n1\nn3: guard 2 [36] then n2\nroot n3\n";
const char* const port_81 =
    "n0: return 1\nn1: return 0\nv0 = load 2 [36]\nn2: if v0 == 81 then n0 else n1\nn3: guard 2 [36] then n2\nroot n3\n";

namespace op = cbpf::op;

/// 1 << (first byte), which the two machines compute differently from 32 on.
const cbpf::Program shift = code({{op::LD | op::B | op::ABS, 0, 0, 0}, {op::MISC | op::TAX, 0, 0, 0}, {op::LD | op::IMM, 0, 0, 1},
                                  {op::ALU | op::LSH | op::X, 0, 0, 0}, {op::RET | op::A, 0, 0, 0}});
/// The same behind a check.
const cbpf::Program checked_shift = code({{op::LD | op::B | op::ABS, 0, 0, 0}, {op::JMP | op::JGT | op::K, 3, 0, 31},
                                          {op::MISC | op::TAX, 0, 0, 0}, {op::LD | op::IMM, 0, 0, 1},
                                          {op::JMP | op::JA, 0, 0, 1}, {op::RET | op::K, 0, 0, 0},
                                          {op::ALU | op::LSH | op::X, 0, 0, 0}, {op::RET | op::A, 0, 0, 0}});

}  // namespace

TEST_CASE("a program is proven to be itself, and told from another") {
  const ir::Program a = graph(port_80), b = graph(port_81);
  for (const Agreement agreement : {Agreement::Whole, Agreement::Exact, Agreement::Refines}) {
    CHECK(proven(prove::prove(&a, &a, {.agreement = agreement})));
    const Answer answer = prove::prove(&a, &b, {.agreement = agreement});
    REQUIRE(packet(answer));
    CHECK(packet(answer)->bytes.size() == 38);
    CHECK((packet(answer)->first != 0) != (packet(answer)->second != 0));
  }
}

TEST_CASE("the two machines are told apart where they differ") {
  CHECK(proven(prove::prove(&shift, &checked_shift, {.kernel = false})));
  const Answer answer = prove::prove(&shift, &checked_shift);
  REQUIRE(packet(answer));
  CHECK(packet(answer)->machine == vm::Machine::Kernel);
  CHECK(packet(answer)->bytes[0] > 31);
}

TEST_CASE("offsets beyond 2^31 are headers to the kernel, and nothing to libpcap") {
  const cbpf::Program far = code({{op::LDX | op::IMM, 0, 0, 0xfff00000}, {op::LD | op::B | op::IND, 0, 0, 0}, {op::RET | op::A, 0, 0, 0}});
  const cbpf::Program network = code({{op::LD | op::B | op::ABS, 0, 0, 14}, {op::RET | op::A, 0, 0, 0}});
  const cbpf::Program never = code({{op::RET | op::K, 0, 0, 0}});
  CHECK(proven(prove::prove(&far, &never, {.kernel = false})));
  CHECK(proven(prove::prove(&far, &network, {.agreement = Agreement::Exact, .libpcap = false, .kept_bytes = true})));
}

TEST_CASE("relations of cut packets") {
  // `[0] == 1 or true` and `true`: all the same of whole packets.
  const ir::Program looks =
      graph("n0: return 1\nv0 = load 1 [0]\nn1: return 1\nn2: if v0 == 1 then n0 else n1\nn3: guard 1 [0] then n2\nroot n3\n");
  const ir::Program knows = graph("n0: return 1\nroot n0\n");
  CHECK(proven(prove::prove(&looks, &knows)));
  CHECK(proven(prove::prove(&looks, &knows, {.agreement = Agreement::Refines})));
  const Answer exact = prove::prove(&looks, &knows, {.agreement = Agreement::Exact});
  REQUIRE(packet(exact));
  CHECK(packet(exact)->bytes.empty());
  CHECK(packet(prove::prove(&knows, &looks, {.agreement = Agreement::Refines})));
}

TEST_CASE("a packet is as long as what it is asked for") {
  const ir::Program port = graph(port_80);
  const ir::Program length_too = graph(
      "n0: return 1\nn1: return 0\nv0 = load 2 [36]\nn2: if v0 == 80 then n0 else n1\nn3: guard 2 [36] then n2\nv1 = length\nn4: "
      "if v1 >= 38 then n3 else n1\nroot n4\n");
  CHECK(proven(prove::prove(&port, &length_too)));
  CHECK(packet(prove::prove(&port, &length_too, {.real_lengths = false})));
}

TEST_CASE("how much is kept counts only when asked") {
  const cbpf::Program much = code({{op::RET | op::K, 0, 0, 262144}}), little = code({{op::RET | op::K, 0, 0, 96}});
  CHECK(proven(prove::prove(&much, &little)));
  CHECK(packet(prove::prove(&much, &little, {.kept_bytes = true})));
}

TEST_CASE("loops, programs without an end and metadata that no packet has are left undecided") {
  const cbpf::Program never = code({{op::RET | op::K, 0, 0, 0}});
  for (const cbpf::Program& p :
       {code({{op::JMP | op::JA, 0, 0, 0xffffffff}, {op::RET | op::K, 0, 0, 0}}), code({{op::LD | op::IMM, 0, 0, 1}}), code({}),
        code({{op::LD | op::W | op::ABS, 0, 0, meta_offset + 20}, {op::RET | op::A, 0, 0, 0}})}) {
    const Answer answer = prove::prove(&never, &p, {.libpcap = false});
    REQUIRE(std::holds_alternative<Undecided>(answer.is));
    CHECK_FALSE(std::get<Undecided>(answer.is).own_fault);
  }
}

TEST_CASE("a proof that takes too long is given up") {
  // Factors of a product of two primes near 2^16.
  const ir::Program hard = graph(
      "n0: return 1\nn1: return 0\nv0 = load 4 [0]\nv1 = load 4 [4]\nv2 = v0 * v1\nv3 = v1 * v0\nv4 = v2 * v2\nv5 = v4 * v0\nv6 "
      "= v0 * v4\nv7 = v6 + v1\n"
      "v8 = v7 * v3\nn2: if v8 == 4294049777 then n0 else n1\nn3: guard 8 [0] then n2\nroot n3\n");
  const ir::Program other = graph(
      "n0: return 1\nn1: return 0\nv0 = load 4 [0]\nv1 = load 4 [4]\nv2 = v0 * v1\nv4 = v0 * v0\nv5 = v4 * v1\nv6 = v5 * v5\nv7 "
      "= v2 * v1\nv9 = v6 + v7\n"
      "n2: if v9 == 4294049777 then n0 else n1\nn3: guard 8 [0] then n2\nroot n3\n");
  const Answer answer = prove::prove(&hard, &other, {.seconds = 0.3});
  CHECK(answer.seconds < 5);
}

TEST_CASE("random graphs: the answer with and without diagrams is one, and packets agree with it") {
  std::size_t equal = 0, different = 0;
  for (std::uint32_t seed = 1; seed <= 120; seed += WEIR_PART) {
    CAPTURE(seed);
    ir::RandomProgram first(seed), second(seed), packets(seed);
    const ir::Program a = first.make(12), b = second.make(12 + seed % 3);
    for (const Agreement agreement : {Agreement::Exact, Agreement::Whole, Agreement::Refines}) {
      const Answer with = prove::prove(&a, &b, {.agreement = agreement, .kept_bytes = true, .real_lengths = false, .seconds = 0.3});
      const Answer without = prove::prove(
          &a, &b, {.agreement = agreement, .kept_bytes = true, .real_lengths = false, .intervals = false, .seconds = 0.3});
      for (const Answer& answer : {with, without})
        if (const auto* u = std::get_if<Undecided>(&answer.is)) CHECK_MESSAGE(!u->own_fault, u->why);
      if (std::holds_alternative<Undecided>(with.is) || std::holds_alternative<Undecided>(without.is)) continue;
      CHECK(with.is.index() == without.is.index());
      ++(proven(with) ? equal : different);
      if (agreement != Agreement::Exact || !proven(with)) continue;
      for (int n = 0; n < 40; ++n) {
        const auto bytes = ir::random_bytes(packets);
        const Packet p{.bytes = bytes, .length = packets.below(100), .meta = {.vlan_tag = packets.below(5)}};
        CHECK(ir::evaluate(a, p) == ir::evaluate(b, p));
      }
    }
  }
  CHECK(equal > 50 / WEIR_PART);
  CHECK(different > 20 / WEIR_PART);
}

TEST_CASE("random bytecode: a program and the same with one instruction changed") {
  test::RandomPrograms random(1);
  std::size_t equal = 0, different = 0;
  for (int round = 0; round < 100; ++round) {
    const cbpf::Program a = random.program(6 + random.below(20));
    cbpf::Program b = a;
    const std::size_t at = random.below(static_cast<std::uint32_t>(b.instructions.size() - 1));
    b.instructions[at] = random.instruction(static_cast<std::uint32_t>(b.instructions.size() - 1 - at));
    if (cbpf::check(a) || cbpf::check(b)) continue;
    const Answer answer = prove::prove(&a, &b, {.agreement = Agreement::Exact, .kept_bytes = true, .real_lengths = false, .seconds = 0.3});
    CAPTURE(cbpf::to_string(a, cbpf::Style::Listing));
    CAPTURE(cbpf::to_string(b, cbpf::Style::Listing));
    if (const auto* u = std::get_if<Undecided>(&answer.is)) CHECK_MESSAGE(!u->own_fault, u->why);
    ++(proven(answer) ? equal : different);
    if (!proven(answer)) continue;
    for (std::uint32_t n = 0; n < 60; ++n) {
      const auto bytes = random.packet(n);
      const Packet p{.bytes = bytes, .length = n + random.below(3)};
      CHECK(vm::run(a, p, vm::Machine::Kernel) == vm::run(b, p, vm::Machine::Kernel));
      CHECK(vm::run(a, p, vm::Machine::Libpcap) == vm::run(b, p, vm::Machine::Libpcap));
    }
  }
  CHECK(equal > 20);
  CHECK(different > 20);
}
