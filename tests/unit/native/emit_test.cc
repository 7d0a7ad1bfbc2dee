// Native code of all CPUs against the graph's own evaluator: that of this one as it is, that for AArch64 in a simulator.
#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include "../ir/random_program.hpp"
#include "guarded.hpp"
#include "native/batch.hpp"
#include "native/emit.hpp"
#include "simulate/simulator.hpp"

using namespace weir;

namespace {

simulate::Simulator& simulator() {
  static simulate::Simulator one;
  return one;
}

std::uint32_t simulated(const native::Encoded& code, const Packet& packet) {
  const auto ran = simulator().run(code, packet);
  CHECK_MESSAGE(!ran.broken, ran.broken.value_or(""));
  return ran.result;
}

/// A graph from its text, and packets for it, on all engines.
class Pair {
 public:
  explicit Pair(const std::string& text) : Pair(*ir::read(text)) {}
  explicit Pair(ir::Program graph)
      : graph_(std::move(graph)), code_(*native::emit(graph_)), aarch64_(*native::encode(graph_, native::Cpu::AArch64)) {}

  /// What the code returns for the first n bytes; they lie at the end of a page, as it were: the sanitizers see what is read past them.
  std::uint32_t run(const std::vector<std::uint8_t>& bytes, std::uint32_t length = 0, Metadata meta = {}) const {
    const std::vector<std::uint8_t> own(bytes);
    const Packet packet{own, length, meta};
    const std::uint32_t expected = ir::evaluate(graph_, packet), got = code_.run(packet);
    CHECK_EQ(got, expected);
    CHECK_EQ(simulated(aarch64_, packet), expected);
    return got;
  }
  const ir::Program& graph() const { return graph_; }
  const native::Code& code() const { return code_; }
  const native::Encoded& aarch64() const { return aarch64_; }

 private:
  ir::Program graph_;
  native::Code code_;
  native::Encoded aarch64_;
};

std::vector<std::uint8_t> bytes_of(std::mt19937& random, std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  // Small bytes lead to small offsets, and so to loads inside the packet.
  for (auto& b : bytes) b = static_cast<std::uint8_t>(random() % 3 == 0 ? random() : random() % 12);
  return bytes;
}

std::vector<std::uint8_t> word(std::uint32_t k) {
  return {static_cast<std::uint8_t>(k >> 24), static_cast<std::uint8_t>(k >> 16), static_cast<std::uint8_t>(k >> 8),
          static_cast<std::uint8_t>(k)};
}

}  // namespace

TEST_CASE("random graphs return what the evaluator says") {
  std::mt19937 random(1);
  int emitted = 0;
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    ir::RandomProgram maker(seed);
    const ir::Program graph = ir::Guarded(maker.make(3 + seed % 14)).make();
    if (graph.node_count() > 3000) continue;  // guards of values inside values multiply
    REQUIRE_MESSAGE(!ir::verify(graph), *ir::verify(graph));
    const auto code = native::emit(graph);
    const auto aarch64 = native::encode(graph, native::Cpu::AArch64);
    if (!code) REQUIRE_MESSAGE(code.error().code == Code::TooLarge, code.error().message);
    if (!aarch64) REQUIRE_MESSAGE(aarch64.error().code == Code::TooLarge, aarch64.error().message);
    if (!code || !aarch64) continue;
    ++emitted;
    for (int i = 0; i < 40; ++i) {
      const auto bytes = bytes_of(random, random() % 40);
      const Packet packet{bytes, static_cast<std::uint32_t>(random() % 64), {1, 2, 3, static_cast<std::uint32_t>(random() % 20), 1, 6}};
      const std::uint32_t expected = ir::evaluate(graph, packet), got = code->run(packet);
      if (got != expected) {
        MESSAGE("seed ", seed, ":\n", ir::to_string(graph), native::to_string(*code, ""));
        REQUIRE_EQ(got, expected);
      }
      if (const auto there = simulated(*aarch64, packet); there != expected) {
        MESSAGE("seed ", seed, ":\n", ir::to_string(graph), native::to_string(*aarch64, ""));
        REQUIRE_EQ(there, expected);
      }
    }
  }
  CHECK_GT(emitted, 2500);
}

