#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>

#include "ebpf/decode.hpp"
#include "ebpf/emit.hpp"
#include "prove/meaning.hpp"
#include "prove/prove.hpp"
#include "vm/ebpf.hpp"

using namespace weir;
using namespace weir::prove;

namespace {

namespace op = ebpf::op;

ebpf::Program program(std::string_view text, ebpf::Hook hook = ebpf::Hook::Xdp, std::int32_t no_match = 0) {
  auto p = ebpf::read_text(text);
  REQUIRE_MESSAGE(p, (p ? "" : p.error().message));
  p->hook = hook;
  p->no_match = no_match;
  return *std::move(p);
}

ir::Program graph(std::string_view text) {
  auto p = ir::read(text);
  REQUIRE(p);
  return *std::move(p);
}

bool proven(const Answer& a) { return std::holds_alternative<Proven>(a.is); }
const Counterexample* packet(const Answer& a) { return std::get_if<Counterexample>(&a.is); }

/// What formulas come to for one packet: the interpreters of proofs are held to the engines with it.
class Concrete final : public Algebra {
 public:
  Concrete(const Packet& packet, std::uint32_t linear) : packet_(packet), linear_(linear) {}
  std::uint32_t number(Ref r) const { return static_cast<std::uint32_t>(r); }

  Ref constant(std::uint32_t k) override { return Ref{k}; }
  Ref length() override { return Ref{packet_.length}; }
  Ref meta(Meta m) override { return Ref{packet_.meta.get(m)}; }
  Ref load(std::uint32_t size, Ref address) override {
    return Ref{weir::load(packet_.bytes, number(address), 0, size).value_or(0xdeadbeef)};
  }
  Ref binary(Arith op, Ref a, Ref b) override { return Ref{apply(op, number(a), number(b)).value_or(0xdeadbeef)}; }
  Ref room(Bytes of, Ref offset) override {
    const auto all = of == Bytes::Captured ? static_cast<std::uint32_t>(packet_.bytes.size())
                     : of == Bytes::Length ? packet_.length
                                           : linear_;
    return Ref{number(offset) <= all ? all - number(offset) + 1 : 0};
  }
  Ref truth(bool t) override { return Ref{t}; }
  Ref compare(Relation op, Ref a, Ref b) override { return Ref{holds(op, number(a), number(b))}; }
  Ref member(Ref value, const Set& set) override { return Ref{set.contains(number(value))}; }
  Ref choose(Ref t, Ref a, Ref b) override { return number(t) ? a : b; }

