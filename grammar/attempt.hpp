// The parser without explanations: for hints, which try whether the text would be better with another word in it.
#pragma once
#include <string_view>

#include "ast/expr.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"

namespace weir::grammar {

/// As parse(), but the diagnostic of a word that cannot stand where it stands has a place and no message.
Result<ast::Expr> attempt(std::string_view text, const Limits& limits);

}  // namespace weir::grammar
