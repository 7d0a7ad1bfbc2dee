// Text to tokens: the longest word that has one of the shapes in lexer.re wins, and of equally long ones the shape
// named first. Words that are keywords: keywords.def. Tested by tests/unit/grammar/lexer_test.cc.
#pragma once
#include <string>

#include "grammar/parser.hpp"

namespace weir::grammar {

class Lexer {
 public:
  /// The text must outlive the lexer and its tokens, which point into it.
  explicit Lexer(const std::string& text)
      : begin_(text.data()), cursor_(text.data()), limit_(text.data() + text.size()) {}

  /// The next token, what it stands for and where it is; END for ever after the last. A character that begins no token
  /// is STRAY.
  Parser::token_kind_type next(Semantic& value, Span& at);

  std::string_view text() const { return {begin_, limit_}; }

 private:
  const char* begin_;
  const char* cursor_;
  const char* limit_;
};

}  // namespace weir::grammar