 private:
  const Packet& packet_;
  std::uint32_t linear_;
};

std::uint32_t by_formulas(const ebpf::Program& p, const Packet& packet, std::uint32_t linear) {
  Concrete algebra(packet, linear);
  return algebra.number(meaning_of(p, algebra, {.measured = Bytes::Length}).returned);
}

std::uint32_t by_machine(const ebpf::Program& p, const Packet& packet, std::uint32_t linear) {
  return prove::run(&p, packet, vm::Machine::Kernel, linear);
}

using Random = std::mt19937;

/// One of registers 0 to 5.
std::uint8_t reg(Random& random) { return static_cast<std::uint8_t>(random() % 6); }

ebpf::Instruction make(int code, int dst, int src, int offset, std::int32_t imm) {
  ebpf::Instruction i;
  i.code = static_cast<std::uint8_t>(code);
  i.dst = dst & 15;
  i.src = src & 15;
  i.offset = static_cast<std::int16_t>(offset);
  i.imm = imm;
  return i;
}

std::int32_t edge(Random& random) {
  constexpr std::int32_t edges[] = {0, 1, 2, 7, 8, 31, 32, 33, 63, 255, 256, 0xffff, 0x7fffffff, -1, -2, -128, INT32_MIN};
  return random() % 2 ? edges[random() % std::size(edges)] : static_cast<std::int32_t>(random());
}

/// What proofs understand of arithmetic, on registers 0 to 5, which all hold scalars.
ebpf::Instruction arithmetic(Random& random) {
  constexpr std::uint8_t all[] = {op::ADD, op::SUB,  op::MUL, op::OR,  op::AND, op::XOR, op::LSH,
                                  op::RSH, op::ARSH, op::DIV, op::MOD, op::MOV, op::NEG, op::END};
  constexpr std::uint8_t wide[] = {op::ADD, op::SUB, op::OR, op::AND, op::XOR, op::LSH, op::RSH, op::MOV, op::NEG, op::END};
  const bool is_wide = random() % 2;
  ebpf::Instruction i;
  const std::uint8_t operation = is_wide ? wide[random() % std::size(wide)] : all[random() % std::size(all)];
  const bool by_register = random() % 2 && operation != op::NEG;
  i.code = static_cast<std::uint8_t>((is_wide ? op::ALU64 : op::ALU) | operation | (by_register ? op::X : op::K));
  i.dst = reg(random) & 15;
  if (by_register) i.src = reg(random) & 15;
  else if (operation != op::NEG) i.imm = edge(random);
  if (operation == op::END) {
    constexpr std::int32_t sizes[] = {16, 32, 64};
    i.imm = sizes[random() % 3];
    i.src = 0;
    if (is_wide) i.code = op::ALU64 | op::END;
  }
  if ((operation == op::LSH || operation == op::RSH || operation == op::ARSH) && !by_register)
    i.imm = static_cast<std::int32_t>(random() % (is_wide ? 64 : 32));
  if ((operation == op::DIV || operation == op::MOD) && !by_register && i.imm == 0) i.imm = 1;
  return i;
}

ebpf::Instruction jump(Random& random, std::size_t left) {
  constexpr std::uint8_t all[] = {op::JEQ, op::JNE, op::JGT, op::JGE, op::JLT, op::JLE, op::JSET, op::JSGT, op::JSGE, op::JSLT, op::JSLE};
  ebpf::Instruction i;
  const bool by_register = random() % 2;
  i.code = static_cast<std::uint8_t>((random() % 2 ? op::JMP : op::JMP32) | all[random() % std::size(all)] | (by_register ? op::X : op::K));
  i.dst = reg(random) & 15;
  if (by_register) i.src = reg(random) & 15;
  else i.imm = edge(random);
  i.offset = static_cast<std::int16_t>(random() % (left + 1));
  return i;
}

/// Appends a function that computes with r1 to r5 and returns two ways; and lets the calls, which have no distance yet, call it.
void add_function(ebpf::Program& p, Random& random) {
  auto& code = p.instructions;
  const std::size_t first = code.size();
  for (std::size_t at = 0; at < first; ++at)
    if (ebpf::is_local_call(code[at])) code[at].imm = static_cast<std::int32_t>(first - at - 1);
  code.push_back(make(op::ALU64 | op::MOV | op::X, 0, 1, 0, 0));
  code.push_back(make(op::ALU64 | op::MOV | op::X, 6, 2, 0, 0));  // no business of the caller's, as the place on the stack
  code.push_back(make(op::STX | op::MEM | op::DW, 10, 3, -8, 0));
  for (int n = 0; n < 4; ++n) code.push_back(arithmetic(random));
  code.push_back(jump(random, 2));
  if (code.back().offset == 1) code.back().offset = 2;
  code.push_back(make(op::LDX | op::MEM | op::DW, 0, 10, -8, 0));
  code.push_back(make(op::JMP | op::EXIT, 0, 0, 0, 0));
  code.push_back(arithmetic(random));
  code.push_back(make(op::JMP | op::EXIT, 0, 0, 0, 0));
}

/// Loads packet bytes and the length into registers, then computes and jumps forward, with spills to the stack and calls of a
/// function between.
ebpf::Program random_program(Random& random) {
  ebpf::Program p;
  p.hook = ebpf::Hook::TcIngress;
  auto& code = p.instructions;
  code.reserve(64);
  const auto add = [&](ebpf::Instruction i) { code.push_back(i); };
  const auto from_context = [&](int reg, int at) { add(make(op::LDX | op::MEM | op::W, reg, 6, at, 0)); };
  add(make(op::ALU64 | op::MOV | op::X, 6, 1, 0, 0));
  from_context(7, 76);
  from_context(8, 80);
  add(make(op::ALU64 | op::MOV | op::X, 9, 7, 0, 0));
  add(make(op::ALU64 | op::ADD | op::K, 9, 0, 0, 16));
  add(make(op::ALU64 | op::MOV | op::K, 0, 0, 0, 0));
  add(make(op::JMP | op::JLE | op::X, 9, 8, 1, 0));
  add(make(op::JMP | op::EXIT, 0, 0, 0, 0));
  constexpr std::uint8_t sizes[] = {op::B, op::H, op::W, op::DW};
  for (std::uint8_t r = 0; r < 5; ++r)
    add(make(op::LDX | op::MEM | sizes[random() % 4], r, 7, static_cast<int>(random() % 9), 0));
  from_context(5, 0);
  add(make(op::STX | op::MEM | op::DW, 10, 0, -8, 0));
  add(make(op::STX | op::MEM | op::W, 10, 3, -16, 0));
  const std::size_t count = 4 + random() % 20;
  for (std::size_t n = 0; n < count; ++n) {
    const auto kind = random() % 9;
    if (kind == 8) {
      add(make(op::JMP | op::CALL, 0, ebpf::call_local, 0, 0));
      for (std::uint8_t r = 1; r <= 5; ++r) add(make(op::ALU64 | op::MOV | op::X, r, 0, 0, 0));  // whoever jumps in here has numbers there
    } else if (kind == 0) add(make(op::LDX | op::MEM | op::DW, reg(random), 10, -8, 0));
    else if (kind == 1) add(make(op::STX | op::MEM | op::DW, 10, reg(random), -8, 0));
    else if (kind <= 3) add(jump(random, count - 1 - n));
    else add(arithmetic(random));
  }
  add(make(op::JMP | op::EXIT, 0, 0, 0, 0));
  add_function(p, random);
  return p;
}

/// Bytes 12 and 13 are 0x800, and byte 23 is 6: with one check, without swapping; the long way where the packet is in pieces.
const char* const tcp = R"(
  r6 = r1
  r7 = *(u32 *)(r6 +0)
  r8 = *(u32 *)(r6 +4)
  r1 = r7
  r1 += 24
  if r1 > r8 goto slow
  r1 = *(u16 *)(r7 +12)
  if r1 != 0x8 goto reject
  r1 = *(u8 *)(r7 +23)
  if r1 != 0x6 goto reject
accept:
  r0 = 1
  exit
slow:
  r1 = r6
  r2 = 12
  r3 = r10
  r3 += -8
  r4 = 2
  call bpf_xdp_load_bytes#189
  if r0 != 0x0 goto reject
  r1 = *(u16 *)(r10 -8)
  r1 = be16 r1
  if r1 != 0x800 goto reject
  r1 = r6
  r2 = 23
  r3 = r10
  r3 += -8
  r4 = 1
  call bpf_xdp_load_bytes#189
  if r0 != 0x0 goto reject
  r1 = *(u8 *)(r10 -8)
  if r1 == 0x6 goto accept
reject:
  r0 = 0
  exit
)";

