#include <random>
#include <string>
#include <vector>

#include "graph_text.hpp"
#include "optimize/passes.hpp"

using namespace weir;
using namespace weir::ir;

TEST_CASE("sets: tests of one value with one outcome are one") {
  const std::string head = "x = load 1 [0]\ny = load 1 [1]\nno: return 0\nyes: return 1\n";
  becomes(optimize::gather_sets,  // others stand between
          head + "d: if y == 4 then yes else no\nc: if x == 3 then yes else d\nb: if y == 2 then yes else c\ngb: guard 1 [1] then b\n"
                 "a: if x == 1 then yes else gb\nga: guard 1 [0] then a\nroot ga\n",
          head + "b: if y in {2, 4} then yes else no\ngb: guard 1 [1] then b\n"
                 "a: if x in {1, 3} then yes else gb\nga: guard 1 [0] then a\nroot ga\n");
  becomes(optimize::gather_sets,  // under `and`
          head + "b: if x >= 9 then no else yes\na: if x >= 5 then b else no\nga: guard 1 [0] then a\nroot ga\n",
          head + "a: if x in {5-8} then yes else no\nga: guard 1 [0] then a\nroot ga\n");
}

TEST_CASE("sets: what others lead to stays where it is") {
  const std::string text =
      "x = load 1 [0]\ny = load 1 [1]\nz = load 1 [2]\nno: return 0\nyes: return 1\n"
      "c: if x == 3 then yes else no\nb: if y == 2 then yes else c\ngb: guard 1 [1] then b\n"
      "a: if x == 1 then yes else gb\nga: guard 1 [0] then a\n"
      "s: if z == 0 then ga else gb\nt: if z == 0 then gb else ga\n";
  Program p = parse(text + "gs: guard 1 [0] then s\ng: guard 1 [2] then gs\nroot g\n");
  optimize::place_guards(p);
  const std::string before = to_string(p);
  optimize::gather_sets(p);
  optimize::place_guards(p);
  CHECK(to_string(p) == before);
}

TEST_CASE("sets: what others lead to is asked ahead of it, where the same values are asked about") {
  const auto graph = [](const char* first, const char* second, const char* behind) {
    return std::string(
               "no: return 0\nyes: return 1\na = load 2 [54]\nb = load 2 [56]\nk = load 1 [20]\n"
               "s2: if b == 443 then yes else no\nh2: guard 2 [56] then s2\ns1: if a == 443 then yes else h2\nh1: guard 2 [54] "
               "then s1\n") +
           "r2: if b " + second + " then yes else " + behind + "\ng2: guard 2 [56] then r2\nr1: if a " + first +
           " then yes else g2\ng1: guard 2 [54] then r1\nt: if k == 6 then g1 else h1\ng: guard 1 [20] then t\n";
  };
  const std::string root = "root g\n";
  becomes(optimize::gather_sets, graph("== 80", "== 80", "h1") + root, graph("in {80, 443}", "in {80, 443}", "no") + root);
  becomes(optimize::gather_sets, graph("== 80", "in {20-30, 80}", "h1") + root, graph("in {80, 443}", "in {20-30, 80, 443}", "no") + root);
  const std::string elsewhere = graph("== 80", "== 80", "h1") + "l = length\nu: if l == 9 then g2 else g\nroot u\n";
  becomes(optimize::gather_sets, elsewhere, elsewhere);
}

TEST_CASE("sets: a choice that may reject whole packets is not passed by") {
  const std::string text =
      "x = load 1 [0]\nz = load 4 [4]\nw = load 1 [z]\nc0: return w\nc1: guard 1 [z] then c0\nc = choice c1\n"
      "no: return 0\nyes: return 1\nd: if x == 3 then yes else no\nm: if c == 9 then yes else d\n"
      "a: if x == 1 then yes else m\ng: guard 1 [0] then a\ng4: guard 4 [4] then g\nroot g4\n";
  Program p = parse(text);
  optimize::place_guards(p);
  const std::string before = to_string(p);
  optimize::gather_sets(p);
  optimize::place_guards(p);
  CHECK(to_string(p) == before);
}

