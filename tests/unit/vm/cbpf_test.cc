// The interpreter: known answers, then random programs against the installed libpcap and the running kernel.
#include "vm/cbpf.hpp"

#include <doctest/doctest.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <initializer_list>
#include <numeric>
#include <string>

#include "../cbpf/random_program.hpp"

namespace weir::vm {
namespace {

using namespace cbpf::op;
using cbpf::Instruction;
using Instructions = std::vector<Instruction>;

/// 64 bytes that tell their place: 0x40, 0x41 …; of 1000 on the wire.
const std::vector<std::uint8_t> sample = [] {
  std::vector<std::uint8_t> bytes(64);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0x40});
  return bytes;
}();
const Packet packet{sample, 1000, {0x806, 4, 7, 0x2123, 1, 0x8100}};

std::uint32_t result(Instructions code, Machine machine) {
  code.push_back({RET | A, 0, 0, 0});
  return run({std::move(code), {}}, packet, machine);
}

/// A program that leaves its result in A, and what the machines return.
struct Row {
  Instructions code;
  std::uint32_t libpcap;
  std::uint32_t kernel;
};

void check_rows(std::initializer_list<Row> rows) {
  for (const Row& row : rows) {
    INFO(cbpf::to_string(cbpf::Program{row.code, {}}, cbpf::Style::Listing));
    CHECK(result(row.code, Machine::Libpcap) == row.libpcap);
    CHECK(result(row.code, Machine::Kernel) == row.kernel);
  }
}

Instructions set_a_x(std::uint32_t a, std::uint32_t x, Instruction then) {
  return {{LDX | IMM, 0, 0, x}, {LD | IMM, 0, 0, a}, then};
}

TEST_CASE("loads") {
  check_rows({
      {{{LD | B | ABS, 0, 0, 0}}, 0x40, 0x40},
      {{{LD | H | ABS, 0, 0, 1}}, 0x4142, 0x4142},
      {{{LD | W | ABS, 0, 0, 60}}, 0x7c7d7e7f, 0x7c7d7e7f},
      {{{LD | IMM, 0, 0, 9}, {LD | W | ABS, 0, 0, 61}}, 0, 0},  // three bytes are there
      {{{LD | IMM, 0, 0, 9}, {LD | H | ABS, 0, 0, 63}}, 0, 0},
      {{{LD | IMM, 0, 0, 9}, {LD | B | ABS, 0, 0, 64}}, 0, 0},
      {{{LD | IMM, 0, 0, 9}, {LD | B | ABS, 0, 0, 0x7fffffff}}, 0, 0},
      {{{LD | IMM, 0, 0, 9}, {LD | B | ABS, 0, 0, 0x80000000}}, 0, 0},
      {{{LD | LEN, 0, 0, 0}}, 1000, 1000},
      {{{LDX | LEN, 0, 0, 0}, {MISC | TXA, 0, 0, 0}}, 1000, 1000},
      {{{LDX | B | MSH, 0, 0, 5}, {MISC | TXA, 0, 0, 0}}, 20, 20},  // 0x45
      {{{LD | IMM, 0, 0, 9}, {LDX | B | MSH, 0, 0, 5}}, 9, 9},
      {{{LD | IMM, 0, 0, 9}, {LDX | B | MSH, 0, 0, 64}}, 0, 0},
      {{{LDX | IMM, 0, 0, 3}, {LD | B | IND, 0, 0, 2}}, 0x45, 0x45},
      {{{LDX | IMM, 0, 0, 3}, {LD | W | IND, 0, 0, 57}}, 0x7c7d7e7f, 0x7c7d7e7f},
      {{{LDX | IMM, 0, 0, 3}, {LD | W | IND, 0, 0, 58}}, 0, 0},
      {{{LDX | IMM, 0, 0, 8}, {LD | B | IND, 0, 0, 0xfffffffe}}, 0, 0x46},  // the kernel wraps
      {{{LDX | IMM, 0, 0, 0xffffffff}, {LD | H | IND, 0, 0, 1}}, 0, 0x4041},
      {{{LDX | IMM, 0, 0, 0xffffffff}, {LD | H | IND, 0, 0, 0}}, 0, 0},
  });
}