const char* const tcp_graph = R"(
n0: return 1
n1: return 0
v0 = load 1 [23]
n2: if v0 == 6 then n0 else n1
n3: guard 1 [23] then n2
v1 = load 2 [12]
n4: if v1 == 0x800 then n3 else n1
n5: guard 2 [12] then n4
root n5
)";

/// 10.0.0.1, 192.168.0.1 and such.
std::vector<std::uint8_t> address(std::uint8_t first, std::uint8_t last) {
  std::vector<std::uint8_t> bytes(4);
  bytes[0] = first;
  bytes[1] = first == 192 ? 168 : 0;
  bytes[3] = last;
  return bytes;
}

std::vector<std::uint8_t> joined(const std::vector<std::vector<std::uint8_t>>& parts) {
  std::vector<std::uint8_t> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("formulas of random programs come to what the machine returns") {
  Random random(1);
  int ended = 0;
  for (int n = 0; n < 4000; ++n) {
    const ebpf::Program p = random_program(random);
    std::vector<std::uint8_t> bytes(8 + random() % 24);
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random() % 4 ? random() : random() % 3);
    const Packet packet{.bytes = bytes, .length = static_cast<std::uint32_t>(bytes.size())};
    const auto linear = static_cast<std::uint32_t>(random() % 4 ? bytes.size() : random() % bytes.size());
    std::uint32_t expected = by_machine(p, packet, linear), got = 0;
    REQUIRE_NOTHROW(got = by_formulas(p, packet, linear));
    CHECK(got == expected);
    ended += expected != 0;
  }
  CHECK(ended > 500);  // of those that the comparison tells something about
}