TEST_CASE("checks before all is rejected anyway are left out, but not in a choice, where 0 is a number") {
  becomes(optimize::simplify_values,
          "x = load 1 [0]\ny = load 1 [1]\nno: return 0\nyes: return 1\nz: nonzero x then no\nt: if y == 5 then yes else z\n"
          "g: guard 2 [0] then t\nroot g\n",
          "y = load 1 [1]\nno: return 0\nyes: return 1\nt: if y == 5 then yes else no\ng: guard 1 [1] then t\nroot g\n");
  const auto choice = [](const char* in_it, const char* before_it) {
    return std::string(
               "no: return 0\nyes: return 1\nx = load 1 [0]\nz: nonzero x then no\ny = load 1 [1]\nr: if y == 5 then yes else "
               "z\n") +
           in_it + "t: if c == 0 then yes else no\n" + before_it;
  };
  becomes(optimize::simplify_values, choice("c = choice r\n", "g: guard 2 [0] then t\nroot g\n"),
          choice("g: guard 1 [1] then r\nc = choice g\n", "root t\n"));
}

namespace {

/// Number 6 of a byte and number 0x800 of two bytes are likely; bit 1 of two bytes hardly ever set.
constexpr optimize::Profile::Row likely[] = {
    {2, 0, 0x800, {7000, 3000}}, {2, 0, 0x86dd, {2000, 3000}}, {1, 0, 6, {8000, 4500}}, {1, 0, 17, {1500, 3500}}, {2, 0x1fff, 0, {30, 30}}};
constexpr optimize::Profile profile{likely};

bool ordered(Program& p) { return optimize::order_tests(p, profile); }
bool conjuncts(Program& p) { return optimize::order_conjuncts(p, profile); }
bool narrowed(Program& p) { return optimize::narrow_loads(p, profile); }
bool joined(Program& p) { return optimize::join_loads(p, profile); }

}  // namespace

TEST_CASE("order: the likely one of tests that exclude each other first") {
  becomes(ordered,
          "x = load 2 [12]\nno: return 0\na: return 1\nb: return 2\n"
          "t2: if x == 0x800 then b else no\nt1: if x == 0x86dd then a else t2\ng: guard 2 [12] then t1\nroot g\n",
          "x = load 2 [12]\nno: return 0\na: return 1\nb: return 2\n"
          "t2: if x == 0x86dd then a else no\nt1: if x == 0x800 then b else t2\ng: guard 2 [12] then t1\nroot g\n");
}

