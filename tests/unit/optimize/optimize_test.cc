#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "optimize/optimize.hpp"
#include "optimize/passes.hpp"

using namespace weir;
using namespace weir::ir;

namespace {

Program parse(std::string_view text) {
  auto p = read(text);
  REQUIRE_MESSAGE(p, (p ? "" : p.error().message));
  return std::move(*p);
}

template <class Pass>
void becomes(Pass pass, std::string_view before, std::string_view after) {
  Program p = parse(before);
  pass(p);
  optimize::place_guards(p);
  CHECK(to_string(p) == to_string(parse(after)));
}

}  // namespace

TEST_CASE("values: rules") {
  struct Row { const char* value; const char* simpler; };
  const Row rows[] = {
      {"v = x + 0", "v = load 2 [12]"}, {"v = x | 0", "v = load 2 [12]"}, {"v = x * 1", "v = load 2 [12]"},
      {"v = x & 0xffff", "v = load 2 [12]"}, {"v = x << 0", "v = load 2 [12]"}, {"v = x / 1", "v = load 2 [12]"},
      {"v = x * 8", "v = x << 3"}, {"v = x / 4", "v = x >> 2"}, {"v = x % 128", "v = x & 0x7f"}, {"v = 7 + x", "v = x + 7"},
      {"v = x - 3", "v = x + 0xfffffffd"}, {"v = x & x", "v = load 2 [12]"},
      {"w = x + 3\nv = w + 4", "v = x + 7"}, {"w = x & 0xff0\nv = w & 0xff", "v = x & 0xf0"},
  };
  for (const Row& r : rows) {
    const auto graph = [](const char* value) {
      return std::string("x = load 2 [12]\n") + value +
             "\nno: return 0\nyes: return 1\nt: if v == 0x40 then yes else no\ng: guard 2 [12] then t\nroot g\n";
    };
    CAPTURE(r.value);
    becomes(optimize::simplify_values, graph(r.value), graph(r.simpler));
  }
}

TEST_CASE("values: two bytes in the other order are one load, if they lie side by side") {
  const std::string rest = "no: return 0\nyes: return 1\nt: if v == 0x40 then yes else no\ng: guard 2 [2] then t\nroot g\n";
  const std::string swapped = "x = load 2 [2]\nm = x * 0x1000100\nv = m >> 16\n" + rest;
  const std::string bytes = "a = load 1 [2]\nb = load 1 [3]\nh = b << 8\n";
  becomes(optimize::simplify_values, bytes + "v = a | h\n" + rest, swapped);
  becomes(optimize::simplify_values, bytes + "v = h | a\n" + rest, swapped);
  for (const char* other : {"a = load 1 [4]\nb = load 1 [3]\nh = b << 8\n", "a = load 1 [2]\nb = load 1 [3]\nh = b << 7\n",
                            "a = load 1 [0xffffffff]\nb = load 1 [0]\nh = b << 8\n"}) {
    CAPTURE(other);
    Program p = parse(other + std::string("v = a | h\nno: return 0\nyes: return 1\nt: if v == 0x40 then yes else no\nroot t\n"));
    optimize::simplify_values(p);
    CHECK(to_string(p).find('*') == std::string::npos);
  }
}

TEST_CASE("values: bits that a value cannot have") {
  becomes(optimize::simplify_values,
          "x = load 2 [12]\nv = x & 0x80000\nno: return 0\nyes: return 1\nt: if v >= 0x81 then no else yes\ng: guard 2 [12] then t\nroot g\n",
          "t: return 1\nroot t\n");
}

TEST_CASE("values: what divides by nothing but 0 rejects") {
  const std::string division = "x = load 1 [9]\ny = load 1 [10]\nd = x & 0x100\nq = x / d\nno: return 0\nyes: return 1\n";
  becomes(optimize::simplify_values, division + "t: if q == 5 then yes else no\nz: nonzero d then t\ng: guard 1 [9] then z\nroot g\n",
          "no: return 0\nroot no\n");
  const std::string choice = "u: if y == 3 then z else seven\ng: guard 1 [10] then u\nc = choice g\nt: if c == 7 then yes else no\nroot t\n";
  becomes(optimize::simplify_values, division + "quotient: return q\nseven: return 7\nz: nonzero d then quotient\n" + choice,
          "y = load 1 [10]\nyes: return 1\nno: return 0\nz: nonzero 0 then no\nseven: return 7\n" + choice);
}

TEST_CASE("values: tests in one form") {
  struct Row { const char* test; const char* simpler; };
  const Row rows[] = {
      {"if 5 == x then yes else no", "if x == 5 then yes else no"},
      {"if 5 > x then yes else no", "if x >= 5 then no else yes"},
      {"if 5 >= x then yes else no", "if x > 5 then no else yes"},
      {"if x >= 1 then yes else no", "if x == 0 then no else yes"},
      {"if x > 0 then yes else no", "if x == 0 then no else yes"},
      {"if x > 0xffff then yes else no", "return 0"},
      {"if x == 0x10000 then yes else no", "return 0"},
  };
  for (const Row& r : rows) {
    const std::string head = "x = load 2 [12]\nno: return 0\nyes: return 1\n";
    const std::string simpler = std::string(r.simpler).starts_with("return")
                                    ? "t: return 0\nroot t\n"
                                    : head + "t: " + r.simpler + "\ng: guard 2 [12] then t\nroot g\n";
    CAPTURE(r.test);
    becomes(optimize::simplify_values, head + "t: " + r.test + "\ng: guard 2 [12] then t\nroot g\n", simpler);
  }
}

TEST_CASE("values: bits of a value that can be but one number") {
  for (const auto& [bits, verdict] : {std::pair("2", "0"), std::pair("4", "1"), std::pair("0xfffffffb", "0"), std::pair("6", "1")}) {
    CAPTURE(bits);
    becomes(optimize::simplify_values,
            std::string("x = load 2 [12]\nh = x >> 16\nfour = h + 4\nno: return 0\nyes: return 1\nt: if four &? ") + bits +
                " then yes else no\ng: guard 2 [12] then t\nroot g\n",
            std::string("n: return ") + verdict + "\nroot n\n");
  }
}

TEST_CASE("values: sets in one form") {
  struct Row { const char* test; const char* simpler; };
  const Row rows[] = {
      {"if x in {7} then yes else no", "if x == 7 then yes else no"},
      {"if x in {0-6, 8-255} then yes else no", "if x == 7 then no else yes"},
      {"if x in {0-6} then yes else no", "if x >= 7 then no else yes"},
      {"if x in {7-0xffffffff} then yes else no", "if x >= 7 then yes else no"},
      {"if x in {256-1000} then yes else no", "return 0"},
      {"if x in {0-300} then yes else no", "return 1"},
      {"if x in {0-1, 3-4, 6-255} then yes else no", "if x in {2, 5} then no else yes"},
      {"if x in {1, 3, 5, 7} then yes else no", "m = x & 0xf9\nt: if m == 1 then yes else no"},
  };
  for (const Row& r : rows) {
    const std::string head = "x = load 1 [12]\nno: return 0\nyes: return 1\n";
    const std::string simpler(r.simpler);
    const std::string expected = simpler.starts_with("return") ? "t: " + simpler + "\nroot t\n"
                                 : head + (simpler.starts_with("m") ? "" : "t: ") + simpler + "\ng: guard 1 [12] then t\nroot g\n";
    CAPTURE(r.test);
    becomes(optimize::simplify_values, head + "t: " + r.test + "\ng: guard 1 [12] then t\nroot g\n", expected);
  }
}

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
