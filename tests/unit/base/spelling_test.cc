#include <doctest/doctest.h>

#include "base/spelling.hpp"

using weir::distance;

TEST_CASE("one for each letter added, dropped, changed or swapped with its neighbour") {
  CHECK(distance("port", "port") == 0);
  CHECK(distance("", "tcp") == 3);
  CHECK(distance("portt", "port") == 1);
  CHECK(distance("prt", "port") == 1);
  CHECK(distance("pork", "port") == 1);
  CHECK(distance("prot", "port") == 1);
  CHECK(distance("adn", "and") == 1);
  CHECK(distance("ca", "abc") == 3);  // a swap is not edited again
}