TEST_CASE("negative offsets of the kernel") {
  check_rows({
      {{{LD | B | ABS, 0, 0, 0xfff00000}}, 0, 0x4e},  // the network header: 14
      {{{LD | H | ABS, 0, 0, 0xfff00000 + 48}}, 0, 0x7e7f},
      {{{LD | H | ABS, 0, 0, 0xfff00000 + 49}}, 0, 0},
      {{{LDX | IMM, 0, 0, 2}, {LD | B | IND, 0, 0, 0xfff00000}}, 0, 0x50},
      {{{LDX | B | MSH, 0, 0, 0xfff00000}, {MISC | TXA, 0, 0, 0}}, 0, 56},
      {{{LD | W | ABS, 0, 0, 0xffe00000}}, 0, 0x40414243},  // the link-layer header: 0
      {{{LD | B | ABS, 0, 0, 0xffdfffff}}, 0, 0},
      {{{LDX | IMM, 0, 0, 0}, {LD | B | IND, 0, 0, 0xfffff004}}, 0, 0},  // metadata have no [x + k]
      {{{LDX | B | MSH, 0, 0, 0xfffff004}, {MISC | TXA, 0, 0, 0}}, 0, 0},
  });
}

TEST_CASE("metadata") {
  const auto load = [](std::uint16_t size, std::uint32_t offset) {
    return Instructions{{static_cast<std::uint16_t>(LD | size | ABS), 0, 0, meta_offset + offset}};
  };
  for (const std::uint16_t size : {B, H, W})
    check_rows({
        {load(size, 0), 0, 0x806},
        {load(size, 4), 0, 4},
        {load(size, 8), 0, 7},
        {load(size, 44), size == B ? 0x2123u : 0, 0x2123},
        {load(size, 48), size == B ? 1u : 0, 1},
        {load(size, 60), 0, 0x8100},
        {load(size, 20), 0, 0},  // the mark, which a Packet does not tell
        {set_a_x(0xf0, 0x3c, load(size, 40)[0]), 0, 0xcc},
        {set_a_x(9, 9, load(size, 1)[0]), 0, 0},  // nothing is there: ends
    });
}

TEST_CASE("arithmetic") {
  check_rows({
      {set_a_x(0xffffffff, 0, {ALU | ADD | K, 0, 0, 2}), 1, 1},
      {set_a_x(1, 2, {ALU | SUB | X, 0, 0, 0}), 0xffffffff, 0xffffffff},
      {set_a_x(0x10001, 0x10001, {ALU | MUL | X, 0, 0, 0}), 0x20001, 0x20001},
      {set_a_x(0x80000000, 3, {ALU | DIV | X, 0, 0, 0}), 0x2aaaaaaa, 0x2aaaaaaa},
      {set_a_x(0xffffffff, 10, {ALU | MOD | X, 0, 0, 0}), 5, 5},
      {set_a_x(7, 0, {ALU | DIV | X, 0, 0, 0}), 0, 0},
      {set_a_x(7, 0, {ALU | MOD | X, 0, 0, 0}), 0, 0},
      {set_a_x(0xf0f0, 0, {ALU | XOR | K, 0, 0, 0xff00}), 0x0ff0, 0x0ff0},
      {set_a_x(1, 0, {ALU | NEG, 0, 0, 0}), 0xffffffff, 0xffffffff},
      {set_a_x(0x80000000, 0, {ALU | NEG, 0, 0, 0}), 0x80000000, 0x80000000},
      {set_a_x(3, 31, {ALU | LSH | X, 0, 0, 0}), 0x80000000, 0x80000000},
      {set_a_x(3, 32, {ALU | LSH | X, 0, 0, 0}), 0, 3},
      {set_a_x(6, 33, {ALU | RSH | X, 0, 0, 0}), 0, 3},
      {set_a_x(6, 0xffffffff, {ALU | RSH | X, 0, 0, 0}), 0, 0},
      {{{LD | IMM, 0, 0, 5}, {ST, 0, 0, 15}, {LD | IMM, 0, 0, 0}, {LDX | MEM, 0, 0, 15}, {MISC | TXA, 0, 0, 0}}, 5, 5},
  });
  // A division by 0 ends the program, whatever follows.
  for (const Machine machine : {Machine::Libpcap, Machine::Kernel})
    CHECK(run({{{ALU | DIV | X, 0, 0, 0}, {RET | K, 0, 0, 1}}, {}}, packet, machine) == 0);
}