TEST_CASE("code for AArch64 has a frame where it needs one, and none elsewhere") {
  const auto has_frame = [](const native::Encoded& code) {  // sub sp, sp, #k
    return code.bytes[3] == 0xd1 && (code.bytes[0] & 0x1f) == 0x1f && (code.bytes[1] & 3) == 3;
  };
  // Choices have homes, of which the first four are registers.
  const auto choosing = [](std::uint32_t count) {
    ir::Program p;
    ir::ValueId sum = p.constant(0);
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto chosen = p.choice(
          p.test(Relation::Greater, p.load(1, ir::no_value, i), p.constant(5), p.ret(i + 3), p.ret(p.load(1, ir::no_value, 20))));
      sum = p.binary(Arith::Add, p.binary(Arith::Mul, sum, p.constant(3)), chosen);
    }
    p.root = p.guard(1, ir::no_value, 20, p.guard(1, ir::no_value, count, p.ret(sum)));
    return p;
  };
  for (const std::uint32_t count : {1u, 4u, 5u, 40u}) {
    const Pair pair(choosing(count));
    CHECK_EQ(has_frame(pair.aarch64()), count > 4);
    for (std::uint8_t i = 0; i < 60; ++i) {
      std::vector<std::uint8_t> bytes(60, i);
      bytes[i] = static_cast<std::uint8_t>(9 - i);
      pair.run(bytes);
    }
    pair.run(std::vector<std::uint8_t>(20));
  }
}

TEST_CASE("jumps and tables that are far away") {
  // More than a megabyte of code: single bits, equalities, orders, and a set with a table at either end.
  std::vector<Interval> numbers;
  for (std::uint32_t i = 1; i < 200; ++i) numbers.push_back({i * 1'000'003, i * 1'000'003});
  ir::Program p;
  const auto yes = p.ret(1), no = p.ret(0u);
  const auto first = p.load(4, ir::no_value, 0);
  ir::NodeId next = p.member(first, Set::join(numbers), p.ret(5), no);
  for (std::uint32_t i = 0; i < 80'000; ++i) {
    const auto v = p.load(4, ir::no_value, 4 + i % 50);
    const Relation relation = i % 3 == 0 ? Relation::Bits : i % 3 == 1 ? Relation::Equal : Relation::Greater;
    next = p.guard(4, ir::no_value, 4 + i % 50, p.test(relation, v, p.constant(i % 3 == 0 ? 1u << i % 32 : 0x80000000 + i), yes, next));
  }
  next = p.member(first, Set::join(numbers), next, p.ret(9));
  p.root = p.guard(4, ir::no_value, 0, next);
  const Pair pair(std::move(p));
  CHECK_GT(pair.aarch64().instructions().size(), 1 << 20);
  std::vector<std::uint8_t> bytes(64);
  const auto put = [&](std::uint32_t k) { std::ranges::copy(word(k), bytes.begin()); };
  put(7);
  CHECK_EQ(pair.run(bytes), 9);
  put(3'000'009);
  CHECK_EQ(pair.run(bytes), 5);
  bytes[56] = 0xff;  // of the words that end there some are asked for one of its bits
  CHECK_EQ(pair.run(bytes), 1);
  bytes.resize(40);
  CHECK_EQ(pair.run(bytes), 0);
}

TEST_CASE("sets of all kinds") {
  std::mt19937 random(2);
  const auto numbers = [&](std::size_t count, std::uint32_t below, std::uint32_t most_wide, std::uint32_t align) {
    std::vector<Interval> intervals;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t low = static_cast<std::uint32_t>(random() % below) / align * align;
      const std::uint64_t high = std::uint64_t{low} + (random() % most_wide + 1) * std::uint64_t{align} - 1;
      intervals.push_back({low, static_cast<std::uint32_t>(std::min<std::uint64_t>(high, below - 1))});
    }
    return Set::join(intervals);
  };
  for (const std::uint32_t size : {1u, 2u, 4u})
    for (const std::size_t count : {0u, 1u, 2u, 3u, 5u, 10u, 20u, 100u, 1000u, 10000u})
      for (const std::uint32_t wide : {1u, 2u, 100u, 100000u})
        for (const std::uint32_t align : {1u, 256u})
          for (const bool masked : {false, true}) {
            const Set set = numbers(count, size == 4 ? 0xffffffff : 1u << 8 * size, wide, align);
            ir::Program p;
            const auto yes = p.ret(7), no = p.ret(0u);
            ir::ValueId v = p.load(size, ir::no_value, 0);
            if (masked) v = p.binary(Arith::Xor, v, p.constant(0x80));
            p.root = p.guard(size, ir::no_value, 0, p.member(v, set, yes, no));
            const Pair pair(std::move(p));
            const auto ask = [&](std::uint32_t k) {
              const auto all = word(k << 8 * (4 - size));
              pair.run({all.begin(), all.begin() + size});
            };
            for (const std::uint32_t k : {0u, 1u, 0x80u, 0xffu, 0x100u, 0x7fffffffu, 0x80000000u, 0xffff0000u, 0xffffffffu}) ask(k);
            for (int i = 0; i < 20; ++i) ask(static_cast<std::uint32_t>(random()));
            const auto intervals = set.intervals();
            for (int i = 0; i < 30 && !intervals.empty(); ++i) {
              const Interval in = intervals[random() % intervals.size()];
              for (const std::uint32_t k : {in.low - 1, in.low, in.low + 1, in.high - 1, in.high, in.high + 1}) ask(k), ask(k ^ 0x80);
            }
          }
}

