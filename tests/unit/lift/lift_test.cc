// Programs of others as graphs: single rules by their text, and random programs against the machine that ran them.
#include <doctest/doctest.h>

#include "../cbpf/random_program.hpp"
#include "cbpf/emit.hpp"
#include "lift/lift.hpp"
#include "optimize/optimize.hpp"
#include "vm/cbpf.hpp"

namespace weir::lift {
namespace {

using namespace cbpf::op;
using cbpf::Instruction;

constexpr std::uint16_t ldh = LD | H | ABS, ldb = LD | B | ABS, ldw = LD | W | ABS;
constexpr Instruction ret_a{RET | A, 0, 0, 0}, tax{MISC | TAX, 0, 0, 0}, txa{MISC | TXA, 0, 0, 0};
constexpr Instruction ret(std::uint32_t k) { return {RET | K, 0, 0, k}; }
constexpr Instruction jump_if(std::uint16_t relation, std::uint32_t k, std::uint8_t t, std::uint8_t f) {
  return {static_cast<std::uint16_t>(JMP | relation | K), t, f, k};
}

std::string lifted(std::vector<Instruction> code, Machine machine = Machine::Libpcap) {
  const auto graph = lift({std::move(code), {}}, machine);
  return graph ? ir::to_string(*graph) : "error: " + graph.error().message;
}

TEST_CASE("tests, guards and returns") {
  CHECK(lifted({{ldh, 0, 0, 12}, jump_if(JEQ, 0x800, 0, 1), ret(96), ret(0)}) ==
        "n0: return 96\n"
        "n1: return 0\n"
        "v2 = load 2 [12]\n"
        "n2: if v2 == 0x800 then n0 else n1\n"
        "n3: guard 2 [12] then n2\n"
        "root n3\n");
  CHECK(lifted({{LD | LEN, 0, 0, 0}, ret_a}) == "v0 = length\nn0: return v0\nroot n0\n");
  CHECK(lifted({{LDX | B | MSH, 0, 0, 14}, txa, ret_a}) ==
        "v0 = load 1 [14]\n"
        "v2 = v0 & 15\n"
        "v4 = v2 << 2\n"
        "n0: return v4\n"
        "n1: guard 1 [14] then n0\n"
        "root n1\n");
  CHECK(lifted({{ldb, 0, 0, 0}, tax, {LD | IMM, 0, 0, 7}, {ALU | DIV | X, 0, 0, 0}, ret_a}) ==
        "v1 = load 1 [0]\n"
        "v2 = 7 / v1\n"
        "n0: return v2\n"
        "n1: nonzero v1 then n0\n"
        "n2: guard 1 [0] then n1\n"
        "root n2\n");
}

TEST_CASE("what is known needs no test") {
  CHECK(lifted({{LD | IMM, 0, 0, 7}, jump_if(JGT, 6, 0, 1), ret(1), ret(2)}) == "n0: return 1\nroot n0\n");
  CHECK(lifted({{LDX | IMM, 0, 0, 14}, {LD | H | IND, 0, 0, 2}, ret_a}) == lifted({{ldh, 0, 0, 16}, ret_a}));
  CHECK(lifted({{LD | LEN, 0, 0, 0}, {ALU | DIV | X, 0, 0, 0}, ret_a}) == "n0: return 0\nroot n0\n");  // X is 0
  CHECK(lifted({{LDX | IMM, 0, 0, 0x7fffffff}, {LD | H | IND, 0, 0, 2}, ret_a}) == "n0: return 0\nroot n0\n");
}

TEST_CASE("where ways meet, only what is still read tells them apart") {
  // A differs on the two ways and is not read; X differs and is.
  const auto join = [](Instruction last) {
    return lifted({{ldb, 0, 0, 0}, jump_if(JEQ, 1, 0, 1), {LDX | IMM, 0, 0, 4}, last, {ldb, 0, 0, 9}, {ALU | ADD | X, 0, 0, 0}, ret_a});
  };
  CHECK(join({LDX | IMM, 0, 0, 8}).find("if") == std::string::npos);
  CHECK(join({ST, 0, 0, 0}).find("if v") != std::string::npos);
}

TEST_CASE("metadata") {
  const std::uint32_t type = meta_offset + 4, tag = meta_offset + 44, mark = meta_offset + 20, xor_x = meta_offset + 40;
  CHECK(lifted({{ldw, 0, 0, type}, ret_a}, Machine::Kernel) == "v0 = meta packet_type\nn0: return v0\nroot n0\n");
  CHECK(lifted({{ldb, 0, 0, tag}, ret_a}, Machine::Libpcap) == lifted({{ldb, 0, 0, tag}, ret_a}, Machine::Kernel));
  CHECK(lifted({{ldw, 0, 0, type}, ret_a}, Machine::Libpcap) == "n0: return 0\nroot n0\n");
  CHECK(lifted({{LD | LEN, 0, 0, 0}, {LDX | IMM, 0, 0, 3}, {ldw, 0, 0, xor_x}, ret_a}, Machine::Kernel) ==
        lifted({{LD | LEN, 0, 0, 0}, {ALU | XOR | K, 0, 0, 3}, ret_a}));
  CHECK(lifted({{ldw, 0, 0, mark}, ret_a}, Machine::Kernel) ==
        "error: instruction 0 (ld [mark]): a filter cannot mean this: it is no property of the packet that is known here");
  CHECK_FALSE(is_for_kernel({{{ldb, 0, 0, tag}}, {}}));
  CHECK(is_for_kernel({{{ldw, 0, 0, tag}}, {}}));
  CHECK(is_for_kernel({{{ldb, 0, 0, 0xfff00009}}, {}}));
}

TEST_CASE("what is no filter is refused with the instruction") {
  CHECK(lifted({}) == "error: the program has no instructions");
  CHECK(lifted({{0xff, 0, 0, 0}, ret(0)}).starts_with("error: instruction 0 (unimp"));
  CHECK(lifted({{JMP | JA, 0, 0, 0xffffffff}, ret(0)}).find("jumps back") != std::string::npos);
  CHECK(lifted({jump_if(JEQ, 1, 0, 9), ret(0)}) ==
        "error: instruction 0 (jeq #0x1): the false way goes to instruction 10, but the program has 2");
  CHECK(lifted({{ldb, 0, 0, 0}}).find("the last instruction does not return") != std::string::npos);
}

/// What the program returns there, by the machine itself.
std::uint32_t run(const cbpf::Program& p, const Packet& packet, Machine machine) {
  return vm::run(p, packet, machine == Machine::Kernel ? vm::Machine::Kernel : vm::Machine::Libpcap);
}

/// On packets of random bytes; the same with values that meet as choices.
void compare(const cbpf::Program& p, Machine machine, test::RandomPrograms& random, const Limits& limits = {}) {
  const auto graph = lift(p, machine, limits);
  REQUIRE(graph);
  const auto wrong = ir::verify(*graph);
  CHECK_MESSAGE(!wrong, *wrong);
  const ir::Program optimized = optimize::optimize(*graph);
  const auto again = cbpf::emit(optimized);
  for (int packets = 0; packets < 12; ++packets) {
    const auto bytes = random.packet(random.below(70));
    const Packet packet{.bytes = bytes, .length = random.below(2) ? random.number() : static_cast<std::uint32_t>(bytes.size())};
    const std::uint32_t expected = run(p, packet, machine);
    REQUIRE(ir::evaluate(*graph, packet) == expected);
    if (expected == 0) continue;  // optimized, it may accept a packet that is cut off
    REQUIRE(ir::evaluate(optimized, packet) == expected);
    if (!again) continue;
    REQUIRE(run(*again, packet, Machine::Libpcap) == expected);
    REQUIRE(run(*again, packet, Machine::Kernel) == expected);
  }
}

TEST_CASE("scratch words are written on the ways that only the kernel counts, too") {
  // Made at random. Unoptimized, a word that is read behind a `ret` is written on every way there but the one past it.
  const auto program = cbpf::read_decimal(
      "34,116 0 0 19,132 4 7 4294963232,80 1 7 1163082774,4 5 7 1763790018,77 6 7 4294963200,177 7 0 32,128 5 6 416444336,"
      "1 3 5 3900744742,5 6 6 24,32 1 5 406140553,7 2 1 2497340371,108 3 2 4294963240,80 1 7 4294963212,7 6 5 32,61 6 4 "
      "4294963236,48 0 2 2509392220,"
      "100 3 5 28,76 1 1 6,61 0 5 2845547696,177 1 6 31,37 0 0 2555231517,164 7 4 20,72 7 0 4294963256,3 6 5 8,77 5 1 19,52 4 5 "
      "12,124 1 4 18,"
      "84 5 7 4294963200,77 0 2 4294963240,61 0 2 1172464721,7 4 2 4272100194,164 7 2 4294963224,60 3 2 4294963216,22 0 0 0");
  REQUIRE(program);
  const auto graph = lift(*program, Machine::Kernel);
  REQUIRE(graph);
  const auto again = cbpf::emit(*graph);
  REQUIRE(again);
  CHECK(!cbpf::check(*again));
  CHECK(again->instructions.front() == Instruction{ST, 0, 0, 0});
}

TEST_CASE("random programs do as graphs what they do as programs, and still do when compiled anew") {
  test::RandomPrograms random(11);
  for (int n = 0; n < 3000; ++n) {
    const cbpf::Program p = random.program(1 + random.below(40));
    for (const Machine machine : {Machine::Libpcap, Machine::Kernel}) {
      CAPTURE(cbpf::to_string(p, cbpf::Style::Decimal));
      CAPTURE(machine == Machine::Kernel);
      compare(p, machine, random);
      if (n % 4 == 0) compare(p, machine, random, {.lifted_states = 0});
    }
  }
}

/// Each of some scratch words is what it was, or one more where a byte says so; all are added up in the end.
cbpf::Program counting(std::uint32_t bytes, std::uint32_t words) {
  std::vector<Instruction> code;
  for (std::uint32_t at = 0; at < bytes; ++at) {
    const Instruction one[] = {{ldb, 0, 0, at},
                               jump_if(JSET, 1, 0, 3),
                               {LD | MEM, 0, 0, at % words},
                               {ALU | ADD | K, 0, 0, 1 + at},
                               {ST, 0, 0, at % words}};
    code.insert(code.end(), std::begin(one), std::end(one));
  }
  code.push_back({LD | IMM, 0, 0, 0});
  for (std::uint32_t word = 0; word < words; ++word) {
    const Instruction add[] = {{LDX | MEM, 0, 0, word}, {ALU | ADD | X, 0, 0, 0}};
    code.insert(code.end(), std::begin(add), std::end(add));
  }
  code.push_back(ret_a);
  return {std::move(code), {}};
}

TEST_CASE("values that meet are a choice where ways would get too many") {
  const cbpf::Program p = counting(32, 16);
  const auto graph = lift(p, Machine::Libpcap);
  REQUIRE(graph);
  CHECK(graph->has_choices());
  CHECK(graph->node_count() < 8 * p.instructions.size());
  test::RandomPrograms random(12);
  compare(p, Machine::Libpcap, random);
  compare(p, Machine::Kernel, random);
}

TEST_CASE("a program that fits comes back as one that fits, also without the optimizer") {
  std::vector<Instruction> code;  // eight ways to three words, and after them as many tests as would not fit eight times
  for (std::uint32_t word = 0; word < 3; ++word) {
    const Instruction one[] = {{ldb, 0, 0, word}, jump_if(JSET, 1, 1, 0), {LD | B | ABS, 0, 0, 40 + word}, {ST, 0, 0, word}};
    code.insert(code.end(), std::begin(one), std::end(one));
  }
  for (std::uint32_t test = 0; test < 250; ++test) {
    const Instruction one[] = {{LDX | MEM, 0, 0, test % 3}, {LD | B | IND, 0, 0, test}, jump_if(JEQ, test % 7, 0, 1), ret(test)};
    code.insert(code.end(), std::begin(one), std::end(one));
  }
  code.push_back(ret(9999));
  const auto graph = lift({code, {}}, Machine::Kernel);
  REQUIRE(graph);
  const auto again = cbpf::emit(*graph);
  REQUIRE(again);
  CHECK(again->instructions.size() < code.size() + 50);
}

TEST_CASE("where choices get too large, states stay apart; what has too many of both is refused with the instruction") {
  const cbpf::Program few = counting(8, 4);
  const auto together = lift(few, Machine::Libpcap, {.lifted_states = 0}),
             apart = lift(few, Machine::Libpcap, {.lifted_states = 0, .lifted_tests = 3});
  REQUIRE(together);
  REQUIRE(apart);
  CHECK(together->has_choices());
  CHECK(!apart->has_choices());
  const auto doubled = lift(counting(400, 4), Machine::Libpcap);  // each choice holds the one before it twice
  REQUIRE(!doubled);
  CHECK(doubled.error().message.find("instruction ") == 0);
  CHECK(doubled.error().message.ends_with("the ways to here bring more than 200000 combinations of values"));
}

}  // namespace
}  // namespace weir::lift
