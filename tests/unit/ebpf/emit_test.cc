// What programs are made of. What they return is compared with the graph in the kernel (tests/ebpf).
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "ebpf/emit.hpp"

using namespace weir;

namespace {

ebpf::EmitOptions options(ebpf::Hook hook, std::optional<std::size_t> threshold = std::nullopt) {
  ebpf::EmitOptions o;
  o.hook = hook;
  o.map_threshold = threshold;
  return o;
}

ebpf::Program emitted(const std::string& graph, const ebpf::EmitOptions& o) {
  const auto read = ir::read(graph);
  REQUIRE(read);
  const auto program = ebpf::emit(*read, o);
  REQUIRE_MESSAGE(program, program.error().message);
  return *program;
}

std::size_t calls(const ebpf::Program& p) {
  return static_cast<std::size_t>(std::ranges::count(p.instructions, ebpf::op::JMP | ebpf::op::CALL, &ebpf::Instruction::code));
}

const std::string ip = R"(
n0: return 262144
n1: return 0
v2 = load 2 [12]
n2: if v2 == 0x800 then n0 else n1
n3: guard 2 [12] then n2
root n3
)";

/// `src host` of three IPv6 addresses and a network, as the optimizer leaves it.
const std::string addresses = R"(
n0: return 262144
n1: return 0
v2 = load 4 [34]
n2: if v2 == 1 then n0 else n1
n3: guard 4 [34] then n2
v4 = load 4 [30]
n4: if v4 == 0 then n3 else n1
n5: guard 4 [30] then n4
v5 = load 4 [26]
n6: if v5 == 0 then n5 else n1
n7: guard 4 [26] then n6
n8: if v2 == 3 then n0 else n1
n9: guard 4 [34] then n8
n10: if v4 == 0 then n9 else n1
n11: guard 4 [30] then n10
n12: if v5 == 0 then n11 else n1
n13: guard 4 [26] then n12
v7 = load 2 [26]
n14: if v7 == 5 then n0 else n1
n15: guard 2 [26] then n14
v9 = load 4 [22]
n16: if v9 == 0x20020db8 then n15 else n1
n17: if v9 == 0x20010db9 then n13 else n16
n18: if v9 == 0x20010db8 then n7 else n17
n19: guard 4 [22] then n18
root n19
)";

}  // namespace

TEST_CASE("a hook with packet pointers calls nothing where the packet is linear") {
  const auto program = emitted(ip, options(ebpf::Hook::TcIngress));
  CHECK_EQ(calls(program), 1);  // of the copy for packets that are not
  CHECK_EQ(calls(emitted(ip, options(ebpf::Hook::SocketBtf))), 0);  // where there are loads of the kernel's own
  CHECK_EQ(program.no_match, *ebpf::find_action(ebpf::Hook::TcIngress, "drop"));
  CHECK(program.maps.empty());
}

TEST_CASE("the context stays where it is unless something is called") {
  const auto begins = [](const ebpf::Program& p) { return to_string(p.instructions[0]); };
  CHECK_EQ(begins(emitted(ip, options(ebpf::Hook::Xdp))), "r7 = *(u32 *)(r1 +0)");
  CHECK_EQ(begins(emitted(ip, options(ebpf::Hook::SocketBtf))), "r6 = r1");  // for whoever opens its pointers
  const std::string length =
      "n0: return 1\nn1: return 0\nv2 = length\nn2: if v2 > 100 then n0 else n1\nn3: guard 2 [12] then n2\nroot n3\n";
  CHECK_EQ(begins(emitted(length, options(ebpf::Hook::Xdp))), "r6 = r1");
  CHECK_EQ(begins(emitted(length, options(ebpf::Hook::TcEgress))), "r7 = *(u32 *)(r1 +76)");
}

