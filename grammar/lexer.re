// The shapes of words. Which words are keywords is asked of keywords.def afterwards: all of them have the shape of a
// name and of nothing that stands before it here, so the outcome is the same as if each had a rule of its own.
#include "grammar/lexer.hpp"

#include <cctype>

#include "grammar/keywords.hpp"
#include "grammar/literals.hpp"

namespace weir::grammar {

Parser::token_kind_type Lexer::next(Semantic& value, Span& at) {
  using Token = Parser::token;
  const char* start = cursor_;
  const char* marker = nullptr;
  const auto text = [&] { return std::string_view(start, cursor_); };
  const auto span = [&] {
    return Span{static_cast<std::uint32_t>(start - begin_), static_cast<std::uint32_t>(cursor_ - begin_)};
  };
  const auto plain = [&](Parser::token_kind_type token) {
    at = span();
    return token;
  };
  const auto word = [&](Parser::token_kind_type token, std::uint32_t skipped = 0) {
    at = span();
    value.word = {start + skipped, at.end - at.begin - skipped, skipped != 0};
    return token;
  };

again:
  start = cursor_;
  /*!re2c
    re2c:api:style = free-form;
    re2c:define:YYCTYPE = "unsigned char";
    re2c:define:YYCURSOR = cursor_;
    re2c:define:YYLIMIT = limit_;
    re2c:define:YYMARKER = marker;
    re2c:yyfill:enable = 0;
    re2c:eof = 0;

    hex    = [0-9A-Fa-f];
    number = [0-9]+ | "0" [xX] hex+;
    dotted = number ("." number){1,3};
    quad   = number ("." number){3};

    byte   = hex{1,2};
    mac48  = byte (":" byte){5} | byte ("-" byte){5} | byte ("." byte){5}
           | hex{4} "." hex{4} "." hex{4} | hex{12};
    bogus  = byte ":"+ (byte ":"+)+;

    // IPv6 (RFC 4291, 2.2): eight groups, of which the last two may be written as an IPv4 address, or fewer around
    // one "::". gN: N groups, each with its colon; up_to_N: at most N groups.
    g       = hex{1,4};
    up_to_1 = g?;                    up_to_2 = (g (":" g){0,1})?;     up_to_3 = (g (":" g){0,2})?;
    up_to_4 = (g (":" g){0,3})?;     up_to_5 = (g (":" g){0,4})?;     up_to_6 = (g (":" g){0,5})?;
    up_to_7 = (g (":" g){0,6})?;
    ipv6    = g (":" g){7}
            | "::" up_to_7
            | g "::" up_to_6
            | g (":" g){1} "::" up_to_5
            | g (":" g){2} "::" up_to_4
            | g (":" g){3} "::" up_to_3
            | g (":" g){4} "::" up_to_2
            | g (":" g){5} "::" up_to_1
            | g (":" g){6} "::"
            | (g ":"){6} quad
            | "::" (g ":"){0,5} quad
            | g "::" (g ":"){0,4} quad
            | g (":" g){1} "::" (g ":"){0,3} quad
            | g (":" g){2} "::" (g ":"){0,2} quad
            | g (":" g){3} "::" (g ":"){0,1} quad
            | g (":" g){4} "::" quad;

    name    = [A-Za-z0-9] ([-_.A-Za-z0-9]* [.A-Za-z0-9])?;
    escaped = "\\" [^ !()\n\t\x00]+;

    $            { return plain(Token::END); }
    [ \r\n\t]+   { goto again; }
    "#" [^\n]*   { goto again; }

    "$" byte     { return word(Token::MAC8); }
    mac48        { return word(Token::MAC48); }
    number       { value.number = number(text(), span()); return plain(Token::NUM); }
    dotted       { return word(Token::IPV4); }
    ipv6         { check_ipv6(text(), span()); return word(Token::IPV6); }
    bogus        { while (std::isxdigit(static_cast<unsigned char>(*cursor_))) ++cursor_;  // the last group has no colon
                   refuse_mac(text(), span()); }
    name         { if (const Keyword* k = find_keyword(text())) { set(value, *k); return plain(k->token); }
                   return word(Token::NAME); }
    escaped      { return word(Token::NAME, 1); }

    "&&"         { return plain(Token::AND); }
    "||"         { return plain(Token::OR); }
    "!"          { return plain(Token::NOT); }
    "("          { return plain(Token::OPEN); }
    ")"          { return plain(Token::CLOSE); }
    "["          { return plain(Token::BRACKET); }
    "]"          { return plain(Token::UNBRACKET); }
    ":"          { return plain(Token::COLON); }
    "+"          { return plain(Token::PLUS); }
    "-"          { return plain(Token::MINUS); }
    "*"          { return plain(Token::STAR); }
    "/"          { return plain(Token::SLASH); }
    "%"          { return plain(Token::PERCENT); }
    "&"          { return plain(Token::AMPERSAND); }
    "|"          { return plain(Token::PIPE); }
    "^"          { return plain(Token::CARET); }
    "<<"         { return plain(Token::LSH); }
    ">>"         { return plain(Token::RSH); }
    "<"          { return plain(Token::LT); }
    "<="         { return plain(Token::LEQ); }
    ">"          { return plain(Token::GT); }
    ">="         { return plain(Token::GEQ); }
    "=" | "=="   { return plain(Token::EQ); }
    "!="         { return plain(Token::NEQ); }
    [\xc0-\xff] [\x80-\xbf]*
                 { return plain(Token::STRAY); }
    *            { return plain(Token::STRAY); }
  */
}

}  // namespace weir::grammar
