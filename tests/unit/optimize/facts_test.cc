#include <string>

#include "graph_text.hpp"
#include "optimize/passes.hpp"

using namespace weir;
using namespace weir::ir;

TEST_CASE("facts: what a choice divides by is still checked where that is known to be another value") {
  Program p = parse(
      "x = load 1 [0]\ny = load 1 [1]\nno: return 0\nyes: return 1\nry: return y\nr5: return 5\n"
      "c0: if x > 7 then ry else no\nd = choice c0\nq = y / d\nrq: return q\n"
      "l = length\nc1: if l > 99 then rq else r5\ne = choice c1\n"
      "t: if e == 3 then yes else no\nz: nonzero d then t\na: if x > 7 then z else no\ng: guard 2 [0] then a\nroot g\n");
  optimize::apply_facts(p);
  optimize::place_guards(p);
  const auto wrong = verify(p);
  CHECK_MESSAGE(!wrong, *wrong);
}

TEST_CASE("facts: what was asked decides what is asked again") {
  becomes(optimize::apply_facts,
          "x = load 2 [12]\nno: return 0\nyes: return 1\n"
          "b: if x == 0x800 then yes else no\ngb: guard 2 [12] then b\n"
          "a: if x == 0x86dd then gb else no\nga: guard 2 [12] then a\nroot ga\n",
          "n: return 0\nroot n\n");
  becomes(optimize::apply_facts,
          "x = load 1 [0]\nm = x & 0xc\nno: return 0\nyes: return 1\n"
          "b: if x &? 8 then yes else no\ngb: guard 1 [0] then b\n"
          "a: if m == 8 then gb else no\nga: guard 1 [0] then a\nroot ga\n",
          "x = load 1 [0]\nm = x & 0xc\nno: return 0\nyes: return 1\n"
          "a: if m == 8 then yes else no\nga: guard 1 [0] then a\nroot ga\n");
}

TEST_CASE("facts: a load, or some bits of it, are not the number that some of its bytes rule out") {
  const std::string head = "c = load 1 [0]\nb = load 2 [0]\nl = length\nno: return 0\nyes: return 1\nlong: if l == 60 then yes else no\n";
  const std::string rest = "u: if c &? 1 then long else t\ng: guard 1 [0] then u\nroot g\n";
  const std::string decided = head + "u: if c &? 1 then long else yes\ng: guard 1 [0] then u\nroot g\n";
  for (const char* not_so : {"t: if b == 0xffff then no else yes\n", "m = b & 0x1ff\nt: if m == 0x1ff then no else yes\n",
                             "m = b & 0x3f0\nt: if m == 0x110 then no else yes\n"}) {
    CAPTURE(not_so);
    becomes(optimize::apply_facts, head + not_so + rest, decided);
  }
  for (const char* open :
       {"t: if b == 0xfeff then no else yes\n", "t: if b >= 0xff00 then no else yes\n",
        "m = b & 0x2ff\nt: if m == 0x2ff then no else yes\n", "m = b & 0x1ff\nt: if m == 0xff then no else yes\n",
        "m = b & 0xff\nt: if m == 1 then no else yes\n"}) {
    CAPTURE(open);
    becomes(optimize::apply_facts, head + open + "h: guard 2 [0] then t\nu: if c &? 1 then long else h\ng: guard 1 [0] then u\nroot g\n",
            head + open + "h: guard 2 [0] then t\nu: if c &? 1 then long else h\ng: guard 1 [0] then u\nroot g\n");
  }
}

TEST_CASE("facts: a test need not be asked when all that follows it is decided") {
  const std::string head = "no: return 0\nyes: return 1\nv = load 4 [0]\nw = load 4 [4]\nx = load 1 [8]\n";
  // w == 3 and v == 4, behind v == 1.
  becomes(optimize::apply_facts,
          head + "last: if x == 9 then yes else no\ninner: if v == 4 then yes else last\nouter: if w == 3 then inner else last\n"
                 "other: if w == 2 then yes else outer\nt: if v == 1 then other else last\ng: guard 9 [0] then t\nroot g\n",
          head + "last: if x == 9 then yes else no\ngl: guard 1 [8] then last\nother: if w == 2 then yes else gl\n"
                 "go: guard 4 [4] then other\nt: if v == 1 then go else gl\ng: guard 4 [0] then t\nroot g\n");
  // That nothing is divided by 0 is checked all the same.
  becomes(optimize::apply_facts,
          head +
              "y = load 1 [9]\nd = x / y\nlast: if x == 9 then yes else no\ninner: if v == 4 then yes else last\nouter: if d == "
              "3 then inner else last\n"
              "n: nonzero y then outer\nt: if v == 1 then n else last\ng: guard 10 [0] then t\nroot g\n",
          head +
              "y = load 1 [9]\nlast: if x == 9 then yes else no\ngl: guard 1 [8] then last\nn: nonzero y then gl\ngn: guard 1 "
              "[9] then n\n"
              "t: if v == 1 then gn else gl\ng: guard 4 [0] then t\nroot g\n");
}