TEST_CASE("a program that reads one way or the other, and what it means") {
  const ir::Program meaning = graph(tcp_graph);
  const ebpf::Program right = program(tcp);
  CHECK(proven(prove::prove(&meaning, &right)));
  CHECK(proven(prove::prove(&meaning, &right, {.agreement = Agreement::Refines})));
  CHECK(proven(prove::prove(&meaning, &right, {.intervals = false})));
}

TEST_CASE("one instruction wrong shows, on the way with pointers and on the other") {
  const ir::Program meaning = graph(tcp_graph);
  const std::pair<const char*, const char*> changes[] = {
      {"0x8 goto", "0x9 goto"}, {"+23)", "+22)"}, {"r2 = 23", "r2 = 22"}, {"be16", "le16"}, {"r1 += 24", "r1 += 25"}};
  for (const auto& [from, to] : changes) {
    const ebpf::Program wrong = program(replaced(tcp, from, to));
    const Answer answer = prove::prove(&meaning, &wrong);
    CAPTURE(std::string(from));
    if (from == std::string_view("r1 += 24")) {  // asks for more than it needs before it goes the long way: no difference
      CHECK(proven(answer));
      continue;
    }
    REQUIRE(packet(answer));
    CHECK((packet(answer)->first != 0) != (packet(answer)->second != 0));
  }
}

TEST_CASE("a function that loads, called from two places, and one instruction wrong in it") {
  const char* const text = R"(
  r6 = r1
  r2 = 12
  call load
  if r0 s< 0x0 goto reject
  r0 = be16 r0
  if r0 != 0x800 goto reject
  r1 = r6
  r2 = 22
  call load
  if r0 s< 0x0 goto reject
  r0 >>= 8
  if r0 != 0x6 goto reject
  r0 = 1
  exit
reject:
  r0 = 0
  exit
load:
  r3 = r10
  r3 += -8
  r4 = 2
  call bpf_xdp_load_bytes#189
  if r0 != 0x0 goto none
  r0 = *(u16 *)(r10 -8)
  exit
none:
  r0 = -1
  exit
)";
  const ir::Program meaning = graph(tcp_graph);
  const ebpf::Program right = program(text);
  CHECK(proven(prove::prove(&meaning, &right)));
  for (const auto& [from, to] : {std::pair{"*(u16 *)(r10 -8)", "*(u8 *)(r10 -8)"}, {"r0 = -1", "r0 = 0"}, {"r2 = 22", "r2 = 21"}}) {
    const ebpf::Program wrong = program(replaced(text, from, to));
    CAPTURE(std::string(from));
    if (from == std::string_view("r0 = -1")) CHECK(proven(prove::prove(&meaning, &wrong)));  // 0 is neither number that is asked for
    else CHECK(packet(prove::prove(&meaning, &wrong)));
  }
}