TEST_CASE("jumps") {
  const auto taken = [](std::uint16_t relation, std::uint32_t a, std::uint32_t b) {
    const auto code = static_cast<std::uint16_t>(JMP | relation);
    const Instructions by_k = {{LD | IMM, 0, 0, a}, {code, 1, 0, b}, {RET | K, 0, 0, 10}, {RET | K, 0, 0, 11}};
    const Instructions by_x = {{LD | IMM, 0, 0, a}, {LDX | IMM, 0, 0, b}, {static_cast<std::uint16_t>(code | X), 1, 0, 77},
                               {RET | K, 0, 0, 10}, {RET | K, 0, 0, 11}};
    const std::uint32_t result = run({by_k, {}}, packet, Machine::Kernel);
    for (const Instructions& same : {by_k, by_x})
      for (const Machine machine : {Machine::Libpcap, Machine::Kernel}) CHECK(run({same, {}}, packet, machine) == result);
    return result == 11;
  };
  CHECK(taken(JEQ, 5, 5));
  CHECK_FALSE(taken(JEQ, 5, 6));
  CHECK(taken(JGT, 0x80000000, 1));  // no sign
  CHECK_FALSE(taken(JGT, 5, 5));
  CHECK(taken(JGE, 5, 5));
  CHECK_FALSE(taken(JGE, 5, 0xffffffff));
  CHECK(taken(JSET, 6, 3));
  CHECK_FALSE(taken(JSET, 6, 9));
}

TEST_CASE("loops: libpcap's machine has them, up to a limit") {
  // Adds 1 until A is 100.
  const cbpf::Program count{{{ALU | ADD | K, 0, 0, 1}, {JMP | JEQ | K, 1, 0, 100}, {JMP | JA, 0, 0, 0xfffffffd}, {RET | A, 0, 0, 0}}, {}};
  std::uint64_t steps = 0;
  CHECK(run(count, packet, Machine::Libpcap, &steps) == 100);
  CHECK(steps == 300);
  CHECK(run(count, packet, Machine::Kernel) == 0);
  const cbpf::Program forever{{{JMP | JA, 0, 0, 0xffffffff}, {RET | K, 0, 0, 1}}, {}};
  CHECK(run(forever, packet, Machine::Libpcap, &steps) == 0);
  CHECK(steps == 1'000'000);
}

