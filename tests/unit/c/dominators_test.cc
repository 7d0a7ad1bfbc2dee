// Which places are above which, in random trees.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "c/dominators.hpp"

namespace weir::c {
namespace {

TEST_CASE("as walking up step by step") {
  std::mt19937 random(1);
  for (const unsigned width : {1u, 3u, 1000u}) {
    Dominators tree;
    std::vector<Dominators::Id> above{Dominators::none};
    tree.add(Dominators::none);
    for (unsigned n = 1; n < 600; ++n) {
      above.push_back(n - 1 - static_cast<unsigned>(random()) % std::min(n, width));
      tree.add(above.back());
    }
    const auto is_above = [&](Dominators::Id a, Dominators::Id b) {
      while (b != a && b != Dominators::none) b = above[b];
      return b == a;
    };
    for (int tries = 0; tries < 3000; ++tries) {
      const Dominators::Id a = static_cast<unsigned>(random()) % 600, b = static_cast<unsigned>(random()) % 600;
      Dominators::Id common = a;
      while (!is_above(common, b)) common = above[common];
      REQUIRE(tree.common(a, b) == common);
      REQUIRE(tree.above(a, b) == is_above(a, b));
    }
    CHECK(tree.common(Dominators::none, 5) == 5);
  }
}

}  // namespace
}  // namespace weir::c