TEST_CASE("conjuncts: what rejects most for least first") {
  const auto graph = [](const char* tests) {
    return std::string("p = load 1 [23]\nf = load 2 [20]\nh = load 4 [26]\nno: return 0\nyes: return 1\n") + tests;
  };
  SUBCASE("a test that hardly ever rejects goes last") {
    becomes(conjuncts, graph("t2: if h == 5 then yes else no\ng2: guard 4 [26] then t2\n"
                             "t1: if f &? 0x1fff then no else g2\ng1: guard 2 [20] then t1\nroot g1\n"),
            graph("t2: if f &? 0x1fff then no else yes\nt1: if h == 5 then t2 else no\ng1: guard 4 [26] then t1\nroot g1\n"));
  }
  SUBCASE("an address ahead of a likely protocol") {
    becomes(conjuncts, graph("t2: if h == 5 then yes else no\ng2: guard 4 [26] then t2\n"
                             "t1: if p == 6 then g2 else no\ng1: guard 1 [23] then t1\nroot g1\n"),
            graph("t2: if p == 6 then yes else no\nt1: if h == 5 then t2 else no\ng1: guard 4 [26] then t1\nroot g1\n"));
  }
  SUBCASE("a long list ahead of it, but not one that is asked for elsewhere, too") {
    const std::string list = "{5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27}";
    becomes(conjuncts,
            graph(("t2: if h in " + list +
                   " then yes else no\ng2: guard 4 [26] then t2\n"
                   "t1: if f &? 0x1fff then no else g2\ng1: guard 2 [20] then t1\nroot g1\n")
                      .c_str()),
            graph(("t2: if f &? 0x1fff then no else yes\nt1: if h in " + list +
                   " then t2 else no\ng1: guard 4 [26] then t1\nroot g1\n")
                      .c_str()));
    const std::string twice =
        graph(("o = load 4 [28]\nl = length\nt3: if o in " + list +
               " then yes else no\ng3: guard 4 [28] then t3\n"
               "t2: if h in " +
               list +
               " then yes else no\ng2: guard 4 [26] then t2\n"
               "t1: if f &? 0x1fff then no else g2\ng1: guard 2 [20] then t1\nt0: if l == 60 then g3 else g1\nroot t0\n")
                  .c_str());
    becomes(conjuncts, twice, twice);
  }
  SUBCASE("not ahead of a protocol that is seldom elsewhere, where it costs more than it saves there") {
    const std::string two = graph("o = load 4 [30]\nt3: if o == 5 then yes else no\ng3: guard 4 [30] then t3\n"
                                  "t2: if h == 5 then yes else g3\ng2: guard 4 [26] then t2\n"
                                  "t1: if p == 6 then g2 else no\ng1: guard 1 [23] then t1\nroot g1\n");
    becomes(conjuncts, two, two);
  }
  SUBCASE("what leads elsewhere than to reject stays") {
    const std::string other = graph("also: return 2\nt2: if h == 5 then yes else no\ng2: guard 4 [26] then t2\n"
                                    "t1: if f &? 0x1fff then also else g2\ng1: guard 2 [20] then t1\nroot g1\n");
    becomes(conjuncts, other, other);
  }
  SUBCASE("what others lead to stays") {
    const std::string shared = graph("also: return 2\nt2: if h == 5 then yes else no\ng2: guard 4 [26] then t2\n"
                                     "t1: if f &? 0x1fff then no else g2\ng1: guard 2 [20] then t1\n"
                                     "l = length\nu: if l == 9 then also else g1\nt0: if l == 7 then g2 else u\nroot t0\n");
    becomes(conjuncts, shared, shared);
  }
  SUBCASE("several ways may lead from one part to the next") {
    becomes(conjuncts, graph("t2: if h == 5 then yes else no\ng2: guard 4 [26] then t2\n"
                             "t1: if f &? 0x1fff then no else g2\ng1: guard 2 [20] then t1\n"
                             "l = length\nt0: if l == 7 then g2 else g1\nroot t0\n"),
            graph("t1: if f &? 0x1fff then no else yes\nl = length\nt0: if l == 7 then yes else t1\n"
                  "t2: if h == 5 then t0 else no\ng2: guard 4 [26] then t2\nroot g2\n"));
  }
  SUBCASE("nothing moves across a division that may fail") {
    const std::string division = graph("q = f / h\nt2: if q == 5 then yes else no\nz: nonzero h then t2\ng2: guard 4 [26] then z\n"
                                       "t1: if f &? 0x1fff then no else g2\ng1: guard 2 [20] then t1\nroot g1\n");
    becomes(conjuncts, division, division);
  }
}

TEST_CASE("profile: numbers of a byte behind a header have rows of their own") {
  static constexpr optimize::Profile::Row rows[] = {
      {1, 0, 0x10, {1000, 1000}}, {1, 0, 0x10, {7000, 6000}, true}, {1, 0, 0x12, {200, 300}, true}};
  constexpr optimize::Profile with_flags{rows};
  const Program p = parse(
      "b = load 1 [14]\nf = load 1 [b + 27]\nm = f & 0x10\nno: return 0\nyes: return 1\nt: if m &? 0x10 then yes else no\n"
      "g: guard 1 [b + 27] then t\nt1: if b == 0x10 then g else no\ng1: guard 1 [14] then t1\nroot g1\n");
  ir::Ranges ranges(p);
  for (std::uint32_t i = 0; i < p.node_count(); ++i) {
    const ir::Node& n = p[ir::NodeId{i}];
    if (n.forks()) CHECK(with_flags.share(p, ranges, n) == doctest::Approx(p[n.a].kind == ir::ValueKind::Load ? 0.1 : 0.72));
  }
}