TEST_CASE("what reads the sk_buff itself uses one register that functions have to preserve, unless it calls") {
  const auto kept = [](const ebpf::Program& p) {
    std::set<int> used;
    for (const auto& i : p.instructions)
      if (i.dst >= 6 && i.dst <= 9 && (i.code & 7) != ebpf::op::STX) used.insert(i.dst);
    return used;
  };
  const auto program = emitted(ip, options(ebpf::Hook::SocketBtf));
  CHECK(kept(program) == std::set<int>{6});
  CHECK_EQ(to_string(program.instructions[3]), "r5 -= r4");  // the length of the linear part: a number, with which guards compare at once
  CHECK_FALSE(ebpf::check(program));
  CHECK(kept(emitted(ip, {.hook = ebpf::Hook::SocketBtf, .map_threshold = 1})).size() > 1);
}

/// `src or dst host 10.1.2.3`, without a look at what packets they are.
const std::string host = R"(
n0: return 262144
n1: return 0
v2 = load 4 [30]
n2: if v2 == 0x0a010203 then n0 else n1
n3: guard 4 [30] then n2
v3 = load 4 [26]
n4: if v3 == 0x0a010203 then n0 else n3
n5: guard 4 [26] then n4
root n5
)";

TEST_CASE("what reads the sk_buff itself rejects with one jump, to the only end of what most packets go through") {
  const auto program = emitted(ip, options(ebpf::Hook::SocketBtf));
  const std::string expected =
      "r6 = r1\nr4 = *(u32 *)(r6 +76)\nr5 = *(u32 *)(r6 +80)\nr5 -= r4\nw0 = 0\nif r5 < 0xe goto pc+4\nr1 = *(u16 *)(r4 +12)\nif "
      "w1 != 0x8 goto pc+1\nw0 = 262144\nexit\n";
  std::string begin;
  for (std::size_t i = 0; i < 10; ++i) begin += to_string(program.instructions[i]) + '\n';
  CHECK_EQ(begin, expected);
}

TEST_CASE("neighbours are loaded at once where loads are dear, and a packet that ends between them is looked at elsewhere") {
  const auto loads = [](const ebpf::Program& p, std::uint8_t size) {
    const auto first_end = std::ranges::find(p.instructions, ebpf::op::JMP | ebpf::op::EXIT, &ebpf::Instruction::code);
    return std::count_if(p.instructions.begin(), first_end, [&](const auto& i) {
      return i.code == (ebpf::op::LDX | ebpf::op::MEM | size) && i.src != 6 && i.src != 1;
    });
  };
  const auto dear = emitted(host, options(ebpf::Hook::SocketBtf));
  CHECK_EQ(loads(dear, ebpf::op::DW), 1);
  CHECK_EQ(loads(dear, ebpf::op::W), 0);
  CHECK_EQ(loads(emitted(host, options(ebpf::Hook::TcIngress)), ebpf::op::DW), 0);
  CHECK_FALSE(ebpf::check(dear));
}

TEST_CASE("a list as a table: what is in it is found without a call, wherever the packet lies") {
  const char* const list = R"(
n0: return 1
n1: return 0
v0 = load 4 [26]
n2: if v0 in {3, 9, 0x0a000001-0x0a000002, 0xffffffff} then n0 else n1
n3: guard 4 [26] then n2
root n3
)";
  for (const auto hook : {ebpf::Hook::Socket, ebpf::Hook::SocketBtf, ebpf::Hook::Xdp, ebpf::Hook::TcIngress, ebpf::Hook::Cgroup}) {
    CAPTURE(ebpf::to_string(hook));
    const auto program = emitted(list, {.hook = hook, .table_threshold = 1});
    REQUIRE_EQ(program.maps.size(), 1);
    CHECK(program.maps[0].kind == ebpf::MapKind::Array);
    CHECK_FALSE(ebpf::check(program));
    if (ebpf::is_socket(hook)) continue;
    const auto first_end = std::ranges::find(program.instructions, ebpf::op::JMP | ebpf::op::EXIT, &ebpf::Instruction::code);
    CHECK(std::find_if(program.instructions.begin(), first_end,
                       [](const auto& i) { return i.code == (ebpf::op::JMP | ebpf::op::CALL); }) == first_end);
  }
}