TEST_CASE("a map is the set of its keys") {
  const auto text = [](const char* size) {
    return replaced(R"(
  r6 = r1
  r7 = *(u32 *)(r6 +0)
  r8 = *(u32 *)(r6 +4)
  r1 = r7
  r1 += 4
  r0 = 0
  if r1 > r8 goto end
  r1 = *(u32 *)(r7 +0)
  *(u32 *)(r10 -4) = r1
  *(u32 *)(r10 -8) = 32
  r1 = map[idx:0]
  r2 = r10
  r2 += SIZE
  call bpf_map_lookup_elem#1
  if r0 == 0x0 goto missing
  r0 = 1
end:
  exit
missing:
  r0 = 0
  exit
)", "SIZE", size);
  };
  ebpf::Program exact = program(text("-4")), prefixes = program(text("-8"));
  exact.maps.push_back({.name = "set",
                        .kind = ebpf::MapKind::Hash,
                        .key_bytes = 4,
                        .value_bytes = 1,
                        .max_entries = 2,
                        .keys = joined({address(10, 1), address(10, 3)}),
                        .span = {}});
  prefixes.maps.push_back({.name = "set", .kind = ebpf::MapKind::LpmTrie, .key_bytes = 8, .value_bytes = 1, .max_entries = 2,
                           .keys = joined({address(8, 0), address(10, 0), address(32, 0), address(192, 1)}), .span = {}});
  // Not in one piece: these programs reject, so they are compared where the first four bytes are there for pointers, by
  // refinement of the machine's runs.
  for (const ebpf::Program* p : {&exact, &prefixes}) {
    for (const std::vector<std::uint8_t>& bytes :
         {address(10, 1), address(10, 2), address(10, 3), address(192, 1), address(192, 2), std::vector<std::uint8_t>(3)}) {
      const Packet packet{.bytes = bytes, .length = static_cast<std::uint32_t>(bytes.size())};
      CHECK(by_formulas(*p, packet, 4) == by_machine(*p, packet, 4));
    }
  }
  CHECK(by_formulas(prefixes, {.bytes = address(10, 2), .length = 4}, 4) == 1);
  const Answer answer = prove::prove(&exact, &prefixes);
  REQUIRE(packet(answer));
}

TEST_CASE("a function returns what it loads, or -1") {
  const std::string function =
      "f: r3 = r10\nr3 += -8\nw4 = 1\ncall bpf_skb_load_bytes#26\nif r0 != 0 goto none\nr0 = *(u8 *)(r10 -8)\nexit\nnone: r0 = "
      "-1\nexit\n";
  for (const char* caller :
       {"w2 = 14\ncall f\nif r0 s< 0 goto error\nw0 &= 1\nexit\nerror: w0 &= 2\nexit\n",
        "w2 = 14\ncall f\nif r0 s>= 0 goto there\nw0 &= 2\nexit\nthere: w0 &= 1\nexit\n",
        "w2 = 14\ncall f\nr7 = r0\nif r7 s< 0 goto error\nr0 += r7\nw0 &= 2\nexit\nerror: w0 >>= 31\nexit\n"}) {
    CAPTURE(caller);
    const ebpf::Program p = program(caller + function, ebpf::Hook::TcIngress);
    for (const std::uint32_t length : {13u, 14u, 15u, 16u})
      for (std::uint8_t last = 0; last < 4; ++last) {
        std::vector<std::uint8_t> bytes(length, 0x55);
        if (length > 14) bytes[14] = last;
        const Packet packet{.bytes = bytes, .length = length};
        CHECK(by_formulas(p, packet, length) == by_machine(p, packet, length));
      }
  }
}

