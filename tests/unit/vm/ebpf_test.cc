// The eBPF machine: known answers, written as the kernel prints programs. Random programs run beside the running kernel in tests/kernel.
#include "vm/ebpf.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "ebpf/decode.hpp"

namespace weir::vm {
namespace {

using ebpf::Hook;

/// 64 bytes that tell their place: 0x40, 0x41 …; of 1000 on the wire.
const std::vector<std::uint8_t> sample = [] {
  std::vector<std::uint8_t> bytes(64);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0x40});
  return bytes;
}();
const Packet packet{sample, 1000, {0x806, 4, 7, 0x2123, 1, 0x8100}};

ebpf::Program program(std::string_view text, Hook hook = Hook::Socket, std::vector<ebpf::Map> maps = {}) {
  auto p = ebpf::read_text(text);
  REQUIRE_MESSAGE(p.has_value(), (p ? "" : p.error().message));
  p->hook = hook;
  p->maps = std::move(maps);
  return *p;
}

std::uint64_t value(std::string_view text, Hook hook = Hook::Socket, const EbpfSetting& setting = {}) {
  const EbpfResult r = EbpfMachine(program(text, hook)).run(packet, setting);
  INFO(text);
  CHECK_MESSAGE(!r.fault, (r.fault ? r.fault->reason : ""));
  return r.value;
}

std::string fault(std::string_view text, Hook hook = Hook::Socket, const EbpfSetting& setting = {}) {
  const EbpfResult r = EbpfMachine(program(text, hook)).run(packet, setting);
  REQUIRE_MESSAGE(r.fault, text);
  return std::to_string(r.fault->instruction) + ": " + r.fault->reason;
}

/// r1 and r2 are the operands; the result is in r0.
std::uint64_t calculate(std::uint64_t a, std::uint64_t b, std::string_view instruction) {
  return value("r1 = " + std::to_string(a) + " ll\nr2 = " + std::to_string(b) + " ll\n" + std::string(instruction) + "\nr0 = r1\nexit");
}

TEST_CASE("arithmetic of 64 and of 32 bits") {
  struct Row { std::uint64_t a, b; const char* instruction; std::uint64_t result; };
  constexpr std::uint64_t ones = ~std::uint64_t{0}, lowest = std::uint64_t{1} << 63;
  const Row rows[] = {
      {ones, 2, "r1 += r2", 1},
      {ones, 2, "w1 += w2", 1},
      {0xffffffff, 1, "w1 += w2", 0},
      {0xffffffff, 1, "r1 += r2", 0x100000000},
      {0, 1, "r1 -= r2", ones},
      {0, 1, "w1 -= w2", 0xffffffff},
      {5, 0, "r1 += -1", 4},
      {5, 0, "w1 += -6", 0xffffffff},
      {0x100000001, 0x100000001, "r1 *= r2", 0x200000001},
      {0x100000003, 5, "w1 *= w2", 15},
      {7, 0, "r1 /= r2", 0},
      {0x100000007, 0, "w1 /= w2", 0},
      {7, 0, "r1 %= r2", 7},
      {0x100000007, 0x100000000, "w1 %= w2", 7},  // the divisor is 0 in 32 bits
      {ones, 3, "r1 /= r2", 0x5555555555555555},
      {ones - 6, 2, "r1 s/= r2", ones - 2},       // -7 / 2 = -3
      {ones - 6, 2, "r1 s%= r2", ones},           // -7 % 2 = -1
      {lowest, ones, "r1 s/= r2", lowest},
      {lowest, ones, "r1 s%= r2", 0},
      {0x80000000, 0xffffffff, "w1 s/= w2", 0x80000000},
      {0x80000000, 0xffffffff, "w1 s%= w2", 0},
      {7, 0, "r1 s/= r2", 0},
      {0x1fffffff9, 0, "w1 s%= w2", 0xfffffff9},
      {1, 64, "r1 <<= r2", 1},                    // shifts use six bits
      {1, 63, "r1 <<= r2", lowest},
      {3, 33, "w1 <<= w2", 6},                    // and five
      {lowest, 63, "r1 >>= r2", 1},
      {0xf00000000, 4, "w1 >>= w2", 0},
      {lowest, 63, "r1 s>>= r2", ones},
      {0x180000000, 31, "w1 s>>= w2", 0xffffffff},
      {1, 0, "r1 = -r1", ones},
      {1, 0, "w1 = -w1", 0xffffffff},
      {0xff0f, 0x0ff0, "r1 |= r2", 0xffff},
      {0xff0f, 0x0ff0, "r1 &= r2", 0x0f00},
      {0xff0f, 0x0ff0, "r1 ^= r2", 0xf0ff},
      {0, ones, "w1 = w2", 0xffffffff},
      {0, 0x80, "r1 = (s8)r2", ones - 0x7f},
      {0, 0x8000, "r1 = (s16)r2", ones - 0x7fff},
      {0, 0x80000000, "r1 = (s32)r2", ones - 0x7fffffff},
      {0, 0x180, "w1 = (s8)w2", 0xffffff80},
      {0, 0, "r1 = -5", ones - 4},
      {0, 0, "w1 = -5", 0xfffffffb},
      {0x1122334455667788, 0, "r1 = be16 r1", 0x8877},
      {0x1122334455667788, 0, "r1 = be32 r1", 0x88776655},
      {0x1122334455667788, 0, "r1 = be64 r1", 0x8877665544332211},
      {0x1122334455667788, 0, "r1 = le16 r1", 0x7788},
      {0x1122334455667788, 0, "r1 = le32 r1", 0x55667788},
      {0x1122334455667788, 0, "r1 = le64 r1", 0x1122334455667788},
      {0x1122334455667788, 0, "r1 = bswap16 r1", 0x8877},
      {0x1122334455667788, 0, "r1 = bswap32 r1", 0x88776655},
      {0x1122334455667788, 0, "r1 = bswap64 r1", 0x8877665544332211},
  };
  for (const Row& row : rows) {
    INFO(row.instruction);
    CHECK(calculate(row.a, row.b, row.instruction) == row.result);
  }
}

