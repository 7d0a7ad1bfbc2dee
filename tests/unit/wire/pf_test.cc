#include "wire/pf.hpp"

#include <doctest/doctest.h>

using namespace weir::wire;

TEST_CASE("words of pf's log are those of its kernel header") {
  CHECK(pf::reason_code("match") == 0u);
  CHECK(pf::reason_code("synproxy") == 14u);
  CHECK(!pf::reason_code("pass"));
  CHECK(pf::action_code("accept") == pf::action_code("pass"));
  CHECK(pf::action_code("synproxy-drop") == 10u);
  CHECK(pf::action_code("Synproxy-DROP") == 10u);
  CHECK(pf::reason_code("MATCH") == 0u);
  CHECK(!pf::action_code("match"));
  CHECK(pf::reason_words().starts_with("match, bad-offset, "));
  CHECK(pf::action_words().ends_with("nordr, synproxy-drop"));
}
