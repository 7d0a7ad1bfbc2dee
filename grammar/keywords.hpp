// The words that are more than names. Every one of them has the shape of a name, so the lexer reads a name and asks
// here; rows in keywords.def and ast/protocols.def.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "grammar/parser.hpp"

namespace weir::grammar {

/// The token of a keyword or named constant; nothing when the word is just a name.
std::optional<Parser::symbol_type> keyword(std::string_view word, Span at);

/// All of them, in alphabetical order.
std::vector<std::string_view> keywords();

}  // namespace weir::grammar