TEST_CASE("jumps compare with and without a sign, in 64 and in 32 bits") {
  struct Row { std::uint64_t a, b; const char* relation; bool wide, narrow; };
  constexpr std::uint64_t minus = ~std::uint64_t{0};
  const Row rows[] = {
      {0x100000000, 0, "==", false, true}, {0x100000000, 0, "!=", true, false}, {minus, 1, ">", true, true},
      {minus, 1, "s>", false, false},      {minus, 1, "s<", true, true},        {1, minus, "s>=", true, true},
      {5, 5, ">=", true, true},            {5, 5, "<=", true, true},            {5, 5, "s<=", true, true},
      {4, 5, "<", true, true},             {0x100000006, 0x100000001, "&", true, false},
  };
  for (const Row& row : rows)
    for (const char kind : {'r', 'w'}) {
      const std::string relation = std::string("if ") + kind + "1 " + row.relation + " " + kind + "2 goto yes";
      INFO(relation);
      CHECK(calculate(row.a, row.b, relation + "\nr0 = 0\nexit\nyes: r1 = 1") == (kind == 'r' ? row.wide : row.narrow));
    }
  CHECK(value("r1 = -1\nif r1 == -1 goto pc+2\nr0 = 0\nexit\nr0 = 1\nexit") == 1);  // numbers have a sign in 64 bits
  CHECK(value("gotol far\nr0 = 0\nexit\nfar: r0 = 1\nexit") == 1);
}

TEST_CASE("memory of the stack") {
  CHECK(value("r1 = 0x1122334455667788 ll\n*(u64 *)(r10 -8) = r1\nr0 = *(u8 *)(r10 -7)\nexit") == 0x77);
  CHECK(value("*(u64 *)(r10 -8) = -2\nr0 = *(s16 *)(r10 -8)\nexit") == static_cast<std::uint64_t>(-2));
  CHECK(value("*(u64 *)(r10 -8) = -2\nr0 = *(u32 *)(r10 -8)\nexit") == 0xfffffffe);
  CHECK(fault("r0 = *(u64 *)(r10 -8)\nexit").contains("nothing was written to"));
  CHECK(fault("*(u8 *)(r10 +0) = 1\nexit").starts_with("0: writes 1 bytes"));
  CHECK(fault("*(u8 *)(r10 -513) = 1\nexit").starts_with("0: writes 1 bytes"));
  CHECK(fault("r0 = r3\nexit") == "0: reads r3, which nothing was written to");
  CHECK(fault("r10 = 1\nexit").contains("writes to r10"));
}