TEST_CASE("a set of a value that chooses by another set") {
  ir::Program p;
  const auto set = [](std::uint32_t step) {
    std::vector<Interval> all;
    for (std::uint32_t i = 1; i < 40; ++i) all.push_back({i * step, i * step});
    return Set::join(all);
  };
  const auto kind = p.load(4, ir::no_value, 0);
  const auto chosen = p.choice(p.guard(4, ir::no_value, 0, p.member(kind, set(1'000'003), p.ret(4u), p.ret(8u))));
  p.root = p.guard(4, chosen, 0, p.member(p.load(4, chosen, 0), set(7'000'001), p.ret(1u), p.ret(0u)));
  REQUIRE_FALSE(ir::verify(p));
  const Pair pair(std::move(p));
  const auto ask = [&](std::uint32_t a, std::uint32_t b, std::uint32_t c) {
    std::vector<std::uint8_t> bytes;
    for (const std::uint32_t k : {a, b, c})
      for (const std::uint8_t byte : word(k)) bytes.push_back(byte);
    return pair.run(bytes);
  };
  CHECK_EQ(ask(1'000'003, 7'000'001, 0), 1);
  CHECK_EQ(ask(1'000'003, 0, 7'000'001), 0);
  CHECK_EQ(ask(1'000'004, 0, 7'000'001), 1);
  CHECK_EQ(ask(1'000'004, 7'000'001, 1'000'003), 0);
}

TEST_CASE("a merged guard that fails does not reject what needs fewer bytes") {
  const Pair pair(
      "n0: return 1\nn1: return 0\nv0 = load 1 [0]\nv1 = load 4 [30]\nn2: if v1 == 5 then n0 else n1\nn3: guard 4 [30] then n2\n"
      "n4: if v0 == 7 then n0 else n3\nn5: guard 1 [0] then n4\nroot n5\n");
  CHECK_EQ(pair.run({7}), 1);
  CHECK_EQ(pair.run({8}), 0);
  std::vector<std::uint8_t> bytes(34);
  bytes[33] = 5;
  CHECK_EQ(pair.run(bytes), 1);
  bytes.pop_back();
  CHECK_EQ(pair.run(bytes), 0);
}

TEST_CASE("adjacent bytes are compared at once, and the nodes in between keep their other ways in") {
  // 8 bytes in two words; the second may be asked alone.
  const Pair pair("n0: return 1\nn1: return 2\nv0 = load 4 [4]\nv1 = load 4 [8]\nv2 = load 1 [0]\nn2: if v1 == 0xfffffffe then n0 else n1\n"
                  "n3: if v0 == 0x01020304 then n2 else n1\nn4: if v2 == 1 then n2 else n3\nn5: guard 12 [0] then n4\nroot n5\n");
  std::vector<std::uint8_t> bytes{0, 0, 0, 0, 1, 2, 3, 4, 0xff, 0xff, 0xff, 0xfe};
  CHECK_EQ(pair.run(bytes), 1);
  for (std::size_t i = 4; i < 12; ++i) {
    bytes[i] ^= 1;
    CHECK_EQ(pair.run(bytes), 2);
    bytes[i] ^= 1;
  }
  bytes[0] = 1;
  bytes[4] = 0;
  CHECK_EQ(pair.run(bytes), 1);
}