TEST_CASE("loads that call the kernel can share a function, and then what calls it leaves the stack alone") {
  const auto local = [](const ebpf::Program& p) {
    return std::ranges::count_if(
        p.instructions, [](const auto& i) { return i.code == (ebpf::op::JMP | ebpf::op::CALL) && i.src == ebpf::call_local; });
  };
  for (const auto hook : {ebpf::Hook::Socket, ebpf::Hook::SocketBtf, ebpf::Hook::Xdp, ebpf::Hook::TcIngress, ebpf::Hook::Cgroup}) {
    CAPTURE(ebpf::to_string(hook));
    const auto plain = emitted(addresses, options(hook)), shared = emitted(addresses, {.hook = hook, .loads_in_functions = true});
    CHECK_EQ(local(plain), 0);
    CHECK(local(shared) > 1);
    const auto loads = [](const auto& i) {
      return i.code == (ebpf::op::JMP | ebpf::op::CALL) && i.src == 0 && (i.imm == 26 || i.imm == 189);
    };                                                               // bpf_skb_load_bytes, bpf_xdp_load_bytes
    CHECK_EQ(std::ranges::count_if(shared.instructions, loads), 2);  // of two bytes, and of four
    const auto problem = ebpf::check(shared);
    CHECK_MESSAGE(!problem, problem->message);
    const auto function = std::ranges::find_if(shared.instructions, [](const auto& i) { return i.dst == 3 && i.src == 10; });
    CHECK(std::none_of(shared.instructions.begin(), function, [](const auto& i) { return i.dst == 10 || i.src == 10; }));
  }
}

TEST_CASE("what an equality has answered is not asked again") {
  const auto pairs = [](const std::string& otherwise) {
    return "n0: return 1\nn1: return 0\nv2 = load 4 [26]\nv3 = load 2 [36]\nn2: if v2 == 3 then n0 else n1\nn3: if v2 in {2, 4} "
           "then n0 else n2\n"
           "n4: if v3 == 7 then n0 else " +
           otherwise + "\nn5: guard 2 [36] then n4\nn6: if v2 == 1 then n5 else n3\nn7: guard 4 [26] then n6\nroot n7\n";
  };
  for (const auto hook : {ebpf::Hook::Socket, ebpf::Hook::Xdp, ebpf::Hook::TcIngress})
    CHECK(emitted(pairs("n3"), options(hook)) == emitted(pairs("n1"), options(hook)));
}

TEST_CASE("short jumps reach over what the kernel makes of the instructions between") {
  std::string graph = "n0: return 1\nn1: return 0\n";
  constexpr std::size_t loads = 6000;
  std::size_t last = 1;
  for (std::size_t i = 0; i < loads; ++i, last += 2)
    graph += "v" + std::to_string(2 + i) + " = load 2 [" + std::to_string(2 * i) + "]\nn" + std::to_string(last + 1) + ": if v" +
             std::to_string(2 + i) + " == 7 then n" + (i == 0 ? "1" : std::to_string(last)) + " else n0\nn" +
             std::to_string(last + 2) + ": guard 2 [" + std::to_string(2 * i) + "] then n" + std::to_string(last + 1) + "\n";
  const auto program = emitted(graph + "root n" + std::to_string(last) + "\n", options(ebpf::Hook::Socket));
  std::vector<std::int64_t> grown(1);
  for (const auto& i : program.instructions)
    grown.push_back(grown.back() + (i.code == (ebpf::op::LD | ebpf::op::ABS | ebpf::op::H) ? 6 : 1));
  CHECK_GT(grown.back(), 0x7fff);
  for (std::size_t i = 0; i < program.instructions.size(); ++i)
    if (const auto& jump = program.instructions[i]; (jump.code & 7) == ebpf::op::JMP32 || (jump.code & 7) == ebpf::op::JMP)
      if (jump.code != (ebpf::op::JMP32 | ebpf::op::JA))
        CHECK_LE(grown[i + 1 + static_cast<std::size_t>(jump.offset)] - grown[i + 1], 0x7fff);
}

