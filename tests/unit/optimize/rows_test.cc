// halve, turn, screen: rows of tests.
#include <string>

#include "graph_text.hpp"
#include "optimize/passes.hpp"

using namespace weir;
using namespace weir::ir;

TEST_CASE("halve: many numbers of one value, each with something of its own to ask") {
  const std::string head = "no: return 0\nyes: return 1\nv = load 4 [0]\nw = load 1 [4]\n";
  const auto link = [](int number, const std::string& next) {
    const std::string n = std::to_string(number);
    return "i" + n + ": if w == " + n + " then yes else no\nj" + n + ": guard 1 [4] then i" + n + "\nt" + n + ": if v == " + n +
           " then j" + n + " else " + next + "\n";
  };
  const std::string row = link(6, "no") + link(1, "t6") + link(4, "t1") + link(2, "t4") + link(5, "t2"), end = "\nroot g\n";
  becomes(optimize::halve_rows, head + row + link(3, "t5") + "g: guard 4 [0] then t3" + end,
          head + link(6, "no") + link(4, "t6") + link(5, "t4") + link(1, "no") + link(2, "t1") + link(3, "t2") +
              "p: if v >= 4 then t5 else t3\ng: guard 4 [0] then p" + end);
  Program few = parse(head + row + "g: guard 4 [0] then t5" + end);
  CHECK(!optimize::halve_rows(few));  // fewer are asked one by one
  Program twice = parse(head + row + link(3, "t5") + "g: guard 4 [0] then t3" + end);
  CHECK(optimize::halve_rows(twice));
  CHECK(!optimize::halve_rows(twice));
}

TEST_CASE("halve: of two tests that have to hold, the one about the value at hand first") {
  const std::string head =
      "no: return 0\nyes: return 1\nv = load 4 [0]\nw = load 4 [4]\na: if w == 2 then yes else no\nga: guard 4 [4] then a\n";
  const auto graph = [&](const std::string& tests, const char* next) {
    return head + tests + "t: if v == 1 then ga else " + next + "\ng: guard 4 [0] then t\nroot g\n";
  };
  becomes(optimize::halve_rows, graph("b: if v == 2 then yes else no\nu: if w == 1 then b else no\ngu: guard 4 [4] then u\n", "gu"),
          graph("u: if w == 1 then yes else no\ngu: guard 4 [4] then u\nb: if v == 2 then gu else no\n", "b"));
  // Where other ways lead to the second one, it stays for those.
  const std::string shared = head + "l = length\nb: if v == 2 then yes else no\ngb: guard 4 [0] then b\n";
  const std::string entry = "g: guard 4 [0] then t\nr: if l == 60 then g else gb\nroot r\n";
  becomes(
      optimize::halve_rows,
      shared + "u: if w == 1 then b else no\ngu: guard 4 [4] then u\nt: if v == 1 then ga else gu\n" + entry,
      shared +
          "u: if w == 1 then yes else no\ngu: guard 4 [4] then u\nc: if v == 2 then gu else no\nt: if v == 1 then ga else c\n" +
          entry);
  // It matters which of them does not hold.
  Program stays = parse(graph("b: if v == 2 then yes else no\nu: if w == 1 then b else yes\ngu: guard 4 [4] then u\n", "gu"));
  CHECK(!optimize::halve_rows(stays));
}