TEST_CASE("profile: a network, or a long list, is neither as rare as an address nor half of all") {
  struct Row { const char* numbers; double share; };
  const Row rows[] = {{"{0xa000001}", 0.02},           {"{0xa000000-0xaffffff}", 0.2},
                      {"{0xa000080-0xa0000bf}", 0.2},  {"{0-0x9ffffff, 0xb000000-0xffffffff}", 0.8},
                      {"{0xa000001-0xaffffff}", 0.5},  {"{0xa000000-0xaffffff, 0xc0a80000-0xc0a8ffff}", 0.5},
                      {"{0xe0000000-0xefffffff}", 0.5},
                      {"{1, 3, 5, 7}", 0.08},          {"{1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31}", 0.2}};
  for (const Row& r : rows) {
    CAPTURE(r.numbers);
    const Program p = parse("x = load 4 [26]\nno: return 0\nyes: return 1\nt: if x in " + std::string(r.numbers) +
                            " then yes else no\ng: guard 4 [26] then t\nroot g\n");
    ir::Ranges ranges(p);
    for (std::uint32_t i = 0; i < p.node_count(); ++i)
      if (const ir::Node& n = p[ir::NodeId{i}]; n.forks()) CHECK(profile.likelihood(p, ranges, n, 0) == doctest::Approx(r.share));
  }
}

TEST_CASE("narrow: where the first bytes decide, only they are loaded") {
  struct Row { const char* before; const char* after; };
  const Row rows[] = {
      {"x = load 4 [26]\nm = x & 0xffff0000\nt: if m == 0xc0a80000 then yes else no\ng: guard 4 [26] then t\nroot g\n",
       "x = load 2 [26]\nt: if x == 0xc0a8 then yes else no\ng: guard 2 [26] then t\nroot g\n"},
      {"x = load 4 [26]\nm = x & 0xff000000\nt: if m == 0xa000000 then no else yes\ng: guard 4 [26] then t\nroot g\n",
       "x = load 1 [26]\nt: if x == 10 then no else yes\ng: guard 1 [26] then t\nroot g\n"},
      {"x = load 4 [26]\nt: if x in {0xa000000-0xaffffff, 0xc0a80000-0xc0a8ffff} then yes else no\ng: guard 4 [26] then t\nroot g\n",
       "x = load 2 [26]\nt: if x in {0xa00-0xaff, 0xc0a8} then yes else no\ng: guard 2 [26] then t\nroot g\n"},
      {"x = load 2 [16]\nt: if x in {0x4500-0x45ff} then yes else no\ng: guard 2 [16] then t\nroot g\n",
       "x = load 1 [16]\nt: if x == 0x45 then yes else no\ng: guard 1 [16] then t\nroot g\n"},
  };
  for (const Row& r : rows) {
    CAPTURE(r.before);
    const std::string head = "no: return 0\nyes: return 1\n";
    becomes(narrowed, head + r.before, head + r.after);
  }
  const std::string whole = "no: return 0\nyes: return 1\nx = load 4 [26]\nm = x & 0xffffff00\n"
                            "t: if m == 0xc0a80000 then yes else no\ng: guard 4 [26] then t\nroot g\n";
  becomes(narrowed, whole, whole);
}