TEST_CASE("what is returned can be chosen") {
  auto o = options(ebpf::Hook::Xdp);
  o.match = ebpf::find_action(ebpf::Hook::Xdp, "drop");
  o.no_match = ebpf::find_action(ebpf::Hook::Xdp, "pass");
  const auto program = emitted(ip, o);
  CHECK_EQ(program.no_match, 2);
  CHECK(program.accepts(1));
  CHECK_FALSE(ebpf::find_action(ebpf::Hook::Xdp, "next"));
  CHECK_FALSE(ebpf::find_action(ebpf::Hook::Cgroup, "tx"));
}

TEST_CASE("a program that returns the same for all packets does no more than that") {
  for (const char* graph : {"n0: return 0\nroot n0\n", "n0: return 96\nroot n0\n"})
    CHECK_EQ(emitted(graph, options(ebpf::Hook::Socket)).instructions.size(), 2);
}

TEST_CASE("a hook says what it cannot tell") {
  const auto graph = *ir::read("n0: return 1\nn1: return 0\nv2 = meta vlan_tag_present\nn2: if v2 == 1 then n0 else n1\nroot n2\n");
  const auto refused = ebpf::emit(graph, options(ebpf::Hook::Xdp));
  REQUIRE_FALSE(refused);
  CHECK_EQ(refused.error().code, Code::Unsupported);
  CHECK(refused.error().message.contains("xdp"));
  CHECK(ebpf::emit(graph, options(ebpf::Hook::Socket)));
}

TEST_CASE("sets become maps from a threshold on, one for all that ask it") {
  const std::string graph = R"(
n0: return 1
n1: return 0
v2 = load 4 [30]
n2: if v2 in {0xa000001, 0xa000009, 0xa020202} then n0 else n1
v3 = load 4 [26]
n3: if v3 in {0xa000001, 0xa000009, 0xa020202} then n0 else n2
n4: guard 8 [26] then n3
root n4
)";
  CHECK(emitted(graph, options(ebpf::Hook::Xdp)).maps.empty());
  CHECK(emitted(graph, options(ebpf::Hook::Xdp, 4)).maps.empty());
  const auto program = emitted(graph, options(ebpf::Hook::Xdp, 3));
  REQUIRE_EQ(program.maps.size(), 1);
  const ebpf::Map& map = program.maps[0];
  CHECK_EQ(map.kind, ebpf::MapKind::Hash);
  CHECK_EQ(map.key_bytes, 4);
  CHECK_EQ(map.max_entries, 3);
  CHECK_EQ(map.keys, std::vector<std::uint8_t>{10, 0, 0, 1, 10, 0, 0, 9, 10, 2, 2, 2});
}

TEST_CASE("without a threshold long lists are maps, and shorter ones where there are many") {
  const auto list = [](std::uint32_t entries, std::uint32_t asked) {
    std::string set;
    for (std::uint32_t i = 0; i < entries; ++i) set += (i ? ", " : "") + std::to_string(7 * i + 1);
    std::string graph = "n0: return 1\nn1: return 0\n";
    for (std::uint32_t i = 0; i < asked; ++i)
      graph += "v" + std::to_string(i + 2) + " = load 4 [" + std::to_string(4 * i) + "]\nn" + std::to_string(i + 2) + ": if v" +
               std::to_string(i + 2) + " in {" + set + "} then n0 else n" + std::to_string(i + 1) + "\n";
    return graph + "n" + std::to_string(asked + 2) + ": guard " + std::to_string(4 * asked) + " [0] then n" +
           std::to_string(asked + 1) + "\nroot n" + std::to_string(asked + 2) + "\n";
  };
  CHECK(emitted(list(4095, 2), options(ebpf::Hook::Xdp)).maps.empty());
  CHECK_EQ(emitted(list(4096, 2), options(ebpf::Hook::Xdp)).maps.size(), 1);
  CHECK_EQ(emitted(list(3000, 14), options(ebpf::Hook::Xdp)).maps.size(), 1);
  CHECK(emitted(list(3000, 13), options(ebpf::Hook::Xdp)).maps.empty());
}

