// Graphs as C text. Whether the text is right is told by compilers: tests/compiled/.
#include <doctest/doctest.h>

#include "c/emit.hpp"

namespace weir::c {
namespace {

/// The statements of the function: what stands behind its declarations.
std::string statements(std::string_view graph, std::string_view filter = "") {
  const auto p = ir::read(graph);
  REQUIRE(p);
  const auto text = emit(*p, filter);
  REQUIRE(text);
  const std::size_t body = text->find("\n\n", text->find("\nuint32_t weir_filter("));
  return text->substr(body == text->npos ? text->find("{\n", text->find("\nuint32_t weir_filter(")) + 2 : body + 2);
}

TEST_CASE("tests leave by return, and run on otherwise") {
  CHECK(statements("n0: return 96\n"
                   "n1: return 0\n"
                   "v1 = load 2 [12]\n"
                   "v2 = load 1 [23]\n"
                   "n2: if v2 > 17 then n0 else n1\n"
                   "n3: guard 1 [23] then n2\n"
                   "n4: if v1 == 0x800 then n3 else n0\n"
                   "n5: guard 2 [12] then n4\n"
                   "root n5\n") ==
        "    if (captured < 14)\n"
        "        return 0;\n"
        "    if (weir_be16(packet + 12) != 0x800u)\n"
        "        return 96u;\n"
        "    if (captured < 24)\n"
        "        return 0;\n"
        "    return weir_u8(packet + 23) > 17u ? 96u : 0;\n"
        "}\n");
}

TEST_CASE("where ways meet there is a label; shared values have a variable") {
  CHECK(statements("n0: return 1\n"
                   "n1: return 0\n"
                   "v1 = load 1 [0]\n"
                   "v2 = v1 * v1\n"
                   "n2: if v2 == 9 then n0 else n1\n"
                   "n3: if v2 > 100 then n0 else n2\n"
                   "n4: if v1 &? 1 then n2 else n3\n"
                   "n5: guard 1 [0] then n4\n"
                   "root n5\n") ==
        "    if (captured < 1)\n"
        "        return 0;\n"
        "    if ((weir_u8(packet) & 1u) != 0)\n"
        "        goto l1;\n"
        "    v3 = weir_u8(packet) * weir_u8(packet);\n"
        "    if (v3 > 100u)\n"
        "        return 1u;\n"
        "l1:\n"
        "    v3 = weir_u8(packet) * weir_u8(packet);\n"
        "    return v3 == 9u ? 1u : 0;\n"
        "}\n");
}

TEST_CASE("a divisor of several operators is compared as a whole") {
  const std::string text = statements("n0: return 1\n"
                                      "n1: return 0\n"
                                      "v1 = length\n"
                                      "v2 = v1 & 7\n"
                                      "v3 = 9 / v2\n"
                                      "n2: if v3 == 3 then n0 else n1\n"
                                      "n3: nonzero v2 then n2\n"
                                      "root n3\n");
  CHECK(text.find("if ((length & 7u) == 0)\n        return 0;") != std::string::npos);
}

TEST_CASE("a choice is assigned on the ways that decide it") {
  CHECK(statements("v0 = load 1 [0]\n"
                   "n0: return 4\n"
                   "n1: return 8\n"
                   "n2: if v0 == 1 then n0 else n1\n"
                   "v1 = choice n2\n"
                   "n3: return v1\n"
                   "n4: guard 1 [0] then n3\n"
                   "root n4\n") ==
        "    if (captured < 1)\n"
        "        return 0;\n"
        "    if (weir_u8(packet) != 1u)\n"
        "        goto l1;\n"
        "    v4 = 4u;\n"
        "    goto c2;\n"
        "l1:\n"
        "    v4 = 8u;\n"
        "c2:\n"
        "    return v4;\n"
        "}\n");
}

TEST_CASE("sets: comparisons, a switch, a table") {
  const auto member = [](const std::string& set) {
    return statements("n0: return 1\nn1: return 0\nv0 = load 2 [0]\nn2: if v0 in {" + set +
                      "} then n0 else n1\nn3: guard 2 [0] then n2\nroot n3\n");
  };
  CHECK(member("1, 5-7").find("return (v2 == 1u || (v2 >= 5u && v2 <= 7u)) ? 1u : 0;") != std::string::npos);
  CHECK(member("1, 3, 5, 7, 9")
            .find("    case 1u: case 3u: case 5u: case 7u: case 9u:\n        return 1u;\n    default:\n        return 0;\n") !=
        std::string::npos);
  CHECK(member("1, 3, 5, 7, 9-10").find("weir_in_ranges(weir_set_0, 5, weir_be16(packet))") != std::string::npos);
}

TEST_CASE("what compilers would complain of is decided here") {
  CHECK(statements("n0: return 1\nn1: return 0\nv0 = load 1 [0]\nn2: if v0 > 255 then n0 else n1\nn3: guard 1 [0] then n2\nroot n3\n") ==
        "    if (captured < 1)\n        return 0;\n    return 0;\n}\n");
  CHECK(statements("n0: return 1\nn1: return 0\nv0 = load 1 [0]\nv1 = v0 & 16\nn2: if v1 == 10 then n0 else n1\nn3: guard 1 [0] "
                   "then n2\nroot n3\n") == "    if (captured < 1)\n        return 0;\n    return 0;\n}\n");
}

TEST_CASE("nothing of a filter's words ends a comment") {
  ir::Program p;
  p.root = p.ret(1);
  const auto text = emit(p, "ip */ #error\n/* \\\n ?" "?/");
  REQUIRE(text);
  CHECK(text->starts_with("/* Made by weir: the filter ip * / #error / * / ? ?/ */\n"));
}

}  // namespace
}  // namespace weir::c
