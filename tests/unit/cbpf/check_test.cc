// The checker against known answers, libpcap's validator and the running kernel.
#include <doctest/doctest.h>
#include <pcap/pcap.h>

#include <chrono>

#include "random_program.hpp"

namespace weir::cbpf {
namespace {

using namespace op;
using Instructions = std::vector<Instruction>;

constexpr Instruction accept{RET | K, 0, 0, 1};

bool pcap_accepts(const Program& p) {
  std::vector<bpf_insn> code;
  for (const Instruction& i : p.instructions) code.push_back({i.code, i.jt, i.jf, i.k});
  return bpf_validate(code.data(), static_cast<int>(code.size())) != 0;
}

TEST_CASE("what is wrong, and where") {
  struct Row {
    Instructions code;
    const char* message;  ///< empty: nothing is wrong
  };
  for (const Row& row : {
           Row{{accept}, ""},
           Row{{}, "the program has no instructions"},
           Row{Instructions(4096, accept), ""},
           Row{Instructions(4098, accept), "the program has 4098 instructions, 2 more than a kernel takes"},
           Row{{{LD | IMM, 0, 0, 1}}, "instruction 0 (ld #0x1): the last instruction does not return"},
           Row{{accept, {0x1234, 0, 0, 0}, accept}, "instruction 1 (unimp 0x1234): there is no such instruction"},
           Row{{{LD | H | LEN, 0, 0, 0}, accept}, "instruction 0 (unimp 0x88): there is no such instruction"},
           Row{{{RET | X, 0, 0, 0}}, "instruction 0 (unimp 0xe): there is no such instruction"},
           Row{{{LDX | LEN, 0, 0, 0}, accept}, ""},
           Row{{{ALU | DIV | K, 0, 0, 0}, accept}, "instruction 0 (div #0): divides by 0"},
           Row{{{ALU | MOD | K, 0, 0, 0}, accept}, "instruction 0 (mod #0): divides by 0"},
           Row{{{ALU | LSH | K, 0, 0, 31}, accept}, ""},
           Row{{{ALU | LSH | K, 0, 0, 32}, accept}, "instruction 0 (lsh #32): shifts by 32 or more"},
           Row{{{ALU | RSH | K, 0, 0, 32}, accept}, "instruction 0 (rsh #32): shifts by 32 or more"},
           Row{{{JMP | JEQ | K, 0, 1, 6}, accept, accept}, ""},
           Row{{{JMP | JEQ | K, 2, 0, 6}, accept, accept},
               "instruction 0 (jeq #0x6): the true way goes to instruction 3, but the program has 3"},
           Row{{{JMP | JSET | X, 0, 255, 0}, accept},
               "instruction 0 (jset x): the false way goes to instruction 256, but the program has 2"},
           Row{{{JMP | JA, 0, 0, 1}, accept}, "instruction 0 (ja +1): goes to instruction 2, but the program has 2"},
           Row{{accept, {JMP | JA, 0, 0, 0xfffffffe}, accept},
               "instruction 1 (ja -2): goes to instruction 4294967296, but the program has 3"},
           Row{{{LD | B | ABS, 0, 0, 0xfffff030}, accept}, ""},
           Row{{{LD | B | ABS, 0, 0, 0xfffff03c}, accept}, ""},
           Row{{{LD | B | ABS, 0, 0, 0xffffefff}, accept}, ""},
           Row{{{LD | B | ABS, 0, 0, 0xfffff001}, accept},
               "instruction 0 (ldb [-4095]): there is no metadata at offset 0xfffff001"},
           Row{{{LD | W | ABS, 0, 0, 0xfffff040}, accept},
               "instruction 0 (ld [-4032]): there is no metadata at offset 0xfffff040"},
           Row{{{ST, 0, 0, 16}, accept}, "instruction 0 (st M[16]): there are only 16 scratch words"},
           Row{{{ST, 0, 0, 15}, {LDX | MEM, 0, 0, 15}, accept}, ""},
           Row{{{LD | MEM, 0, 0, 2}, accept}, "instruction 0 (ld M[2]): scratch word 2 is not written on every path to here"},
           // Written on one of two ways.
           Row{{{JMP | JEQ | K, 1, 0, 0}, {ST, 0, 0, 1}, {LD | MEM, 0, 0, 1}, accept},
               "instruction 2 (ld M[1]): scratch word 1 is not written on every path to here"},
           // Written on both.
           Row{{{JMP | JEQ | K, 2, 0, 0}, {ST, 0, 0, 1}, {JMP | JA, 0, 0, 1}, {STX, 0, 0, 1}, {LD | MEM, 0, 0, 1}, accept}, ""},
           // The kernel lets a path go on behind `ret`: M[1] is written wherever instruction 4 is reached from, and yet.
           Row{{{JMP | JEQ | K, 2, 0, 0}, {ST, 0, 0, 1}, {JMP | JA, 0, 0, 1}, accept, {LD | MEM, 0, 0, 1}, accept},
               "instruction 4 (ld M[1]): scratch word 1 is not written on every path to here"},
       }) {
    const auto problem = check({row.code, {}});
    CHECK((problem ? problem->message : "") == row.message);
    test::KernelSocket kernel;
    if (kernel.works() && !row.code.empty()) CHECK(kernel.accepts({row.code, {}}) == (*row.message == '\0'));
  }
}

TEST_CASE("the words of the filter come along") {
  const Program p{{{ALU | DIV | K, 0, 0, 0}, accept}, {{3, 7}, {0, 9}}};
  REQUIRE(check(p));
  CHECK(check(p)->span == Span{3, 7});
  CHECK(check(p)->code == Code::Input);
  CHECK(check({Instructions(4097, accept), {}})->code == Code::TooLarge);
}

TEST_CASE("a jump that is too far once the kernel has translated it") {
  const auto jump_over = [](std::uint32_t loads) {
    Program p;
    p.instructions.push_back({JMP | JA, 0, 0, loads});
    p.instructions.resize(loads + 1, {LD | W | ABS, 0, 0, 0x8000});
    p.instructions.push_back(accept);
    return p;
  };
  CHECK_FALSE(check(jump_over(2000)));
  CHECK(check(jump_over(2048)));
  CHECK(check(jump_over(4000)));
  test::KernelSocket kernel;
  if (kernel.works()) CHECK_FALSE(kernel.accepts(jump_over(2100)));
}

TEST_CASE("the longest program is checked in no time") {
  test::RandomPrograms random(4);
  Program p;
  while (p.instructions.size() < 4095)
    p.instructions.push_back(random.instruction(static_cast<std::uint32_t>(4095 - p.instructions.size())));
  for (Instruction& i : p.instructions)
    if (i.code == (LD | MEM) || i.code == (LDX | MEM)) i.code = ST;
  p.instructions.push_back(accept);
  const auto start = std::chrono::steady_clock::now();
  const auto problem = check(p);
  CHECK((problem ? problem->message : "") == "");
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::milliseconds(50));
}

/// Changes one field of one instruction, to something near or to anything.
void mutate(Program& p, test::RandomPrograms& random) {
  Instruction& i = p.instructions[random.below(static_cast<std::uint32_t>(p.instructions.size()))];
  switch (random.below(6)) {
    case 0: i.code = static_cast<std::uint16_t>(random.below(256)); break;
    case 1: i.code = static_cast<std::uint16_t>(random.number()); break;
    case 2: i.jt = static_cast<std::uint8_t>(random.below(256)); break;
    case 3: i.jf = static_cast<std::uint8_t>(random.below(64)); break;
    case 4: i.k = random.number(); break;
    default: i.k = meta_offset + random.below(70); break;
  }
}

TEST_CASE("accepts what libpcap and the kernel both accept, and nothing else") {
  constexpr std::uint32_t seed = 5;
  test::KernelSocket kernel;
  if (!kernel.works()) MESSAGE("no sockets here: the kernel is not asked");
  test::RandomPrograms random(seed);
  int accepted = 0, refused = 0;
  for (int round = 0; round < 6000; ++round) {
    Program p = random.program(1 + random.below(40));
    for (std::uint32_t changes = random.below(3); changes > 0; --changes) mutate(p, random);
    const auto problem = check(p);
    (problem ? refused : accepted) += 1;
    if (!kernel.works()) continue;
    const bool theirs = kernel.accepts(p) && pcap_accepts(p);
    if (theirs != !problem)
      FAIL_CHECK("seed " << seed << ", round " << round << ": check says " << (problem ? problem->message : "good")
                         << ", kernel and libpcap " << (theirs ? "accept" : "refuse") << "\n"
                         << to_string(p, Style::Decimal));
  }
  CHECK(accepted > 1000);
  CHECK(refused > 1000);
}

}  // namespace
}  // namespace weir::cbpf