TEST_CASE("networks are prefixes in a trie, and an interval is as few of them as it is") {
  const std::string graph = R"(
n0: return 1
n1: return 0
v2 = load 4 [30]
n2: if v2 in {0xa000000-0xa0000ff, 0xb000001-0xb000006} then n0 else n1
n3: guard 4 [30] then n2
root n3
)";
  const ebpf::Map map = emitted(graph, options(ebpf::Hook::Socket, 1)).maps.at(0);
  CHECK_EQ(map.kind, ebpf::MapKind::LpmTrie);
  CHECK_EQ(map.key_bytes, 8);
  CHECK_EQ(map.max_entries, 5);  // 10.0.0.0/24, 11.0.0.1/32, 11.0.0.2/31, 11.0.0.4/31, 11.0.0.6/32
}

TEST_CASE("a list of IPv6 addresses is one map") {
  const auto program = emitted(addresses, options(ebpf::Hook::Xdp, 3));
  REQUIRE_EQ(program.maps.size(), 1);
  CHECK_EQ(program.maps[0].kind, ebpf::MapKind::LpmTrie);
  CHECK_EQ(program.maps[0].key_bytes, 20);
  CHECK_EQ(program.maps[0].max_entries, 3);
  CHECK(emitted(addresses, options(ebpf::Hook::Xdp, 4)).maps.empty());
}

TEST_CASE("a set that is asked a thousand times, far from its ways out, needs long jumps") {
  std::string graph = "n0: return 1\nn1: return 0\nv2 = load 4 [0]\n";
  std::string set;
  for (int i = 0; i < 40000; ++i) set += (i ? ", " : "") + std::to_string(i * 3 + 1);
  graph += "n2: if v2 in {" + set + "} then n0 else n1\nn3: guard 4 [0] then n2\nroot n3\n";
  const auto program = emitted(graph, options(ebpf::Hook::Socket, 1'000'000));
  CHECK_GT(program.instructions.size(), 0x7fff);
  CHECK(std::ranges::count(program.instructions, ebpf::op::JMP32 | ebpf::op::JA, &ebpf::Instruction::code) > 0);
}

TEST_CASE("with more sets than there are maps, a tracing program still has its counters") {
  std::string graph = "n0: return 1\nn1: return 0\n", root = "n1";
  for (int i = 0; i < 70; ++i) {
    const std::string v = "v" + std::to_string(2 + 3 * i), n = "n" + std::to_string(3 + 3 * i), at = std::to_string(4 * i);
    graph += v + " = load 4 [" + at + "]\n" + n + ": if " + v + " in {1, " + std::to_string(5 + 2 * i) + ", 1000} then n0 else " +
             root + "\n";
    root = "n" + std::to_string(4 + 3 * i);
    graph += root + ": guard 4 [" + at + "] then " + n + "\n";
  }
  graph += "root " + root + "\n";
  for (const ebpf::Hook hook : {ebpf::Hook::Tracing, ebpf::Hook::TracingBtf}) {
    const auto program = emitted(graph, options(hook, 1));
    CHECK_EQ(program.maps.size(), ebpf::max_maps);
    CHECK_EQ(std::ranges::count(program.maps, ebpf::MapKind::PerCpuArray, &ebpf::Map::kind), 1);
    CHECK_FALSE(ebpf::check_form(program));
  }
  CHECK_EQ(emitted(graph, options(ebpf::Hook::Xdp, 1)).maps.size(), ebpf::max_maps - 1);
}
