#include <doctest/doctest.h>

#include <cstdint>
#include <regex>
#include <string>

#include <fmt/format.h>

#include "cbpf/emit.hpp"
#include "cbpf/program.hpp"

namespace cbpf = weir::cbpf;
namespace ir = weir::ir;

namespace {

/// The instructions of a graph's program, without where they jump to.
std::string listing(const std::string& graph, cbpf::Places places = cbpf::Places::Apart) {
  const auto p = ir::read("no: return 0\nyes: return 1\n" + graph);
  REQUIRE(p);
  const auto program = cbpf::emit(*p, {}, places);
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
  const std::string high =
      listing("x = load 4 [26]\nt: if x in {0xf0000000-0xf0000009} then yes else no\ng: guard 4 [26] then t\nroot g\n");
  CHECK(high == "ld [26]; jge #0xf0000000; jgt #0xf0000009; ret #1; ret #0; ");
}

TEST_CASE("emit: two numbers side by side are a range where neither is likely") {
  CHECK(listing("x = load 2 [54]\nt: if x in {67-68} then yes else no\ng: guard 2 [54] then t\nroot g\n") ==
        "ldh [54]; jgt #0x44; jge #0x43; ret #1; ret #0; ");
  CHECK(listing("x = load 2 [12]\nt: if x in {67-68} then yes else no\ng: guard 2 [12] then t\nroot g\n") ==
        "ldh [12]; jeq #0x43; jeq #0x44; ret #1; ret #0; ");
}

TEST_CASE("emit: what two bytes near the beginning hold is mostly small") {
  CHECK(listing("x = load 2 [16]\nt: if x in {513-1024} then yes else no\ng: guard 2 [16] then t\nroot g\n") ==
        "ldh [16]; jge #0x201; jgt #0x400; ret #1; ret #0; ");
  CHECK(listing("x = load 2 [54]\nt: if x in {513-1024} then yes else no\ng: guard 2 [54] then t\nroot g\n") ==
        "ldh [54]; jgt #0x400; jge #0x201; ret #1; ret #0; ");
}

TEST_CASE("emit: upper bits that are one number are a range") {
  CHECK(listing("x = load 4 [26]\ny = x & 0xffffff00\nt: if y == 0xa000000 then yes else no\ng: guard 4 [26] then t\nroot g\n") ==
        "ld [26]; jgt #0xa0000ff; jge #0xa000000; ret #1; ret #0; ");
  CHECK(listing("x = load 1 [30]\ny = x & 0xf0\nt: if y == 0xe0 then yes else no\ng: guard 1 [30] then t\nroot g\n") ==
        "ldb [30]; jge #0xe0; jgt #0xef; ret #1; ret #0; ");
  CHECK(listing("x = load 1 [0]\ny = x & 0xf0\nu: if y == 0x60 then yes else no\nt: if y == 0x40 then no else u\ng: guard 1 [0] "
                "then t\nroot g\n") == "ldb [0]; and #0xf0; jeq #0x40; jeq #0x60; ret #1; ret #0; ");
  CHECK(listing("x = load 4 [26]\ny = x & 0xffff00ff\nt: if y == 0xa000001 then yes else no\ng: guard 4 [26] then t\nroot g\n") ==
        "ld [26]; and #0xffff00ff; jeq #0xa000001; ret #1; ret #0; ");
}

TEST_CASE("emit: of the pieces of a set of ports, that with most numbers is asked for first") {
  CHECK(listing("x = load 2 [54]\nt: if x in {0, 80, 0x400-0xffff} then no else yes\ng: guard 2 [54] then t\nroot g\n") ==
        "ldh [54]; jge #0x400; jeq #0x0; jeq #0x50; ret #1; ret #0; ");
  CHECK(listing("x = load 2 [54]\nt: if x in {0-9, 80, 0x400-0x4ff} then no else yes\ng: guard 2 [54] then t\nroot g\n") ==
        "ldh [54]; jgt #0x9; jeq #0x50; jgt #0x4ff; jge #0x400; ret #1; ret #0; ");
}

TEST_CASE("emit: what is beyond a long list is told first at its ends") {
  std::string numbers, leaf[3];
  for (std::uint32_t i = 0; i < 12; ++i) {
    numbers += (i == 0 ? "" : ", ") + std::to_string(0xa000000 + 2 * i);
    leaf[i / 4] += fmt::format("jeq #{:#x}; ", 0xa000000 + 2 * i);
  }
  const auto of = [](const std::string& set) {
    return listing("x = load 4 [26]\nt: if x in {" + set + "} then yes else no\ng: guard 4 [26] then t\nroot g\n");
  };
  const std::string middle = "jge #0xa000010; ", lower = "jge #0xa000008; ", end = "ret #1; ret #0; ";
  CHECK(of(numbers) == "ld [26]; " + middle + lower + "jge #0xa000000; " + leaf[0] + leaf[1] + "jgt #0xa000016; " + leaf[2] + end);
  // Nothing is beyond what has the last number, or the first.
  CHECK(of("0, " + numbers.substr(numbers.find(' ') + 1, numbers.rfind(',') - numbers.find(' ')) + " 0xffffffff").find("jgt") ==
        std::string::npos);
}

TEST_CASE("emit: two blocks of a size are told by their upper bits, also where they are what is left out") {
  const std::string two = "ldb [7]; jset #0xf0; and #0xfffffff0; jeq #0x50; ret #1; ret #0; ";
  CHECK(listing("x = load 1 [7]\nt: if x in {0-0xf, 0x50-0x5f} then yes else no\ng: guard 1 [7] then t\nroot g\n") == two);
  CHECK(listing("x = load 1 [7]\nt: if x in {0x10-0x4f, 0x60-0xff} then no else yes\ng: guard 1 [7] then t\nroot g\n") == two);
  // The largest number a value can be has not all the bits that others have.
  CHECK(listing("y = load 1 [7]\nx = y / 3\nt: if x in {0-1, 40-41} then yes else no\ng: guard 1 [7] then t\nroot g\n") ==
        "ldb [7]; div #3; jset #0x7e; and #0xfffffffe; jeq #0x28; ret #1; ret #0; ");
}

TEST_CASE("emit: what a chain of headers asks at its end stands once") {
  const std::string chain =
      "a = load 1 [20]\nb = load 1 [54]\nc = load 1 [62]\n"
      "m3: if c in {0, 43-44, 51, 60} then yes else no\nt3: if c == 6 then yes else m3\ng3: guard 1 [62] then t3\n"
      "m2: if b in {0, 43-44, 51, 60} then g3 else no\nt2: if b == 6 then yes else m2\ng2: guard 1 [54] then t2\n"
      "m1: if a in {0, 43-44, 51, 60} then g2 else no\nt1: if a == 6 then yes else m1\ng1: guard 1 [20] then t1\nroot g1\n";
  CHECK(listing(chain) == "ldb [20]; mul #2113984794; jset #0x45c00881; ldb [54]; mul #2113984794; jset #0x45c00881; "
                          "ldb [62]; mul #2113984794; jset #0x45c00881; jeq #0xf405169c; ret #1; ret #0; ");
}

TEST_CASE("emit: what is asked alike of two places stands once") {
  const std::string ports =
      "h = load 1 [14]\nl = h & 15\nx = l << 2\na = load 2 [x + 14]\nb = load 2 [x + 16]\nc = load 2 [54]\nd = load 2 [56]\n"
      "p = load 1 [23]\nq = load 1 [20]\ne = load 2 [12]\n"
      "tp: if p == 6 then yes else no\ngp: guard 1 [23] then tp\n"
      "tb: if b in {5060-5091} then gp else no\ngb: guard 2 [x + 16] then tb\n"
      "ta: if a in {5060-5091} then gp else gb\nga: guard 2 [x + 14] then ta\ngh: guard 1 [14] then ga\n"
      "tq: if q == 6 then yes else no\ngq: guard 1 [20] then tq\n"
      "td: if d in {5060-5091} then gq else no\ngd: guard 2 [56] then td\n"
      "tc: if c in {5060-5091} then gq else gd\ngc: guard 2 [54] then tc\n"
      "t6: if e == 0x86dd then gc else no\nt4: if e == 0x800 then gh else t6\ng: guard 2 [12] then t4\nroot g\n";
  CHECK(listing(ports, cbpf::Places::Shared) ==
        "ldh [12]; jeq #0x800; ldx #0x28; jeq #0x86dd; ldxb 4*([14]&0xf); ldh [x + 14]; jgt #0x13e3; jge #0x13c4; "
        "ldh [x + 16]; jgt #0x13e3; jge #0x13c4; ldh [12]; jeq #0x800; ldb [20]; jeq #0x6; ldb [23]; jeq #0x6; ret #1; ret #0; ");
}

TEST_CASE("emit: code runs into a jump that stands at the end of other code, too") {
  const std::string types =
      "e = load 2 [12]\nv = load 2 [16]\none: if v == 0x86dd then yes else no\ng1: guard 2 [16] then one\n"
      "two: if v in {0x800, 0x86dd} then yes else no\ng2: guard 2 [16] then two\nt: if e == 0x8100 then g2 else g1\ng: guard 2 "
      "[12] then t\nroot g\n";
  CHECK(listing(types, cbpf::Places::SharedIfAlike) ==
        "ldh [12]; jeq #0x8100; ldh [16]; jeq #0x800; ldh [16]; jeq #0x86dd; ret #1; ret #0; ");
}

TEST_CASE("emit: X is set ahead of a row of tests that lead to what is asked of another place, too") {
  const std::string ports =
      "h = load 1 [14]\nl = h & 15\nx = l << 2\na = load 2 [x + 14]\nb = load 2 [x + 16]\nc = load 2 [54]\nd = load 2 [56]\n"
      "p = load 1 [23]\nq = load 1 [20]\ne = load 2 [12]\n"
      "tb: if b == 80 then no else yes\ngb: guard 2 [x + 16] then tb\nta: if a == 80 then no else gb\nga: guard 2 [x + 14] then "
      "ta\ngh: guard 1 [14] then ga\n"
      "td: if d == 80 then no else yes\ngd: guard 2 [56] then td\ntc: if c == 80 then no else gd\ngc: guard 2 [54] then tc\n"
      "up: if p == 17 then gh else yes\ntp: if p == 6 then gh else up\ngp: guard 1 [23] then tp\n";
  const std::string versions =
      "gq: guard 1 [20] then tq\nt6: if e == 0x86dd then gq else yes\nt4: if e == 0x800 then gp else t6\ng: guard 2 [12] then "
      "t4\n";
  const std::string row = ports + "uq: if q == 17 then gc else yes\ntq: if q == 6 then gc else uq\n" + versions + "root g\n";
  CHECK(listing(row, cbpf::Places::SharedIfAlike) ==
        "ldh [12]; jeq #0x800; jeq #0x86dd; ldx #0x28; ldb [20]; jeq #0x6; ldxb 4*([14]&0xf); ldb [23]; jeq #0x6; jeq #0x11; "
        "ldh [x + 14]; jeq #0x50; ldh [x + 16]; jeq #0x50; ret #1; ret #0; ");
  // The header's length would be read ahead of a row that is about a byte before it, of packets that may not have more and are accepted.
  const std::string before = std::regex_replace(row, std::regex("\\[23\\]"), "[13]");
  CHECK(listing(before, cbpf::Places::SharedIfAlike) ==
        "ldh [12]; jeq #0x800; jeq #0x86dd; ldx #0x28; ldb [20]; jeq #0x6; jeq #0x11; ldb [13]; jeq #0x6; jeq #0x11; ldxb 4*([14]&0xf); "
        "ldh [x + 14]; jeq #0x50; ldh [x + 16]; jeq #0x50; ret #1; ret #0; ");
  // So it would ahead of a row that is about what the kernel knows, for which it loads nothing of the packet.
  const std::string of_kernel = std::regex_replace(row, std::regex("load 1 \\[23\\]"), "meta vlan_tag");
  const std::string tag = std::regex_replace(of_kernel, std::regex("guard 1 \\[23\\]"), "guard 2 [12]");
  const std::string about_tag = listing(tag, cbpf::Places::SharedIfAlike);
  CHECK(about_tag.find("ldxb") > about_tag.find("vlan_tci"));
  // Others get into the row, where X would not be set.
  const std::string entered = ports + "z = load 1 [0]\nuq: if q == 17 then gc else yes\ntq: if q == 6 then gc else uq\n" + versions +
                              "tz: if q == 9 then uq else g\ngz: guard 1 [20] then tz\nroot gz\n";
  CHECK(listing(entered, cbpf::Places::SharedIfAlike) == listing(entered));
  // X is needed for a test of the row.
  const std::string with_x = ports +
                             "z = load 2 [18]\nl2 = length\nuq: if q == 17 then gc else yes\ngu: guard 1 [20] then uq\ntq: if z "
                             "== l2 then gc else gu\n" +
                             "gq: guard 2 [18] then tq\nt6: if e == 0x86dd then gq else yes\nt4: if e == 0x800 then gp else "
                             "t6\ng: guard 2 [12] then t4\nroot g\n";
  CHECK(listing(with_x, cbpf::Places::SharedIfAlike) == listing(with_x));
  // One test alone leads there.
  const std::string alone = ports + "tq: if q == 6 then gc else yes\n" + versions + "root g\n";
  CHECK(listing(alone, cbpf::Places::SharedIfAlike) == listing(alone));
  CHECK(listing(alone, cbpf::Places::Shortest) ==
        "ldh [12]; jeq #0x800; jeq #0x86dd; ldx #0x28; ldb [20]; jeq #0x6; ldb [23]; jeq #0x6; jeq #0x11; ldxb 4*([14]&0xf); "
        "ldh [x + 14]; jeq #0x50; ldh [x + 16]; jeq #0x50; ret #1; ret #0; ");
}

TEST_CASE("emit: pieces stay apart where one of their ends is not settled by the test before them") {
  const std::string values =
      "h = load 1 [14]\nl = h & 15\nx = l << 2\na = load 2 [x + 14]\nb = load 2 [x + 16]\nc = load 2 [54]\nd = load 2 [56]\n"
      "q = load 1 [20]\ne = load 2 [12]\nz = load 1 [0]\nw = load 1 [1]\n"
      "tq: if q == 6 then yes else no\ngq: guard 1 [20] then tq\n"
      "tb: if b in {5060-5091} then yes else no\ngb: guard 2 [x + 16] then tb\n"
      "td: if d in {5060-5091} then gq else no\ngd: guard 2 [56] then td\n"
      "ta: if a in {5060-5091} then yes else gb\nga: guard 2 [x + 14] then ta\ngh: guard 1 [14] then ga\n";
  // What `yes` is for one port of what is dropped, it is not for the other one.
  const std::string two_ends =
      values + "tc: if c in {5060-5091} then yes else gd\ngc: guard 2 [54] then tc\n"
      "t6: if e == 0x86dd then gc else no\nt4: if e == 0x800 then gh else t6\ng: guard 2 [12] then t4\nroot g\n";
  CHECK(listing(two_ends, cbpf::Places::Shared) == listing(two_ends));
  // There is another way to the second port of what is kept, with any number at 12.
  const std::string entered =
      values + "ty: if a in {9-20} then no else gb\ngy: guard 2 [x + 14] then ty\ngx: guard 1 [14] then gy\n"
      "ua: if a in {5060-5091} then no else gb\nka: guard 2 [x + 14] then ua\nkh: guard 1 [14] then ka\n"
      "tc: if c in {5060-5091} then no else gd\ngc: guard 2 [54] then tc\n"
      "t6: if e == 0x86dd then gc else no\nt4: if e == 0x800 then kh else t6\ng: guard 2 [12] then t4\n"
      "tz: if z == 1 then gx else g\ngz: guard 1 [0] then tz\nroot gz\n";
  CHECK(listing(entered, cbpf::Places::Shared) == listing(entered));
  // The test right before what is dropped needs X itself.
  const std::string compared =
      values + "tp: if z == 6 then yes else no\ngp: guard 1 [0] then tp\n"
      "sb: if b in {5060-5091} then gp else no\njb: guard 2 [x + 16] then sb\n"
      "sa: if a in {5060-5091} then gp else jb\nja: guard 2 [x + 14] then sa\njh: guard 1 [14] then ja\n"
      "tc: if c in {5060-5091} then gq else gd\ngc: guard 2 [54] then tc\n"
      "t6: if e == w then gc else no\nt4: if e == 0x800 then jh else t6\ng: guard 2 [12] then t4\n"
      "t2: if z > w then g else no\ng2: guard 1 [1] then t2\ngz: guard 1 [0] then g2\nroot gz\n";
  CHECK(listing(compared, cbpf::Places::Shared) == listing(compared));
}