TEST_CASE("turn: what is asked last in all links of a row goes first") {
  // Two addresses, a protocol, two ports.
  const std::string head = "no: return 0\nyes: return 1\nv = load 4 [0]\nw = load 4 [4]\nq = load 1 [8]\nx = load 2 [10]\ny = load 2 [12]\n"
                           "l = length\nend: if l == 60 then yes else no\n";
  const auto address = [](int link) { return std::to_string(10 * link); };
  const auto port = [](int link) { return std::to_string(100 + (link == 5 ? 4 : link)); };  // the last two links have one
  const auto row = [&](int links, int second) {
    std::string text, next = "end";
    for (int i = links; i-- > 0;) {
      const std::string n = std::to_string(i), a = address(i == 1 ? second : i), p = port(i);
      text += "y" + n + ": if y == " + p + " then yes else " + next + "\nhy" + n + ": guard 2 [12] then y" + n + "\n";
      text += "x" + n + ": if x == " + p + " then yes else hy" + n + "\nhx" + n + ": guard 2 [10] then x" + n + "\n";
      text += "q" + n + ": if q == 6 then hx" + n + " else " + next + "\nhq" + n + ": guard 1 [8] then q" + n + "\n";
      text += "w" + n + ": if w == " + a + " then hq" + n + " else " + next + "\nhw" + n + ": guard 4 [4] then w" + n + "\n";
      text += "v" + n + ": if v == " + a + " then hq" + n + " else hw" + n + "\n";
      next = "v" + n;
    }
    return text + "g: guard 4 [0] then v0\nroot g\n";
  };
  const auto turned = [&](const std::string& value, const std::string& next) {
    std::string text, rest = next;
    for (int i = 5; i-- > 1;) {
      const std::string n = value + std::to_string(i), numbers = i == 4 ? "in {40, 50}" : "== " + address(i);
      text += "tw" + n + ": if w " + numbers + " then yes else " + next + "\ntv" + n + ": if v " + numbers + " then yes else tw" + n + "\n";
      text += "t" + n + ": if " + value + " == " + port(i) + " then tv" + n + " else " + rest + "\n";
      rest = "t" + n;
    }
    return text;
  };
  const std::string set = " in {0, 10, 20, 30, 40, 50}";
  const std::string first = "fy: if y == 100 then yes else gx1\ngfy: guard 2 [12] then fy\nfx: if x == 100 then yes else gfy\n"
                            "gfx: guard 2 [10] then fx\nfw: if w == 0 then gfx else gx1\nfv: if v == 0 then gfx else fw\n";
  becomes(optimize::turn_rows, head + row(6, 1),
          head + turned("y", "end") + "gy1: guard 2 [12] then ty1\n" + turned("x", "gy1") + "gx1: guard 2 [10] then tx1\n" + first +
              "c: if q == 6 then fv else end\ngc: guard 1 [8] then c\nsw: if w" + set + " then gc else end\ngw: guard 4 [4] then sw\n" +
              "sv: if v" + set + " then gc else gw\ng: guard 4 [0] then sv\nroot g\n");
  Program few = parse(head + row(5, 1)), loads_less = parse(head + row(6, 0)), twice = parse(head + row(6, 1));
  CHECK(!optimize::turn_rows(few));
  CHECK(!optimize::turn_rows(loads_less));  // where v == 0, w may never be loaded
  Program later = parse(head + row(7, 0));
  CHECK(optimize::turn_rows(later));  // from the second link on
  CHECK(to_string(later).find("in {0, 10") == std::string::npos);
  CHECK(optimize::turn_rows(twice));
  CHECK(!optimize::turn_rows(twice));
}

TEST_CASE("turn: where all else is rejected, what stands in a fixed place is asked for all links") {
  const auto graph = [](const char* otherwise) {
    std::string text =
                    "no: return 0\nyes: return 1\nh = load 1 [0]\nx = load 2 [h + 2]\ny = load 2 [h + 4]\nv = load 4 [8]\nw = "
                    "load 4 [12]\n"
                    "l = length\nend: if l == 60 then yes else no\n",
                next = otherwise;
    for (int i = 6; i-- > 0;) {
      const std::string n = std::to_string(i), k = std::to_string(3 * i);
      text += "w" + n + ": if w == " + k + " then yes else " + next + "\nv" + n + ": if v == " + k + " then yes else w" + n + "\n";
      text += "y" + n + ": if y == " + k + " then v" + n + " else " + next + "\nx" + n + ": if x == " + k + " then v" + n +
              " else y" + n + "\n";
      next = "x" + n;
    }
    return parse(text + "root " + next + "\n");
  };
  const auto first_question = [](Program p) {
    CHECK(optimize::turn_rows(p));
    return ir::expression(p, p.root);
  };
  CHECK(first_question(graph("no")) == "[8:4] in {0, 3, 6, 9, 12, 15}");
  CHECK(first_question(graph("end")) == "[[0:1] + 2:2] in {0, 3, 6, 9, 12, 15}");
}

TEST_CASE("screen: first whether any test of a row can hold") {
  const std::string head = "no: return 0\nyes: return 1\nv = load 4 [0]\nw = load 4 [4]\nx = load 1 [8]\nend: if x == 3 then yes else no\n"
                           "ge: guard 1 [8] then end\n";
  const auto row = [](int links) {
    std::string text, next = "ge";
    for (int i = links; i-- > 0;) {
      const std::string n = std::to_string(i), k = std::to_string(3 * (i / 2));
      text += "i" + n + ": if x == " + std::to_string(i / 2) + " then yes else ge\nj" + n + ": guard 1 [8] then i" + n + "\n";
      text += (i == 1 ? "l" : "t") + n + ": if " + (i % 2 != 0 ? "w" : "v") + " == " + k + " then j" + n + " else " + next + "\n";
      if (i == 1) text += "t1: guard 4 [4] then l1\n";
      next = "t" + n;
    }
    return text;
  };
  becomes(optimize::screen_rows, head + row(24) + "g: guard 4 [0] then t0\nroot g\n",
          head + row(24) + "b: if w in {0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33} then t0 else ge\ngb: guard 4 [4] then b\n"
                           "a: if v in {0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33} then t0 else gb\ng: guard 4 [0] then a\nroot g\n");
  Program few = parse(head + row(10) + "g: guard 4 [0] then t0\nroot g\n");
  CHECK(!optimize::screen_rows(few));
  Program enough = parse(head + row(12) + "g: guard 4 [0] then t0\nroot g\n");
  CHECK(optimize::screen_rows(enough));
  Program twice = parse(head + row(24) + "g: guard 4 [0] then t0\nroot g\n");
  CHECK(optimize::screen_rows(twice));
  CHECK(!optimize::screen_rows(twice));
}