TEST_CASE("atomic operations") {
  const auto run = [](std::string_view text) { return value("*(u64 *)(r10 -8) = 10\nr0 = 10\nr1 = 3\n" + std::string(text) + "\nexit"); };
  CHECK(run("lock *(u64 *)(r10 -8) += r1\nr0 = *(u64 *)(r10 -8)") == 13);
  CHECK(run("lock *(u32 *)(r10 -8) ^= r1\nr0 = *(u64 *)(r10 -8)") == 9);
  CHECK(run("r1 = atomic64_fetch_or((u64 *)(r10 -8), r1)\nr0 = *(u64 *)(r10 -8)\nr0 += r1") == 21);
  CHECK(run("r1 = atomic64_fetch_and((u64 *)(r10 -8), r1)\nr0 = *(u64 *)(r10 -8)") == 2);
  CHECK(run("r1 = atomic64_xchg((u64 *)(r10 -8), r1)\nr0 = *(u64 *)(r10 -8)\nr0 <<= 8\nr0 |= r1") == 0x30a);
  CHECK(run("r0 = atomic64_cmpxchg((u64 *)(r10 -8), r0, r1)\nr0 = *(u64 *)(r10 -8)") == 3);
  CHECK(run("r0 = 11\nr0 = atomic64_cmpxchg((u64 *)(r10 -8), r0, r1)") == 10);
  // 32 bits: old values come without the upper half, and only the lower half is compared and written.
  CHECK(run("*(u64 *)(r10 -8) = -1\nr1 = atomic_fetch_add((u32 *)(r10 -8), r1)\nr0 = r1") == 0xffffffff);
  CHECK(run("*(u64 *)(r10 -8) = -1\nr0 = -1\nr0 = atomic_cmpxchg((u32 *)(r10 -8), r0, r1)\nr0 = *(u64 *)(r10 -8)") == 0xffffffff00000003);
}

TEST_CASE("calls between functions have stacks and registers of their own") {
  CHECK(value("r6 = 5\n*(u64 *)(r10 -8) = 7\nr1 = 2\ncall f\nr0 += r6\nr1 = *(u64 *)(r10 -8)\nr0 += r1\nexit\n"
              "f: *(u64 *)(r10 -8) = 100\nr6 = 1000\nr0 = r1\nexit") == 14);
  CHECK(value("r1 = r10\nr1 += -8\ncall f\nr0 = *(u64 *)(r10 -8)\nexit\nf: *(u64 *)(r1 +0) = 9\nr0 = 0\nexit") == 9);  // a caller's stack
  CHECK(fault("r1 = 0\ncall f\nr0 = r1\nexit\nf: r0 = 0\nexit").starts_with("2: reads r1"));
  CHECK(fault("call f\nexit\nf: r0 = r6\nexit").starts_with("2: reads r6"));
  CHECK(fault("f: call f\nexit").contains("calls deeper than 8"));
}

TEST_CASE("loads through the socket buffer") {
  const auto load = [](std::string_view text) { return value("r6 = r1\n" + std::string(text) + "\nexit"); };
  CHECK(load("r0 = *(u8 *)skb[1]") == 0x41);
  CHECK(load("r0 = *(u16 *)skb[62]") == 0x7e7f);
  CHECK(load("r0 = *(u32 *)skb[60]") == 0x7c7d7e7f);
  CHECK(load("r0 = 5\nr0 = *(u32 *)skb[61]\nr0 = 9") == 0);  // ends
  CHECK(load("r7 = 3\nr0 = *(u16 *)skb[r7 + 2]") == 0x4546);
  CHECK(load("r0 = *(u16 *)skb[-1048576]") == 0x4e4f);       // SKF_NET_OFF
  CHECK(load("r0 = *(u16 *)skb[-2097152]") == 0x4041);       // SKF_LL_OFF
  CHECK(load("r0 = 1\nr0 = *(u8 *)skb[-1]\nr0 = 9") == 0);
  CHECK(fault("r0 = *(u8 *)skb[1]\nexit").contains("r6"));
  CHECK(fault("r6 = r1\nr0 = *(u8 *)skb[1]\nr0 = r1\nexit").starts_with("2: reads r1"));
  CHECK(fault("r6 = r1\nr0 = *(u8 *)skb[1]\nexit", Hook::Xdp).contains("does not have"));
  EbpfSetting split;
  split.linear = 14;
  CHECK(value("r6 = r1\nr0 = *(u16 *)skb[13]\nexit", Hook::Socket, split) == 0x4d4e);
  CHECK(value("r6 = r1\nr0 = *(u8 *)skb[-1048576]\nexit", Hook::Socket, split) == 0);  // headers are looked for in the linear part
}

