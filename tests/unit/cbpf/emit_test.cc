#include <doctest/doctest.h>

#include <string>

#include "cbpf/emit.hpp"
#include "cbpf/program.hpp"

namespace cbpf = weir::cbpf;
namespace ir = weir::ir;

namespace {

/// The instructions of a graph's program, without where they jump to.
std::string listing(const std::string& graph) {
  const auto p = ir::read("no: return 0\nyes: return 1\n" + graph);
  REQUIRE(p);
  const auto program = cbpf::emit(*p);
  REQUIRE(program);
  std::string text;
  for (const cbpf::Instruction& i : program->instructions) {
    for (const char c : cbpf::to_string(i))
      if (c != ' ' || text.back() != ' ') text += c;
    text += "; ";
  }
  return text;
}

}  // namespace

TEST_CASE("emit: a range is first asked for the side that more numbers lie on") {
  const std::string low = listing("x = load 4 [26]\nt: if x in {10-20} then yes else no\ng: guard 4 [26] then t\nroot g\n");
  CHECK(low == "ld [26]; jgt #0x14; jge #0xa; ret #1; ret #0; ");
  const std::string high = listing("x = load 4 [26]\nt: if x in {0xf0000000-0xf0000009} then yes else no\ng: guard 4 [26] then t\nroot g\n");
  CHECK(high == "ld [26]; jge #0xf0000000; jgt #0xf0000009; ret #1; ret #0; ");
}

TEST_CASE("emit: two numbers side by side are a range where neither is likely") {
  CHECK(listing("x = load 2 [54]\nt: if x in {67-68} then yes else no\ng: guard 2 [54] then t\nroot g\n") == "ldh [54]; jgt #0x44; jge #0x43; ret #1; ret #0; ");
  CHECK(listing("x = load 2 [12]\nt: if x in {67-68} then yes else no\ng: guard 2 [12] then t\nroot g\n") == "ldh [12]; jeq #0x43; jeq #0x44; ret #1; ret #0; ");
}

TEST_CASE("emit: what two bytes near the beginning hold is mostly small") {
  CHECK(listing("x = load 2 [16]\nt: if x in {513-1024} then yes else no\ng: guard 2 [16] then t\nroot g\n") == "ldh [16]; jge #0x201; jgt #0x400; ret #1; ret #0; ");
  CHECK(listing("x = load 2 [54]\nt: if x in {513-1024} then yes else no\ng: guard 2 [54] then t\nroot g\n") == "ldh [54]; jgt #0x400; jge #0x201; ret #1; ret #0; ");
}

TEST_CASE("emit: upper bits that are one number are a range") {
  CHECK(listing("x = load 4 [26]\ny = x & 0xffffff00\nt: if y == 0xa000000 then yes else no\ng: guard 4 [26] then t\nroot g\n") == "ld [26]; jgt #0xa0000ff; jge #0xa000000; ret #1; ret #0; ");
  CHECK(listing("x = load 1 [30]\ny = x & 0xf0\nt: if y == 0xe0 then yes else no\ng: guard 1 [30] then t\nroot g\n") == "ldb [30]; jge #0xe0; jgt #0xef; ret #1; ret #0; ");
  CHECK(listing("x = load 1 [0]\ny = x & 0xf0\nu: if y == 0x60 then yes else no\nt: if y == 0x40 then no else u\ng: guard 1 [0] then t\nroot g\n") == "ldb [0]; and #0xf0; jeq #0x40; jeq #0x60; ret #1; ret #0; ");
  CHECK(listing("x = load 4 [26]\ny = x & 0xffff00ff\nt: if y == 0xa000001 then yes else no\ng: guard 4 [26] then t\nroot g\n") == "ld [26]; and #0xffff00ff; jeq #0xa000001; ret #1; ret #0; ");
}
