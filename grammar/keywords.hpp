// The words that are more than names. Every one of them has the shape of a name, so the lexer reads a name and asks
// here; rows in keywords.def and ast/protocols.def.
#pragma once
#include <cstdint>
#include <string_view>

#include "grammar/parser.hpp"

namespace weir::grammar {

/// A keyword or named constant.
struct Keyword {
  std::string_view word;
  Parser::token_kind_type token = Parser::token::NAME;
  std::uint32_t value = 0;
};

/// Its row; null when the word is just a name.
const Keyword* find_keyword(std::string_view word);
/// What the token of a keyword stands for.
void set(Semantic& value, const Keyword& k);

}  // namespace weir::grammar