TEST_CASE("numbers of all sizes, with and without their highest bit") {
  for (const std::uint32_t size : {1u, 2u, 4u})
    for (const std::uint32_t k :
         {0u, 1u, 0x7fu, 0x80u, 0xffu, 0x86ddu, 0xff80u, 0xffffu, 0x8000u, 0x80000000u, 0xffffff80u, 0xffffffffu, 0xdeadbeefu})
      for (const char* relation : {"==", ">", ">=", "&?"})
        for (const char* mask : {"0xffffffff", "0xff", "0xff80", "0x80"}) {
          const auto text = [&](const char* value) {
            return "n0: return 1\nn1: return 2\nv0 = load " + std::to_string(size) + " [0]\nv1 = v0 & " + mask + "\nn2: if " +
                   value + " " + relation + " " + std::to_string(k) + " then n0 else n1\nn3: guard " + std::to_string(size) +
                   " [0] then n2\nroot n3\n";
          };
          for (const char* value : {"v0", "v1"}) {
            const Pair pair(text(value));
            for (const std::uint32_t x : {k, k ^ 1, k ^ 0x80, k + 1, 0u, 0xffffffffu}) {
              const auto all = word(x << 8 * (4 - size));
              pair.run({all.begin(), all.begin() + size});
            }
          }
        }
}

TEST_CASE("offsets are summed without wrap") {
  const Pair pair("n0: return 1\nn1: return 0\nv0 = load 4 [0]\nv1 = load 1 [v0 + 0xfffffff0]\nn2: if v1 == 0 then n0 else n1\n"
                  "n3: guard 1 [v0 + 0xfffffff0] then n2\nn4: guard 4 [0] then n3\nroot n4\n");
  CHECK_EQ(pair.run({0, 0, 0, 0x10}), 0);  // 2^32, not 0
  CHECK_EQ(pair.run({0, 0, 0, 0, 0}), 0);
  const Pair far("n0: return 1\nv0 = load 4 [0xfffffffe]\nn1: return v0\nn2: guard 4 [0xfffffffe] then n1\nroot n2\n");
  CHECK_EQ(far.run({1, 2, 3, 4}), 0);
}

TEST_CASE("shifts and divisions") {
  const Pair shift(
      "v0 = load 4 [0]\nv1 = load 4 [4]\nv2 = v0 << v1\nv3 = v0 >> v1\nv4 = v2 ^ v3\nn0: return v4\nn1: guard 8 [0] then "
      "n0\nroot n1\n");
  for (const std::uint8_t by : std::vector<std::uint8_t>{0, 1, 31, 32, 33, 64, 255}) shift.run({0x81, 2, 3, 5, 0, 0, 0, by});
  shift.run({0x81, 2, 3, 5, 1, 0, 0, 0});
  const Pair division("v0 = load 4 [0]\nv1 = load 4 [4]\nv2 = v0 / v1\nv3 = v0 % v1\nv4 = v2 ^ v3\nn0: return v4\nn1: nonzero v1 then n0\n"
                      "n2: guard 8 [0] then n1\nroot n2\n");
  CHECK_EQ(division.run({0, 0, 0, 9, 0, 0, 0, 0}), 0);
  division.run({0xff, 0, 0, 9, 0, 0, 0, 4});
  division.run({0xff, 0, 0, 9, 0xf0, 0, 0, 4});
}

TEST_CASE("a graph of 100 000 nodes") {
  ir::Program p;
  const auto yes = p.ret(1), no = p.ret(0u);
  ir::NodeId next = no;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    const auto v = p.load(4, ir::no_value, i % 60);
    next = p.guard(4, ir::no_value, i % 60, p.test(Relation::Equal, v, p.constant(i), yes, next));
  }
  p.root = next;
  const Pair pair(std::move(p));
  CHECK_EQ(pair.run(std::vector<std::uint8_t>(64, 0xff)), 0);
  CHECK_EQ(pair.run(std::vector<std::uint8_t>(64, 0)), 1);
  CHECK_EQ(pair.run(std::vector<std::uint8_t>(20, 0xff)), 0);
}