TEST_CASE("join: bytes side by side are asked together") {
  struct Row { const char* before; const char* after; };
  const Row rows[] = {
      {"a = load 1 [8]\nb = load 1 [9]\nt2: if b == 2 then yes else no\ng2: guard 1 [9] then t2\n"
       "t1: if a == 1 then g2 else no\ng1: guard 1 [8] then t1\nroot g1\n",
       "a = load 2 [8]\nt: if a == 0x102 then yes else no\ng: guard 2 [8] then t\nroot g\n"},
      {"a = load 2 [10]\nb = load 2 [8]\nt2: if b == 2 then yes else no\nt1: if a == 1 then t2 else no\n"
       "g1: guard 2 [10] then t1\nroot g1\n",
       "a = load 4 [8]\nt: if a == 0x20001 then yes else no\ng: guard 4 [8] then t\nroot g\n"},
      {"a = load 1 [23]\nb = load 2 [20]\nt2: if b &? 0x1fff then no else yes\nt1: if a in {6, 17} then t2 else no\n"
       "g1: guard 1 [23] then t1\nroot g1\n",
       "a = load 4 [20]\nm = a & 0x1fff00ff\nt: if m in {6, 17} then yes else no\ng: guard 4 [20] then t\nroot g\n"},
      {"x = load 1 [14]\na = load 1 [x + 8]\nb = load 1 [x + 9]\nt2: if b == 2 then yes else no\ng2: guard 1 [x + 9] then t2\n"
       "t1: if a == 1 then g2 else no\ng1: guard 1 [x + 8] then t1\ng0: guard 1 [14] then g1\nroot g0\n",
       "x = load 1 [14]\na = load 2 [x + 8]\nt: if a == 0x102 then yes else no\ng: guard 2 [x + 8] then t\n"
       "g0: guard 1 [14] then g\nroot g0\n"},
      {"a = load 1 [8]\nb = load 1 [9]\nc = load 2 [10]\nt3: if c == 3 then yes else no\ng3: guard 2 [10] then t3\n"
       "t2: if b == 2 then g3 else no\ng2: guard 1 [9] then t2\nt1: if a == 1 then g2 else no\ng1: guard 1 [8] then t1\nroot g1\n",
       "a = load 4 [8]\nt: if a == 0x1020003 then yes else no\ng: guard 4 [8] then t\nroot g\n"},
      // What fails goes where the first test alone would lead it: the second needs no byte behind those of the first.
      {"a = load 1 [23]\nb = load 2 [20]\nt2: if b &? 0x1fff then yes else no\nt1: if a in {6, 17, 132} then t2 else yes\n"
       "g1: guard 1 [23] then t1\nroot g1\n",
       "a = load 4 [20]\nm = a & 0x1fff00ff\nt: if m in {6, 17, 132} then no else yes\ng: guard 4 [20] then t\nroot g\n"},
      {"x = load 2 [20]\nt2: if x &? 0x2000 then yes else no\nt1: if x &? 0x1fff then yes else t2\ng: guard 2 [20] then t1\nroot g\n",
       "x = load 2 [20]\nt: if x &? 0x3fff then yes else no\ng: guard 2 [20] then t\nroot g\n"},
  };
  for (const Row& r : rows) {
    CAPTURE(r.before);
    const std::string head = "no: return 0\nyes: return 1\n";
    becomes(joined, head + r.before, head + r.after);
  }
}

TEST_CASE("join: bytes that not all accepted packets have, or that are tested for somebody else, stay apart") {
  const char* const rows[] = {
      // A packet whose first byte differs is accepted without the second.
      "a = load 1 [8]\nb = load 1 [9]\nt2: if b == 2 then yes else no\ng2: guard 1 [9] then t2\n"
      "t1: if a == 1 then g2 else yes\ng1: guard 1 [8] then t1\nroot g1\n",
      // Three bytes are no load.
      "a = load 2 [8]\nb = load 1 [10]\nt2: if b == 2 then yes else no\ng2: guard 1 [10] then t2\n"
      "t1: if a == 1 then g2 else no\ng1: guard 2 [8] then t1\nroot g1\n",
      // The first test needs no load: its value is at hand.
      "a = load 1 [8]\nb = load 1 [9]\nl = length\nt3: if l == 60 then yes else no\nt2: if b == 2 then yes else no\ng2: guard 1 "
      "[9] then t2\n"
      "t1: if a == 1 then g2 else no\nt0: if a == 3 then t3 else t1\ng1: guard 1 [8] then t0\nroot g1\n",
      // The second test is reached from elsewhere, too.
      "a = load 1 [8]\nb = load 1 [9]\nl = length\nt2: if b == 2 then yes else no\ng2: guard 1 [9] then t2\n"
      "t1: if a == 1 then g2 else no\ng1: guard 1 [8] then t1\nt0: if l == 100 then g2 else g1\nroot t0\n",
  };
  for (const char* row : rows) {
    CAPTURE(row);
    const std::string graph = std::string("no: return 0\nyes: return 1\n") + row;
    becomes(joined, graph, graph);
  }
}