TEST_CASE("a table that is read in place has the numbers that stand where they are looked for") {
  const ir::Program meaning = graph(R"(
n0: return 1
n1: return 0
v0 = load 4 [26]
n2: if v0 in {3, 9, 0x0a000001-0x0a000005, 0xffffffff} then n0 else n1
n3: guard 4 [26] then n2
root n3
)");
  for (const ebpf::Hook hook : {ebpf::Hook::Xdp, ebpf::Hook::TcIngress, ebpf::Hook::Cgroup, ebpf::Hook::SocketBtf, ebpf::Hook::Socket}) {
    CAPTURE(ebpf::to_string(hook));
    const auto made = ebpf::emit(meaning, {.hook = hook, .table_threshold = 1});
    REQUIRE(made);
    REQUIRE_EQ(made->maps.size(), 1);
    const Answer right = prove::prove(&meaning, &*made);
    CHECK_MESSAGE(proven(right), (std::holds_alternative<Undecided>(right.is) ? std::get<Undecided>(right.is).why : "a packet"));
    for (std::size_t at = 0; at < made->maps[0].values.size(); at += 4) {
      ebpf::Program wrong = *made;
      std::uint8_t* const number = &wrong.maps[0].values[at];
      const bool is_member = meaning.set(0).contains(std::uint32_t{number[0]} << 24 | std::uint32_t{number[1]} << 16 |
                                                     std::uint32_t{number[2]} << 8 | number[3]);
      number[at / 4 % 4] ^= 0x40;
      const Answer answer = prove::prove(&meaning, &wrong);
      CHECK((packet(answer) || (!is_member && proven(answer))));
    }
    // The lower half of a product may be 0 where neither factor is.
    ebpf::Program half = *made;
    for (ebpf::Instruction& i : half.instructions)
      if (ebpf::is_conditional(i) && !ebpf::takes_register(i) && i.imm == 0)
        i.code = static_cast<std::uint8_t>((i.code & ~7) | ebpf::op::JMP32);
    CHECK(std::holds_alternative<Undecided>(prove::prove(&meaning, &half).is));
  }
}

TEST_CASE("what is not understood is said") {
  const ir::Program meaning = graph(tcp_graph);
  const ebpf::Program loop = program("r0 = 0\nagain:\nr0 += 1\nif r0 < 0x5 goto again\nexit\n");
  const Answer answer = prove::prove(&meaning, &loop);
  REQUIRE(std::holds_alternative<Undecided>(answer.is));
  CHECK(std::get<Undecided>(answer.is).why == "the program has a loop");
  const auto why = [&](const char* text) {
    const ebpf::Program p = program(text);
    const Answer undecided = prove::prove(&meaning, &p);
    REQUIRE(std::holds_alternative<Undecided>(undecided.is));
    return std::get<Undecided>(undecided.is).why;
  };
  CHECK(why("again:\ncall again\nexit\n") == "functions call each other too deep");
  std::string tree = "call f1\nexit\n";
  for (int f = 1; f < 8; ++f) {
    tree += fmt::format("f{}:\n", f);
    for (int n = 0; n < 10 && f < 7; ++n) tree += fmt::format("call f{}\n", f + 1);
    tree += "r0 = 0\nexit\n";
  }
  CHECK(why(tree.c_str()) == "functions call each other too often");
  CHECK(why("call f\nr0 = *(u64 *)(r0 -8)\nexit\nf:\nr0 = r10\nexit\n") == "a function returns a place of its stack");
  CHECK(why("r1 = r10\ncall f\nexit\nf:\nr0 = *(u64 *)(r1 -8)\nexit\n") == "a function is given a place of its caller's stack");
  // What is not there ends the function with 0, and the program goes on.
  CHECK(why("call f\nexit\nf:\nr6 = r1\nr0 = *(u16 *)skb[12]\nexit\n") ==
        "a function loads from the packet in a way that would end it, and not the program");
  const ebpf::Program unknown = program("call bpf_get_prandom_u32#7\nexit\n");
  const Answer other = prove::prove(&meaning, &unknown);
  REQUIRE(std::holds_alternative<Undecided>(other.is));
  CHECK(std::get<Undecided>(other.is).why.contains("is not understood here"));
}
