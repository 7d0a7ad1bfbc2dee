#include <doctest/doctest.h>

#include <string>

#include "ir/program.hpp"
#include "random_program.hpp"

using namespace weir;
using namespace weir::ir;

namespace {

Program must_read(std::string_view text) {
  auto p = read(text);
  REQUIRE_MESSAGE(p.has_value(), p.error().message);
  return *std::move(p);
}

}  // namespace

TEST_CASE("to_string writes what the header shows") {
  Program p;
  const NodeId reject = p.ret(0u), accept = p.ret(262144);
  const ValueId type = p.load(2, no_value, 12);
  p.root = p.guard(2, no_value, 12, p.test(Relation::Equal, type, p.constant(0x800), accept, reject));
  CHECK(to_string(p) ==
        "n0: return 262144\n"
        "n1: return 0\n"
        "v2 = load 2 [12]\n"
        "n2: if v2 == 0x800 then n0 else n1\n"
        "n3: guard 2 [12] then n2\n"
        "root n3\n");
  CHECK(to_string(Program{}) == "");
}

TEST_CASE("what is printed reads back to the same") {
  const char* const texts[] = {
      "n0: return 0\nroot n0\n",
      "v0 = length\nn0: return v0\nroot n0\n",
      "v0 = meta vlan_tag_present\nv1 = -v0\nn0: return v1\nroot n0\n",
      "v0 = load 1 [14]\nv2 = v0 & 15\nv4 = v2 << 2\nv5 = load 2 [v4 + 16]\nn0: return v5\nroot n0\n",
      "v1 = load 1 [3 + 0]\nn0: return v1\nroot n0\n",
      "v1 = load 4 [3 + 9]\nv2 = load 4 [v1]\nn0: return v2\nroot n0\n",
      ("n0: return 1\nn1: guard 20 [14] then n0\nv1 = load 1 [14]\nn2: guard 2 [v1 + 4] then n1\n"
       "n3: nonzero v1 then n2\nroot n3\n"),
      ("n0: return 4\nn1: return 0\nv2 = length\nn2: if v2 > 0x12c then n0 else n1\nv4 = choice n2\n"
       "n3: return v4\nroot n3\n"),
  };
  for (const char* text : texts) CHECK(to_string(must_read(text)) == text);
  const char* const operators[] = {"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"};
  for (const std::string op : operators) {
    const std::string text = "v0 = length\nv2 = v0 " + op + " 3\nn0: return v2\nroot n0\n";
    CHECK(to_string(must_read(text)) == text);
  }
  for (const std::string op : {"==", ">", ">=", "&?"}) {
    const std::string text =
        "n0: return 1\nn1: return 0\nv2 = length\nn2: if v2 " + op + " 3 then n0 else n1\nroot n2\n";
    CHECK(to_string(must_read(text)) == text);
  }
}

TEST_CASE("text by hand may have names, comments, spaces, unused lines, and no last newline") {
  const Program p = must_read(
      "# is it IPv4?\n"
      "\n"
      "accept:return 262144   # all of it\n"
      "  reject: return 0\r\n"
      "type=load 2[0x0c]\n"
      "idle = 5\n"
      "t: if type==0x0800 then accept else reject\n"
      "root t");
  CHECK(to_string(p) ==
        "n0: return 262144\nn1: return 0\nv2 = load 2 [12]\nn2: if v2 == 0x800 then n0 else n1\nroot n2\n");
}

TEST_CASE("errors name the line") {
  const struct {
    const char* line;
    const char* message;
  } cases[] = {
      {"?", "expected a name"},
      {"x", "expected '=' or ':' after 'x'"},
      {"v = ", "expected a value"},
      {"v = w", "'w' is not defined above"},
      {"v = load 3 [12]", "a load is of 1, 2 or 4 bytes"},
      {"v = load 2 12", "expected '['"},
      {"v = load 2 [12", "expected ']'"},
      {"v = load 2 [12 + ]", "expected a number"},
      {"v = load 2 [u]", "'u' is not defined above"},
      {"v = length length", "expected the end of the line"},
      {"v = meta colour", "'colour' is nothing the kernel knows"},
      {"v = choice n9", "'n9' is not defined above"},
      {"v = 4294967296", "'4294967296' is not a number of 32 bits"},
      {"v = 12x", "'12x' is not a number of 32 bits"},
      {"v = 0x", "'0x' is not a number of 32 bits"},
      {"v = len ~ 2", "expected an operator"},
      {"v = len + ", "expected a value"},
      {"len = 3", "'len' is defined twice"},
      {"7 = len", "'7' cannot be a name"},
      {"n: 7", "expected 'return', 'guard', 'nonzero' or 'if'"},
      {"n: guard 0 [1] then e", "a guard is of 1 to 255 bytes"},
      {"n: guard 256 [1] then e", "a guard is of 1 to 255 bytes"},
      {"n: guard 1 [1] e", "expected 'then'"},
      {"n: guard 1 [1] then n", "'n' is not defined above"},
      {"n: nonzero len then", "expected a node"},
      {"n: if len = 1 then e else e", "expected a relation"},
      {"n: if len == 1 then e", "expected 'else'"},
      {"e: return 2", "'e' is defined twice"},
      {"root f", "'f' is not defined above"},
      {"root e", "a second 'root' line"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.line);
    const std::string head = "len = length\ne: return 1\nroot e\n";
    const auto p = read(head + c.line + "\nmore: nonsense\n");
    REQUIRE_FALSE(p.has_value());
    CHECK(p.error().code == Code::Input);
    CHECK(p.error().message == c.message);
    CHECK(p.error().span == Span{static_cast<std::uint32_t>(head.size()),
                                 static_cast<std::uint32_t>(head.size() + std::string(c.line).size())});
  }
  CHECK(read("").error().message == "no 'root' line");
  CHECK(read("n: return 1\n").error().message == "no 'root' line");
}