TEST_CASE("overlaps: what is known of some bytes answers for a part of them") {
  struct Row { const char* before; const char* after; };
  const Row rows[] = {
      // Broadcast is multicast, too.
      {"a = load 4 [2]\nb = load 2 [0]\nc = load 1 [0]\nt3: if c &? 1 then no else yes\nt2: if b == 0xffff then no else t3\n"
       "t1: if a == 0xffffffff then t2 else t3\ng: guard 4 [2] then t1\nroot g\n",
       "c = load 1 [0]\nt: if c &? 1 then no else yes\ng: guard 1 [0] then t\nroot g\n"},
      {"b = load 2 [0]\nc = load 1 [0]\nl = length\nt4: if l == 60 then yes else no\nt3: if l == 50 then yes else no\n"
       "t2: if c &? 1 then t3 else t4\nt1: if b == 0xffff then t2 else no\ng: guard 2 [0] then t1\nroot g\n",
       "b = load 2 [0]\nl = length\nt3: if l == 50 then yes else no\nt1: if b == 0xffff then t3 else no\ng: guard 2 [0] then t1\nroot g\n"},
  };
  for (const Row& r : rows) {
    CAPTURE(r.before);
    const std::string head = "no: return 0\nyes: return 1\n";
    becomes(optimize::drop_overlapped, head + r.before, head + r.after);
  }
  const char* const stay[] = {
      // Not all of the numbers have the bit.
      "b = load 2 [0]\nc = load 1 [0]\nt2: if c &? 1 then no else yes\nt1: if b in {0xffff, 0xfefe} then no else t2\ng: guard 2 "
      "[0] then t1\nroot g\n",
      // A packet of two bytes is accepted.
      "b = load 1 [0]\nc = load 2 [0]\nt2: if c == 0x101 then no else yes\nt1: if b == 1 then yes else t2\ng: guard 1 [0] then "
      "t1\nroot g\n",
      // Bytes that the first test does not ask about.
      "b = load 2 [0]\nc = load 1 [1]\nt2: if c == 1 then no else yes\nt1: if b &? 0xff00 then t2 else no\ng: guard 2 [0] then "
      "t1\nroot g\n",
  };
  for (const char* row : stay) {
    CAPTURE(row);
    const std::string graph = std::string("no: return 0\nyes: return 1\n") + row;
    const Program p = parse(graph);
    Program same = parse(graph);
    CHECK_FALSE(optimize::drop_overlapped(same));
    CHECK(to_string(same) == to_string(p));
  }
}

TEST_CASE("guards: one before the first load, none twice, none for nothing") {
  becomes(optimize::place_guards,
          "x = load 2 [12]\ny = load 1 [4]\nno: return 0\nyes: return 1\n"
          "b: if y == 1 then yes else no\ngb: guard 1 [4] then b\n"
          "a: if x == 1 then gb else no\nga: guard 2 [12] then a\ngo: guard 4 [40] then ga\nroot go\n",
          "x = load 2 [12]\ny = load 1 [4]\nno: return 0\nyes: return 1\n"
          "b: if y == 1 then yes else no\n"
          "a: if x == 1 then b else no\nga: guard 2 [12] then a\nroot ga\n");
}