TEST_CASE("what has no verdict says why where somebody looks on") {
  const auto fault = [](const cbpf::Program& p, Machine machine = Machine::Kernel) {
    return run_traced(p, packet, machine, [](const Step&) {}).fault;
  };
  CHECK_FALSE(fault({{{RET | K, 0, 0, 1}}, {}}));
  CHECK_FALSE(fault({{{LD | B | ABS, 0, 0, 100'000}}, {}}));  // rejects
  CHECK_FALSE(fault({{{ALU | DIV | K, 0, 0, 0}}, {}}));       // this, too
  CHECK(fault({}));
  CHECK(fault({{{LD | IMM, 0, 0, 1}, {JMP | JEQ | K, 1, 0, 1}, {RET | K, 0, 0, 1}}, {}})->instruction == 1);
  CHECK(std::string(fault({{{LD | IMM, 0, 0, 1}}, {}})->reason) == "leads out of the program");
  CHECK(fault({{{JMP | JA, 0, 0, 0xffffffff}}, {}}, Machine::Libpcap));
  CHECK(fault({{{ST, 0, 0, cbpf::scratch_words}, {RET | K, 0, 0, 1}}, {}}));
  CHECK(fault({{{0xff, 0, 0, 0}}, {}}));
}

TEST_CASE("any bytes are safe as a program") {
  test::RandomPrograms random(7);
  for (int round = 0; round < 20'000; ++round) {
    cbpf::Program p;
    for (std::uint32_t n = random.below(10); n > 0; --n)
      p.instructions.push_back({static_cast<std::uint16_t>(random.below(0xc0)), static_cast<std::uint8_t>(random.below(16)),
                                static_cast<std::uint8_t>(random.below(16)),
                                random.below(2) ? random.number() : meta_offset + random.below(70)});
    const bool loops = std::any_of(p.instructions.begin(), p.instructions.end(),
                                   [](const Instruction& i) { return i.code == (JMP | JA) && i.k >> 31; });
    run(p, packet, Machine::Kernel);
    if (!loops) run(p, packet, Machine::Libpcap);
  }
}

/// Random programs that check accepts, each on some packets.
template <class Test>
void on_random_programs(std::uint32_t seed, int rounds, const Test& test) {
  test::RandomPrograms random(seed);
  int ran = 0, kept = 0, bad = 0;
  for (int round = 0; round < rounds && bad < 3; ++round) {
    const cbpf::Program p = random.program(1 + random.below(30));
    if (cbpf::check(p)) continue;
    std::vector<std::vector<std::uint8_t>> packets;
    for (const std::uint32_t size : {1 + random.below(20), 20 + random.below(60), 64 + random.below(100)})
      packets.push_back(random.packet(size));
    for (const auto& [ours, theirs] : test(p, packets)) {
      ++ran;
      kept += theirs != 0;
      if (ours != theirs && ++bad)
        FAIL_CHECK("seed " << seed << ", round " << round << ": " << ours << ", but " << theirs << " there, of\n"
                           << cbpf::to_string(p, cbpf::Style::Decimal));
    }
  }
  MESSAGE("seed " << seed << ": " << ran << " runs, " << kept << " of them not 0");
  CHECK(kept > ran / 4);
}

using Results = std::vector<std::pair<std::size_t, std::size_t>>;

TEST_CASE("runs as the installed libpcap") {
  on_random_programs(8, 20'000, [](const cbpf::Program& p, const auto& packets) {
    std::vector<bpf_insn> code;
    for (const Instruction& i : p.instructions) code.push_back({i.code, i.jt, i.jf, i.k});
    Results results;
    for (const auto& bytes : packets) {
      const auto size = static_cast<std::uint32_t>(bytes.size());
      const std::uint32_t result = run(p, {bytes, size + 5, {}}, Machine::Libpcap);
      CHECK(run_checked(p, {bytes, size + 5, {}}, Machine::Libpcap) == result);
      results.emplace_back(result, bpf_filter(code.data(), bytes.data(), size + 5, size));
    }
    return results;
  });
}

TEST_CASE("runs as the running kernel") {
  test::KernelSocket kernel;
  if (!kernel.works()) {
    MESSAGE("no sockets here: the kernel is not asked");
    return;
  }
  // The headers of a datagram on a local socket are nowhere: programs read at ordinary offsets only.
  on_random_programs(9, 10'000, [&](const cbpf::Program& p, const auto& packets) {
    Results results;
    if (kernel.attach(p) != 0) return Results{{0, SIZE_MAX}};
    for (const auto& bytes : packets) {
      const auto size = static_cast<std::uint32_t>(bytes.size());
      const std::uint32_t result = run(p, {bytes, size, {}}, Machine::Kernel);
      CHECK(run_checked(p, {bytes, size, {}}, Machine::Kernel) == result);
      results.emplace_back(std::min(size, result), kernel.keep(bytes));
    }
    return results;
  });
}

}  // namespace
}  // namespace weir::vm