TEST_CASE("values inside values that share operands do not multiply") {
  ir::Program p;
  ir::ValueId v = p.load(1, ir::no_value, 0);
  for (std::uint32_t i = 1; i < 60; ++i) v = p.binary(Arith::Add, p.binary(Arith::Xor, v, p.constant(i)), p.binary(Arith::Mul, v, v));
  p.root = p.guard(1, ir::no_value, 0, p.ret(v));
  const Pair pair(std::move(p));
  CHECK_LT(pair.code().instructions().size(), 10'000);
  pair.run({3});
  pair.run({});
}

TEST_CASE("a process that may not make code gets an error, and the code that it has goes on") {
  const Pair pair("v0 = load 1 [0]\nn0: return v0\nn1: guard 1 [0] then n0\nroot n1\n");
  const pid_t child = fork();
  REQUIRE_GE(child, 0);
  if (child == 0) {
    constexpr int set_mdwe = 65, refuse_exec_gain = 1;  // linux/prctl.h of 6.3
    if (prctl(set_mdwe, refuse_exec_gain, 0, 0, 0) != 0) _exit(2);
    const auto p = ir::read("n0: return 1\nroot n0\n");
    const auto refused = native::emit(*p);
    const std::uint8_t byte[] = {9};
    _exit(!native::available() && !refused && refused.error().code == Code::System && pair.code().run({byte, 1}) == 9 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) MESSAGE("this kernel has no PR_SET_MDWE: not tested");
  else CHECK_EQ(WEXITSTATUS(status), 0);
}

TEST_CASE("the listing shows bytes, assembly and words") {
  ir::Program p;
  const auto yes = p.ret(1), no = p.ret(0u);
  p.root = p.guard(2, ir::no_value, 12, p.test(Relation::Equal, p.load(2, ir::no_value, 12), p.constant(0x800), yes, no, {4, 6}), {4, 6});
  const Pair pair(std::move(p));
  if (const auto x86_64 = native::encode(pair.graph(), native::Cpu::X86_64)) {
    const std::string text = to_string(*x86_64, "arp ip x");
    CHECK_NE(text.find("; ip\n"), text.npos);
    CHECK_NE(text.find("66 83 7f 0c 08"), text.npos);
    CHECK_NE(text.find("cmp word ptr [rdi+0x0C], 0x08"), text.npos);
  } else {
    CHECK_EQ(x86_64.error().code, Code::Unsupported);  // only builds for x86-64 have that encoder
  }
  CHECK_EQ(to_string(pair.code(), "arp ip x"), to_string(*native::encode(pair.graph(), *native::host_cpu()), "arp ip x"));
  const std::string aarch64 = to_string(pair.aarch64(), "arp ip x");
  CHECK_NE(aarch64.find("; ip\n"), aarch64.npos);
  CHECK_NE(aarch64.find("04 18 40 79"), aarch64.npos);
  CHECK_NE(aarch64.find("ldrh w4, [x0, #12]"), aarch64.npos);
}

TEST_CASE("a set is asked of a choice whose guards cover those behind the question") {
  for (const std::string& set : std::vector<std::string>{"3, 9, 20", "3, 9, 20, 100-120, 70000, 80000-90000, 500000, 10000000-20000000"}) {
    const auto read = ir::read(
        "yes: return 1\nno: return 0\nfirst = load 1 [0]\nlast = load 1 [200]\n"
        "i: return last\nj: return first\nci: guard 1 [200] then i\ncj: guard 1 [200] then j\nc: if first == 1 then ci else "
        "cj\no = choice c\n"
        "asking: if last == 9 then yes else no\nbehind: guard 1 [200] then asking\n"
        "n: if o in {" +
        set + "} then behind else no\ntop: guard 1 [0] then n\nroot top\n");
    REQUIRE_MESSAGE(read, read.error().message);
    const ir::Program& graph = *read;
    REQUIRE_MESSAGE(!ir::verify(graph), *ir::verify(graph));
    REQUIRE(native::emit(graph));
    const Pair pair{ir::Program(graph)};
    for (const std::uint8_t first : std::initializer_list<std::uint8_t>{1, 3, 9, 20, 21})
      for (const std::uint8_t last : std::initializer_list<std::uint8_t>{3, 9, 20})
        for (const std::size_t size : {0u, 1u, 200u, 201u}) {
          std::vector<std::uint8_t> bytes(size);
          if (size > 0) bytes[0] = first;
          if (size > 200) bytes[200] = last;
          pair.run(bytes);
        }
  }
}

TEST_CASE("of a graph with more than a million nodes no code is made, nor is it begun") {
  ir::Program p;
  const auto yes = p.ret(1u);
  auto next = p.ret(0u);
  const auto word = p.load(4, ir::no_value, 0);
  for (std::uint32_t i = 0; i < 1'000'000; ++i) next = p.test(Relation::Equal, word, p.constant(3 * i), yes, next);
  p.root = p.guard(4, ir::no_value, 0, next);
  for (const auto cpu : {native::Cpu::X86_64, native::Cpu::AArch64})
    for (const auto& code : {native::encode(p, cpu), native::encode_batch<Packet>(p, cpu)}) {
      REQUIRE_FALSE(code);
      CHECK_EQ(code.error().code, Code::TooLarge);
    }
}
