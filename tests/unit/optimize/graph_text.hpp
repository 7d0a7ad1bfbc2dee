// Graphs as text for the tests of passes.
#pragma once
#include <doctest/doctest.h>

#include <string_view>
#include <utility>

#include "optimize/optimize.hpp"

namespace weir {

inline ir::Program parse(std::string_view text) {
  auto p = ir::read(text);
  REQUIRE_MESSAGE(p, (p ? "" : p.error().message));
  return std::move(*p);
}

/// `pass`: of a program, which it changes.
template <class Pass>
void becomes(Pass pass, std::string_view before, std::string_view after) {
  ir::Program p = parse(before);
  pass(p);
  optimize::place_guards(p);
  CHECK(ir::to_string(p) == ir::to_string(parse(after)));
}

}  // namespace weir
