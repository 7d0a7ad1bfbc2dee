#include "grammar/place.hpp"

#include <algorithm>
#include <cctype>
#include <string>

#include "grammar/lexer.hpp"
#include "grammar/refusal.hpp"

namespace weir::grammar {

bool is_address(const Token& t) { return is<Kind::S_IPV4, Kind::S_IPV6, Kind::S_MAC48, Kind::S_MAC8>(t); }
bool is_id(const Token& t) { return is_address(t) || is<Kind::S_NAME, Kind::S_NUM>(t); }
bool is_joint(const Token& t) { return is<Kind::S_AND, Kind::S_OR>(t); }
bool is_direction(const Token& t) { return is<Kind::S_SRC, Kind::S_DST, Kind::S_DIRECTION>(t); }
bool is_qualifier(const Token& t) { return is_direction(t) || is<Kind::S_KIND, Kind::S_LONE_KIND>(t); }
bool is_end(const Token& t) { return is<Kind::S_YYEOF>(t); }
bool is_stop(const Token& t) { return is_end(t) || is_joint(t) || is<Kind::S_CLOSE>(t); }
bool is_start(const Token& t) { return is<Kind::S_YYEMPTY, Kind::S_OPEN, Kind::S_NOT>(t) || is_joint(t); }
bool is_compare(const Token& t) {
  return is<Kind::S_EQ, Kind::S_NEQ, Kind::S_LT, Kind::S_LEQ, Kind::S_GT, Kind::S_GEQ>(t);
}
bool is_arithmetic(const Token& t) {
  return is<Kind::S_PLUS, Kind::S_MINUS, Kind::S_STAR, Kind::S_SLASH, Kind::S_PERCENT, Kind::S_AMPERSAND, Kind::S_PIPE,
            Kind::S_CARET, Kind::S_LSH, Kind::S_RSH>(t);
}
bool wants_number(const Token& t) { return is_arithmetic(t) || is_compare(t) || is<Kind::S_BRACKET>(t); }
bool is_keyword(const Token& t) {
  return !is_id(t) && !is_joint(t) && !t.text.empty() && std::isalpha(static_cast<unsigned char>(t.text[0]));
}
bool begins_term(const Token& t) { return is_id(t) || is_keyword(t) || is<Kind::S_OPEN, Kind::S_NOT>(t); }
bool ends_term(const Token& t) {
  return is_id(t) || is<Kind::S_CLOSE, Kind::S_PROTOCOL, Kind::S_UNBRACKET, Kind::S_WAY, Kind::S_BROADCAST, Kind::S_MULTICAST, Kind::S_TUNNEL,
                        Kind::S_PPPOED, Kind::S_LLC, Kind::S_ATM, Kind::S_MTP2>(t);
}
bool ends_value(const Token& prev, const Token& before) {
  return is<Kind::S_UNBRACKET, Kind::S_LEN>(prev) || (is<Kind::S_NUM>(prev) && is_arithmetic(before));
}
bool touch(const Token& left, const Token& right) {
  return left.kind != Kind::S_YYEMPTY && !is_end(right) && left.span.end == right.span.begin;
}

namespace {

Token read(Lexer& lexer) {
  Semantic value;
  Span at;
  const Parser::by_kind token(lexer.next(value, at));
  return {token.kind(), lexer.text().substr(at.begin, at.end - at.begin), at};
}

/// What follows the place has not been read yet: it may be refused.
Token read_ahead(Lexer& lexer) {
  try {
    return read(lexer);
  } catch (const Refusal&) {
    return {};
  }
}

/// The parentheses and brackets that are open, and the word behind each.
struct Nesting {
  std::vector<Token> open, behind;

  void add(const Token& t) {
    if (behind.size() < open.size()) behind.push_back(t);
    if (is<Kind::S_OPEN, Kind::S_BRACKET>(t)) open.push_back(t);
    if (is<Kind::S_CLOSE, Kind::S_UNBRACKET>(t) && !open.empty()) {
      open.pop_back();
      behind.resize(std::min(behind.size(), open.size()));
    }
  }
};

}  // namespace

/// Reads the text again: cheaper than to remember tokens in every parse that goes well.
Place find_place(std::string_view text, Span at) {
  const std::string buffer(text);  // the lexer wants a zero byte behind the last character
  Lexer lexer(buffer);
  Place p;
  Nesting nesting;
  for (;;) {
    p.before = p.prev;
    p.prev = p.token;
    p.token = read(lexer);
    if (is_end(p.token) || p.token.span.begin >= at.begin) break;
    nesting.add(p.token);
  }
  p.next = read_ahead(lexer);
  if (p.next.kind != Kind::S_YYEMPTY) p.after = read_ahead(lexer);
  p.open = nesting.open.size();
  if (p.open > 0) {
    p.in_brackets = is<Kind::S_BRACKET>(nesting.open.back());
    if (!p.in_brackets) p.paren = nesting.open.back();
    p.group = nesting.behind.size() == nesting.open.size() ? nesting.behind.back() : p.token;
  }
  for (Token* t : {&p.token, &p.prev, &p.before, &p.next, &p.after, &p.paren, &p.group})
    t->text = t->kind == Kind::S_YYEMPTY ? std::string_view() : text.substr(t->span.begin, t->span.end - t->span.begin);
  return p;
}

}  // namespace weir::grammar
