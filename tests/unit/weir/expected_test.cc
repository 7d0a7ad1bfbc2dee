#include "weir/expected.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace weir;
using optimize::Profile;

namespace {

constexpr Profile::Row rows[] = {
    {2, 0, 0x800, {6000, 3000}}, {2, 0, 0x86dd, {2000, 4000}}, {1, 0, 6, {8000, 4500}}, {2, 0x1fff, 0, {100, 100}}};
constexpr Profile profile{rows};

Executed executed(const std::string& program) { return expected(cbpf::read_decimal(program).value(), profile); }

}  // namespace

TEST_CASE("expected: as many packets get to an instruction as the profile says") {
  const Executed e = executed("4\n40 0 0 12\n21 0 1 2048\n6 0 0 1\n6 0 0 0\n");  // ldh [12]; jeq #0x800
  CHECK(e[0] == doctest::Approx(3));
  CHECK(e[1] == doctest::Approx(3));
  const Executed longer = executed("6\n40 0 0 12\n21 0 3 2048\n48 0 0 23\n21 0 1 6\n6 0 0 1\n6 0 0 0\n");  // and ldb [23]; jeq #6
  CHECK(longer[0] == doctest::Approx(3 + 0.6 * 2));
  CHECK(longer[1] == doctest::Approx(3 + 0.3 * 2));
}

TEST_CASE("expected: what a test has told, the next one of the same value is not asked about") {
  // ldh [12]; jeq #0x800, yes; jeq #0x86dd, no: then one instruction more
  const Executed e = executed("6\n40 0 0 12\n21 2 0 2048\n21 1 0 34525\n128 0 0 0\n6 0 0 1\n6 0 0 0\n");
  CHECK(e[0] == doctest::Approx(3 + 0.4 + 0.4 * (1 - 0.2 / 0.4)));
  CHECK(e[1] == doctest::Approx(3 + 0.7 + 0.7 * (1 - 0.4 / 0.7)));
}

TEST_CASE("expected: of a range each number is as likely, and what no row is about is as likely as not") {
  const Executed range = executed("5\n40 0 0 54\n53 0 2 32768\n37 1 0 49151\n6 0 0 1\n6 0 0 0\n");  // jge #0x8000; jgt #0xbfff
  CHECK(range[0] == doctest::Approx(3 + 0.5));
  const Executed bit = executed("5\n48 0 0 54\n69 0 1 1\n128 0 0 0\n6 0 0 1\n6 0 0 0\n");  // ldb [54]; jset #1
  CHECK(bit[0] == doctest::Approx(3 + 0.5));
}

TEST_CASE("expected: a protocol is known beside the fragment offset") {
  const Executed e =
      executed("6\n32 0 0 20\n84 0 0 536805631\n21 0 1 6\n128 0 0 0\n6 0 0 1\n6 0 0 0\n");  // ld [20]; and #0x1fff00ff; jeq #6
  CHECK(e[0] == doctest::Approx(4 + 0.8));
}