TEST_CASE("contexts") {
  CHECK(value("r0 = *(u32 *)(r1 +0)\nexit") == 1000);
  CHECK(value("r0 = *(u32 *)(r1 +4)\nexit") == 4);
  CHECK(value("r0 = *(u32 *)(r1 +16)\nr0 = be16 r0\nexit") == 0x806);
  CHECK(value("r0 = *(u32 *)(r1 +24)\nexit") == 0x2123);
  CHECK(value("r0 = *(u8 *)(r1 +25)\nexit") == 0x21);
  CHECK(value("*(u32 *)(r1 +48) = 77\nr0 = *(u32 *)(r1 +48)\nexit") == 77);
  CHECK(fault("*(u32 *)(r1 +8) = 1\nexit").contains("does not permit"));
  CHECK(fault("r0 = *(u32 *)(r1 +76)\nexit").contains("does not have"));  // no packet pointers for sockets
  CHECK(value("*(u32 *)(r1 +8) = 1\nr0 = *(u32 *)(r1 +8)\nexit", Hook::TcIngress) == 1);
  CHECK(value("r0 = *(u32 *)(r1 +12)\nexit", Hook::Xdp) == 7);
}

TEST_CASE("packet pointers and what lies behind the linear part") {
  constexpr std::string_view length = "r2 = *(u32 *)(r1 +0)\nr0 = *(u32 *)(r1 +4)\nr0 -= r2\nexit";
  CHECK(value(length, Hook::Xdp) == 64);
  EbpfSetting split;
  split.linear = 20;
  CHECK(value(length, Hook::Xdp, split) == 20);
  CHECK(value("r2 = *(u32 *)(r1 +0)\nr0 = *(u16 *)(r2 +18)\nexit", Hook::Xdp, split) == 0x5352);
  CHECK(fault("r2 = *(u32 *)(r1 +0)\nr0 = *(u16 *)(r2 +19)\nexit", Hook::Xdp, split).contains("outside the packet"));
  CHECK(value("r2 = 60\nr3 = r10\nr3 += -4\nr4 = 4\ncall bpf_xdp_load_bytes\nr0 = *(u8 *)(r10 -1)\nexit", Hook::Xdp, split) == 0x7f);
  CHECK(value("r2 = 61\nr3 = r10\nr3 += -4\nr4 = 4\ncall bpf_xdp_load_bytes\nexit", Hook::Xdp, split) == static_cast<std::uint64_t>(-22));
  CHECK(value("call bpf_xdp_get_buff_len\nexit", Hook::Xdp, split) == 1000);
  CHECK(value("r6 = r1\nr2 = 40\ncall bpf_skb_pull_data\nr2 = *(u32 *)(r6 +76)\nr0 = *(u8 *)(r2 +39)\nexit", Hook::TcIngress,
              split) == 0x67);
  CHECK(value("r2 = 65\ncall bpf_skb_pull_data\nexit", Hook::TcIngress, split) == static_cast<std::uint64_t>(-12));
  CHECK(value("r2 = 60\nr3 = r10\nr3 += -4\nr4 = 4\ncall bpf_skb_load_bytes\nr0 = *(u8 *)(r10 -4)\nexit") == 0x7c);
  CHECK(value("r2 = 61\nr3 = r10\nr3 += -4\nr4 = 4\ncall bpf_skb_load_bytes\nr1 = *(u32 *)(r10 -4)\nr0 += r1\nexit") ==
        static_cast<std::uint64_t>(-14));
  CHECK(value("r2 = 0\nr3 = r10\nr3 += -4\nr4 = 4\nr5 = 1\ncall bpf_skb_load_bytes_relative\nr0 = *(u8 *)(r10 -4)\nexit") == 0x4e);
  CHECK(fault("call bpf_xdp_get_buff_len\nexit").contains("do not have"));
}

ebpf::Map set_of(ebpf::MapKind kind, std::uint32_t key_bytes, std::vector<std::uint8_t> keys) {
  return {"set", kind, key_bytes, 1, 8, std::move(keys), {}};
}

TEST_CASE("maps") {
  const auto look_up = [](const ebpf::Map& map, std::uint32_t first, std::uint32_t second = 0) {
    const std::string text =
        "*(u32 *)(r10 -8) = " + std::to_string(first) + "\n*(u32 *)(r10 -4) = " + std::to_string(second) +
        "\nr1 = map[idx:0]\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem\nif r0 == 0 goto pc+1\nr0 = *(u8 *)(r0 +0)\nexit";
    return EbpfMachine(program(text, Hook::Socket, {map})).run(packet).value;
  };
  const auto hash = set_of(ebpf::MapKind::Hash, 4, {10, 0, 0, 1, 10, 0, 0, 2});
  CHECK(look_up(hash, 0x0100000a) == 1);
  CHECK(look_up(hash, 0x0300000a) == 0);
  const auto trie = set_of(ebpf::MapKind::LpmTrie, 8, {8, 0, 0, 0, 10, 9, 9, 9, 30, 0, 0, 0, 192, 168, 1, 4, 0x20, 0, 0, 0, 1, 2, 3, 4});
  CHECK(look_up(trie, 32, 0xff00000a) == 1);  // 10.0.0.255
  CHECK(look_up(trie, 32, 0x0501a8c0) == 1);  // 192.168.1.5
  CHECK(look_up(trie, 32, 0x0801a8c0) == 0);
  CHECK(look_up(trie, 29, 0x0401a8c0) == 0);  // shorter than what there is
  CHECK(look_up(trie, 32, 0x04030201) == 1);
  CHECK(look_up(trie, 33, 0x04030201) == 0);  // longer than there can be
}