TEST_CASE("expressions read like a filter") {
  const struct {
    const char* value;
    const char* want;
  } cases[] = {
      {"5", "5"},
      {"0x800", "0x800"},
      {"length", "len"},
      {"meta vlan_tag", "vlan_tag"},
      {"load 2 [12]", "[12:2]"},
      {"load 2 [300]", "[300:2]"},
      {"load 2 [ihl + 14]", "[(([14:1] & 15) << 2) + 14:2]"},
      {"load 2 [byte]", "[[14:1]:2]"},
      {"-byte", "-[14:1]"},
      {"-ihl", "-(([14:1] & 15) << 2)"},
      {"ihl + byte", "(([14:1] & 15) << 2) + [14:1]"},
      {"tag & 7", "vlan_tag & 7"},
      {"choice n", "choice n0"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.value);
    const Program p = must_read(
        "n: return 0\nbyte = load 1 [14]\nlow = byte & 15\nihl = low << 2\ntag = meta vlan_tag\n"
        "x = " + std::string(c.value) + "\nr: return x\nroot r\n");
    CHECK(expression(p, p[p.root].a) == c.want);
  }
  Program p;
  const NodeId end = p.ret(300u);
  const ValueId both = p.binary(Arith::And, p.meta(Meta::VlanTag), p.constant(0xfff));
  CHECK(expression(p, end) == "return 300");
  CHECK(expression(p, p.guard(20, no_value, 14, end)) == "guard [14:20]");
  CHECK(expression(p, p.nonzero(both, end)) == "nonzero (vlan_tag & 0xfff)");
  CHECK(expression(p, p.test(Relation::Equal, both, p.constant(3), end, end)) == "(vlan_tag & 0xfff) == 3");
}

TEST_CASE("an expression that shares operands does not explode") {
  Program p;
  ValueId v = p.length();
  for (int i = 0; i < 100; ++i) v = p.binary(Arith::Mul, v, v);
  CHECK(expression(p, v).size() < 20'000);
  CHECK(expression(p, v).find("v90 * v90") != std::string::npos);
}

TEST_CASE("to_dot draws nodes, ways and choices") {
  const std::string dot = to_dot(must_read(
      "n0: return 0\nn1: return 1\nv2 = length\nn2: if v2 > 300 then n1 else n0\nv4 = choice n2\n"
      "n3: nonzero v4 then n0\nn4: guard 2 [12] then n3\nroot n4\n"));
  for (const char* line : {
           "digraph filter {\n",
           "  start -> n4;\n",
           "  n0 [label=\"n0: return 0\", style=rounded];\n",
           "  n2 [label=\"n2: len > 0x12c\"];\n",
           "  n2 -> n1 [label=\"yes\"];\n",
           "  n2 -> n0 [label=\"no\"];\n",
           "  v4 [label=\"choice n2\", shape=ellipse, style=dashed];\n",
           "  v4 -> n2 [label=\"choice\", style=dashed];\n",
           "  n4 [label=\"n4: guard [12:2]\"];\n",
           "  n4 -> n3 [label=\"then\"];\n",
       }) {
    CAPTURE(line);
    CHECK(dot.find(line) != std::string::npos);
  }
}

TEST_CASE("random programs read back to the same text and meaning") {
  for (std::uint32_t seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    RandomProgram random(seed);
    const Program p = random.make(3 + seed % 40);
    const std::string text = to_string(p);
    const Program q = must_read(text);
    CHECK(to_string(q) == text);
    CHECK(to_string(compact(p)) == text);
    CHECK(verify(p).has_value() == verify(q).has_value());
    for (int i = 0; i < 10; ++i) {
      const auto bytes = random_bytes(random);
      const Packet packet{.bytes = bytes, .length = 60, .meta = {.vlan_tag = 3}};
      CHECK(evaluate(p, packet) == evaluate(q, packet));
    }
  }
}
