// Text to tree. Knows words and shapes, no names and no protocol numbers.
#pragma once
#include <string_view>
#include <vector>

#include "ast/expr.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"

namespace weir::grammar {

/// The tree of an expression; `Everything` for an empty one. The first error stops.
/// `#` starts a comment that ends with the line.
Result<ast::Expr> parse(std::string_view text, const Limits& limits = {});

/// The words that are more than names, in alphabetical order.
std::vector<std::string_view> keywords();

}  // namespace weir::grammar