TEST_CASE("a guard that whole packets may fail stays") {
  // x + 14 can pass 2^31: without the guard the packet would be accepted whatever x is.
  const Program p = parse(
      "x = load 4 [0]\ny = load 1 [x + 14]\nno: return 0\nyes: return 1\n"
      "t: if y >= 0 then yes else no\ngy: guard 1 [x + 14] then t\ngx: guard 4 [0] then gy\nroot gx\n");
  Program better = optimize::optimize(p);
  optimize::place_guards(better);
  const std::vector<std::uint8_t> bytes{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  CHECK(evaluate(better, {bytes, 20, {}}) == 0);
}

namespace {

/// Random verified graphs: tests on few values, so that facts meet.
Program random_graph(std::mt19937& random) {
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  Program p;
  std::vector<ValueId> values;
  for (unsigned i = 0; i < 3; ++i) values.push_back(p.load(1, no_value, i));
  for (unsigned i = 0; i < 4; ++i)
    values.push_back(p.binary(static_cast<Arith>(std::array{0, 1, 2, 5, 6, 7, 8, 9}[below(8)]),
                              values[below(static_cast<unsigned>(values.size()))],
                              below(2) ? p.constant(below(9)) : values[below(3)]));
  values.push_back(p.binary(Arith::Add, p.binary(Arith::Rsh, values[0], p.constant(8)), p.constant(below(6))));  // one number
  std::vector<NodeId> nodes{p.ret(0u), p.ret(9u)};
  for (unsigned i = 0; i < 12; ++i) {
    const auto way = [&] { return nodes[nodes.size() - 1 - below(static_cast<unsigned>(std::min<std::size_t>(nodes.size(), 4)))]; };
    const ValueId v = values[below(static_cast<unsigned>(values.size()))];
    NodeId n = p.test(static_cast<Relation>(below(4)), v, below(8) ? p.constant(below(6)) : values[below(3)], way(), way());
    if (below(2))
      n = p.test(Relation::Equal, p.choice(p.test(Relation::Equal, p.constant(below(2)), p.constant(1), p.ret(v), p.ret(2u))),
                 p.constant(below(4)), n, way());
    nodes.push_back(n);
  }
  NodeId root = nodes.back();
  for (unsigned i = 3; i-- > 0;) root = p.guard(1, no_value, i, root);
  p.root = root;
  return p;
}

/// A row of tests of one byte, in front of some or behind them, that ends in a test of another.
Program random_row(std::mt19937& random) {
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  Program p;
  const ValueId about = p.load(1, no_value, 0), beside = p.load(1, no_value, 1), last = p.load(1, no_value, 2);
  const auto equals = [&](ValueId v, NodeId t, NodeId f) { return p.test(Relation::Equal, v, p.constant(below(7)), t, f); };
  const NodeId no = p.ret(0u), yes = p.ret(9u), end = equals(last, below(2) ? yes : no, below(2) ? yes : no);
  NodeId next = end;
  for (unsigned links = 2 + below(9); links-- > 0;) {
    const NodeId onward = below(6) ? next : end, holds = below(3) ? yes : equals(last, yes, onward);
    const bool is_number = below(3) != 0;
    const auto asked = [&](NodeId t, NodeId f) {
      return is_number ? equals(about, t, f) : p.test(Relation::GreaterEqual, about, p.constant(1 + below(7)), t, f);
    };
    next = below(2) ? asked(equals(beside, holds, onward), next) : equals(beside, asked(holds, onward), next);
  }
  p.root = equals(about, equals(beside, yes, next), next);
  for (unsigned i = 3; i-- > 0;) p.root = p.guard(1, no_value, i, p.root);
  return p;
}

}  // namespace

TEST_CASE("optimized graphs verify and refine the original on random packets") {
  std::mt19937 random(7);
  static constexpr optimize::Profile::Row shares[] = {{1, 0, 1, {5000, 2000}}, {1, 0, 2, {3000, 4000}}, {1, 1, 0, {200, 9000}}};
  constexpr optimize::Profile profile{shares};
  int reordered = 0, halved = 0;
  for (int i = 0; i < 8000; ++i) {
    const Program p = i < 6000 ? random_graph(random) : random_row(random);
    if (verify(p)) continue;  // a choice leaf may hold an unguarded load; such graphs are not ours to optimize
    Program better = p;
    halved += optimize::halve_rows(better);
    if (i % 4 != 0) better = optimize::optimize(p);
    for (const auto& pass : optimize::passes())
      if (pass.reorders && i % 2 != 0) reordered += pass.apply(better, profile);
    optimize::place_guards(better);
    REQUIRE_MESSAGE(!verify(better), *verify(better));
    for (int n = 0; n < 30; ++n) {
      std::vector<std::uint8_t> bytes(3);
      for (auto& b : bytes) b = static_cast<std::uint8_t>(random() % 7);
      const Packet whole{bytes, 3, {}};
      CAPTURE(to_string(p));
      REQUIRE(evaluate(better, whole) == evaluate(p, whole));
      const Packet cut{std::span(bytes).first(random() % 3), 3, {}};
      if (evaluate(p, cut)) REQUIRE(evaluate(better, cut) == evaluate(p, cut));
      if (evaluate(better, cut)) REQUIRE(evaluate(p, whole) != 0);
    }
  }
  CHECK(reordered > 100);
  CHECK(halved > 100);
}

TEST_CASE("every pass says why it stands where it stands") {
  for (const auto& pass : optimize::passes()) CHECK(!pass.why_here.empty());
}
