#include <string>

#include "graph_text.hpp"
#include "optimize/passes.hpp"

using namespace weir;
using namespace weir::ir;

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
