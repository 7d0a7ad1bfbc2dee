#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ir/program.hpp"

using namespace weir;
using namespace weir::ir;

namespace {

const std::vector<std::uint8_t> bytes = {0x45, 0x00, 0x12, 0x34, 0x56, 0x78, 0xff, 0xfe};

Packet packet() { return {.bytes = bytes, .length = 1500, .meta = {.vlan_tag = 7, .vlan_tag_present = 1}}; }

std::uint32_t run(const std::string& text) {
  const auto p = read(text);
  REQUIRE_MESSAGE(p.has_value(), p.error().message);
  return evaluate(*p, packet());
}

}  // namespace

TEST_CASE("values") {
  const struct {
    const char* value;
    std::uint32_t want;
  } cases[] = {
      {"load 1 [0]", 0x45},
      {"load 2 [2]", 0x1234},
      {"load 4 [2]", 0x12345678},
      {"load 2 [6]", 0xfffe},
      {"load 2 [7]", 0},            // one byte short
      {"load 4 [8]", 0},            // all of it
      {"load 1 [0xffffffff]", 0},
      {"load 1 [four + 2]", 0xff},
      {"load 1 [big + 2]", 0},      // offsets do not wrap
      {"length", 1500},
      {"meta vlan_tag", 7},
      {"meta vlan_tag_present", 1},
      {"meta protocol", 0},
      {"-four", 0xfffffffc},
      {"four + big", 3},
      {"four - 5", 0xffffffff},
      {"four * big", 0xfffffffc},
      {"big / four", 0x3fffffff},
      {"9 % four", 1},
      {"four / 0", 0},
      {"four % 0", 0},
      {"big & 0xf0", 0xf0},
      {"four | 3", 7},
      {"four ^ 5", 1},
      {"four << 30", 0},
      {"four << 29", 0x80000000},
      {"four << 32", 0},
      {"big >> 31", 1},
      {"big >> 32", 0},
  };
  for (const auto& c : cases) {
    CAPTURE(c.value);
    CHECK(run("four = 4\nbig = 0xffffffff\nx = " + std::string(c.value) + "\nn: return x\nroot n\n") == c.want);
  }
}

TEST_CASE("nodes") {
  const struct {
    const char* node;
    std::uint32_t want;
  } cases[] = {
      {"guard 2 [6] then yes", 1},
      {"guard 2 [7] then yes", 0},
      {"guard 8 [0] then yes", 1},
      {"guard 9 [0] then yes", 0},
      {"guard 1 [0xffffffff] then yes", 0},
      {"guard 4 [two + 2] then yes", 1},
      {"guard 5 [two + 2] then yes", 0},
      {"guard 1 [0xffffffff + 2] then yes", 0},
      {"guard 1 [beyond + 0] then yes", 0},
      {"nonzero two then yes", 1},
      {"nonzero zero then yes", 0},
      {"if two == 2 then yes else no", 1},
      {"if two == 3 then yes else no", 2},
      {"if two > 2 then yes else no", 2},
      {"if two >= 2 then yes else no", 1},
      {"if two &? 6 then yes else no", 1},
      {"if two &? 5 then yes else no", 2},
      {"if beyond == 1 then no else no", 0},
      {"if two == beyond then no else no", 0},
      {"if bad == 1 then no else no", 0},
  };
  for (const auto& c : cases) {
    CAPTURE(c.node);
    CHECK(run("two = 2\nlow = load 1 [1]\nzero = low & 1\nbeyond = load 1 [8]\nbad = two / zero\n"
              "yes: return 1\nno: return 2\nn: " + std::string(c.node) + "\nroot n\n") == c.want);
  }
}

TEST_CASE("choices") {
  const std::string choice =
      "four: return 4\n"
      "two: return 2\n"
      "v = load 1 [0]\n"
      "inner: guard 1 [LAST] then four\n"
      "pick: if v == FIRST then inner else two\n"
      "offset = choice pick\n"
      "x = load 1 [offset + 1]\n"
      "n: return x\n"
      "root n\n";
  const auto with = [&](const char* first, const char* last) {
    std::string text = choice;
    text.replace(text.find("FIRST"), 5, first);
    text.replace(text.find("LAST"), 4, last);
    return run(text);
  };
  CHECK(with("0x45", "7") == 0x78);
  CHECK(with("0x44", "7") == 0x34);
  CHECK(with("0x45", "8") == 0);     // a guard inside a choice rejects the packet
  CHECK(with("0x44", "8") == 0x34);  // when it is met
}

TEST_CASE("offsets that build on one another are asked once each") {
  Program p;
  ValueId offset = p.load(1, no_value, 1);
  for (int i = 0; i < 200; ++i)
    offset = p.binary(Arith::Add, p.load(1, offset, 1), p.binary(Arith::And, offset, p.constant(0)));
  p.root = p.ret(p.binary(Arith::Add, offset, p.constant(1)));
  CHECK(evaluate(p, packet()) == 1);
}

TEST_CASE("values nested a thousand deep") {
  Program p;
  ValueId v = p.length();
  for (int i = 0; i < 1000; ++i) v = p.negate(p.choice(p.ret(p.negate(v))));
  p.root = p.ret(v);
  CHECK(evaluate(p, packet()) == 1500);
}