TEST_CASE("maps keep what programs put into them") {
  ebpf::Map counters{"counters", ebpf::MapKind::Array, 4, 8, 2, {}, {}};
  EbpfMachine machine(program(
      "*(u32 *)(r10 -4) = 1\nr1 = map[idx:0]\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem\nif r0 == 0 goto pc+2\nr1 = 1\n"
      "lock *(u64 *)(r0 +0) += r1\nr0 = 0\nexit",
      Hook::Socket, {counters}));
  for (int i = 0; i < 3; ++i) CHECK(!machine.run(packet).fault);
  const std::uint8_t key[] = {1, 0, 0, 0}, beyond[] = {2, 0, 0, 0};
  CHECK(machine.value(0, key) == std::vector<std::uint8_t>{3, 0, 0, 0, 0, 0, 0, 0});
  CHECK(!machine.value(0, beyond));

  EbpfMachine changing(
      program("*(u32 *)(r10 -4) = 5\n*(u8 *)(r10 -8) = 9\nr1 = map[idx:0]\nr2 = r10\nr2 += -4\nr3 = r10\nr3 += -8\nr4 = 1\n"
              "call bpf_map_update_elem\nexit",
              Hook::Socket, {set_of(ebpf::MapKind::Hash, 4, {})}));
  CHECK(changing.run(packet).value == 0);
  CHECK(changing.run(packet).value == static_cast<std::uint64_t>(-17));  // BPF_NOEXIST
  const std::uint8_t five[] = {5, 0, 0, 0};
  CHECK(changing.value(0, five) == std::vector<std::uint8_t>{9});
}

TEST_CASE("tracing reads an sk_buff of ours") {
  auto p = program(
      "r6 = *(u64 *)(r1 +0)\nr3 = r6\nr3 += 0\nr1 = r10\nr1 += -8\nr2 = 8\ncall bpf_probe_read_kernel\nr3 = *(u64 *)(r10 -8)\nr3 "
      "+= 12\n"
      "r1 = r10\nr1 += -8\nr2 = 2\ncall bpf_probe_read_kernel\nr0 = *(u16 *)(r10 -8)\nexit",
      Hook::Tracing);
  p.fields = {{2, ebpf::KernelField::SkbData}};
  const EbpfResult r = EbpfMachine(p).run(packet);
  CHECK_MESSAGE(!r.fault, (r.fault ? r.fault->reason : ""));
  CHECK(r.value == 0x4d4c);
  auto direct = program("r6 = *(u64 *)(r1 +0)\nr0 = *(u32 *)(r6 +0)\nexit", Hook::TracingBtf);
  direct.fields = {{1, ebpf::KernelField::SkbLen}};
  CHECK(EbpfMachine(direct).run(packet).value == 1000);
}

TEST_CASE("programs that do not end, and what is no program") {
  EbpfSetting few;
  few.most_steps = 100;
  CHECK(fault("goto pc-1", Hook::Socket, few) == "0: does not end: 100 instructions have been executed");
  CHECK(fault("r0 = 0").contains("behind the end"));
  CHECK(fault("goto pc-5\nexit").contains("out of the program"));
  CHECK(fault(".8byte 0xff\nexit").contains("is no instruction"));
  CHECK(fault("r1 = map[idx:3]\nexit").contains("map 3"));
}

TEST_CASE("a trace has the registers after each instruction") {
  std::vector<std::uint64_t> seen;
  EbpfMachine machine(program("r0 = 1\nr0 += 2\nexit"));
  machine.run(packet, {}, [&](const EbpfStep& s) { seen.push_back(s.instruction * 100 + s.registers[0]); });
  CHECK(seen == std::vector<std::uint64_t>{1, 103, 203});
}

}  // namespace
}  // namespace weir::vm