TEST_CASE("facts: what leads on to a decided test alone, which rejects, need not be asked") {
  // Many tests of other values, of which each leads on to the last one, or to the next.
  const auto graph = [](const std::string& last) {
    constexpr int many = 30;
    std::string text = "no: return 0\nyes: return 1\nv = load 2 [0]\n" + last, next = "no";
    for (int i = many; i-- > 0;) {
      const std::string n = std::to_string(i);
      text += "x" + n + " = load 1 [" + std::to_string(2 + i) + "]\nt" + n + ": if x" + n + " == 1 then last else " + next + "\n";
      next = "t" + n;
    }
    return text + "u: if v == 8 then t0 else no\nt: if v == 7 then t0 else u\ng: guard 40 [0] then t\nroot g\n";
  };
  const auto asks_for_8 = [](const std::string& text) {
    auto p = ir::read(text);
    REQUIRE(p);
    optimize::apply_facts(*p);
    return ir::to_string(*p).find("== 8") != std::string::npos;
  };
  CHECK(!asks_for_8(graph("last: if v == 7 then yes else no\n")));
  CHECK(asks_for_8(graph("last: if v == 7 then no else yes\n")));
  CHECK(asks_for_8(graph("y = load 1 [39]\nlast: if y == 7 then yes else no\n")));
}

TEST_CASE("facts: what returns 0 in a choice does not reject, so a check ahead of it stays") {
  std::string text = "no: return 0\nyes: return 1\nfour: return 4\nv = load 1 [0]\nw = load 1 [1]\n"
                     "last: if v == 5 then four else no\nz: nonzero w then last\n", next = "z";
  for (int i = 30; i-- > 0;) {
    const std::string n = std::to_string(i);
    text += "x" + n + " = load 1 [" + std::to_string(2 + i) + "]\nt" + n + ": if x" + n + " == 1 then " + next + " else no\n";
    next = "t" + n;
  }
  const Program p = parse(text + "r: if v == 5 then four else t0\nc = choice r\nt: if c == 0 then yes else no\n"
                                 "g: guard 40 [0] then t\nroot g\n");
  Program better = p;
  optimize::apply_facts(better);
  optimize::place_guards(better);
  std::vector<std::uint8_t> packet(40, 1);
  CHECK(evaluate(better, {packet, 40, {}}) == 1);
  packet[1] = 0;
  REQUIRE(evaluate(p, {packet, 40, {}}) == 0);
  CHECK(evaluate(better, {packet, 40, {}}) == 0);
}

TEST_CASE("facts: along a long row to its end, or to where the known number is asked for again") {
  constexpr int last = 300, again = 200;
  const auto row = [](bool is_followed) {
    std::string text = "no: return 0\nyes: return 1\nrest: return 2\nv = load 4 [0]\nw = load 1 [4]\n";
    std::string next = "rest";
    for (int k = last; k > 0; --k) {
      const std::string n = std::to_string(k), number = k == again ? "1" : n;
      const std::string otherwise = !is_followed ? next : k == 1 ? "i" + std::to_string(again) : "rest";
      text += "i" + n + ": if w == " + n + " then yes else " + otherwise + "\nj" + n + ": guard 1 [4] then i" + n + "\n";
      if (is_followed && k == again) continue;  // where v is 1 and w is not: only from the first
      text += "t" + n + ": if v == " + number + " then j" + n + " else " + next + "\n";
      next = "t" + n;
    }
    return text + "g: guard 4 [0] then t1\nroot g\n";
  };
  becomes(optimize::apply_facts, row(false), row(true));
}
