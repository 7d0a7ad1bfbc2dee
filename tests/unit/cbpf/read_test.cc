// Reading what tcpdump -ddd printed.
#include <doctest/doctest.h>

#include "random_program.hpp"

namespace weir::cbpf {
namespace {

TEST_CASE("what is printed is read back") {
  test::RandomPrograms random(3);
  for (std::uint32_t count = 1; count < 300; count += 7) {
    const Program p = random.program(count);
    const auto back = read_decimal(to_string(p, Style::Decimal));
    REQUIRE(back);
    CHECK(*back == p);
  }
  CHECK(read_decimal("0\n")->instructions.empty());
  CHECK(read_decimal(" 1 \r\n 65535 255 255 4294967295")->instructions == std::vector<Instruction>{{65535, 255, 255, 4294967295}});
}

TEST_CASE("errors name the place") {
  struct Row {
    const char* text;
    Span span;
    const char* message;
  };
  for (const Row& row : {
           Row{"", {0, 0}, "the number of instructions is not a number from 0 to 4294967295"},
           Row{"tcp\n", {0, 3}, "the number of instructions is not a number from 0 to 4294967295"},
           Row{"-1\n", {0, 2}, "the number of instructions is not a number from 0 to 4294967295"},
           Row{"2\n6 0 0 0\n", {0, 0}, "the text ends after 1 of 2 instructions"},
           Row{"4000000000\n", {0, 0}, "the text ends after 0 of 4000000000 instructions"},
           Row{"1\n6 0 0\n", {8, 8}, "k of instruction 0 is not a number from 0 to 4294967295"},
           Row{"1\n65536 0 0 0\n", {2, 7}, "the code of instruction 0 is not a number from 0 to 65535"},
           Row{"1\n6 256 0 0\n", {4, 7}, "jt of instruction 0 is not a number from 0 to 255"},
           Row{"1\n6 0 +1 0\n", {6, 8}, "jf of instruction 0 is not a number from 0 to 255"},
           Row{"1\n6 0 0 4294967296\n", {8, 18}, "k of instruction 0 is not a number from 0 to 4294967295"},
           Row{"1\n6 0 0 0x10\n", {8, 12}, "k of instruction 0 is not a number from 0 to 4294967295"},
           Row{"1\n6 0 0 0\n7\n", {10, 11}, "more follows after the 1 instructions"},
       }) {
    const auto result = read_decimal(row.text);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Code::Input);
    CHECK(result.error().message == row.message);
    CHECK(result.error().span == row.span);
  }
}

}  // namespace
}  // namespace weir::cbpf
