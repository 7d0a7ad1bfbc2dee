// Where the parser stopped: the words around, as hints look at them. Nothing here is needed by a parse that goes well.
#pragma once
#include <string_view>
#include <vector>

#include "base/span.hpp"
#include "grammar/parser.hpp"

namespace weir::grammar {

using Kind = Parser::symbol_kind;

struct Token {
  Parser::symbol_kind_type kind = Kind::S_YYEMPTY;
  std::string_view text;
  Span span;
};

struct Place {
  Token token;         ///< the one that cannot stand here
  Token prev;          ///< before it; S_YYEMPTY where there is none
  Token before;        ///< before that
  Token next;          ///< after it; what follows a word that is none at all is S_YYEMPTY, too
  Token after;         ///< after that
  Token paren;         ///< the innermost '(' that is open; S_YYEMPTY where none is
  Token group;         ///< the word behind it
  std::size_t open = 0;  ///< how many '(' and '[' are open
  bool in_brackets = false;  ///< the innermost of them is a '['

  /// The same place one word to the left.
  Place back() const { return {prev, before, {}, token, next, paren, group, open, in_brackets}; }
};

/// `text` must outlive the tokens.
Place find_place(std::string_view text, Span at);

// ---- kinds of tokens

template <Parser::symbol_kind_type... kinds>
bool is(const Token& t) {
  return ((t.kind == kinds) || ...);
}

bool is_address(const Token& t);
bool is_id(const Token& t);
bool is_joint(const Token& t);
bool is_direction(const Token& t);
bool is_qualifier(const Token& t);
bool is_end(const Token& t);
/// Ends a condition.
bool is_stop(const Token& t);
/// What a condition may begin behind.
bool is_start(const Token& t);
bool is_compare(const Token& t);
bool is_arithmetic(const Token& t);
/// Must be followed by a value.
bool wants_number(const Token& t);
bool is_keyword(const Token& t);
bool begins_term(const Token& t);
bool ends_term(const Token& t);
/// Whether a value of arithmetic ends with `prev`.
bool ends_value(const Token& prev, const Token& before);
/// Nothing between them, not even a space.
bool touch(const Token& left, const Token& right);

}  // namespace weir::grammar
