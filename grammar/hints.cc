#include "grammar/hints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "grammar/keywords.hpp"
#include "grammar/lexer.hpp"
#include "grammar/refusal.hpp"

namespace weir::grammar {
namespace {

using Kind = Parser::symbol_kind;
using KindType = Parser::symbol_kind_type;

struct Token {
  KindType kind = Kind::S_YYEMPTY;
  std::string_view text;
  Span span;
};

/// Where the parser stopped.
struct Place {
  Token token;         ///< the one that cannot stand here
  Token prev;          ///< before it; S_YYEMPTY where there is none
  Token before;        ///< before that
  Token next;          ///< after it
  Token group;         ///< the first one of the innermost parentheses
  bool open = false;   ///< inside parentheses
};

// ---- kinds of tokens

template <KindType... kinds>
bool is(Token t) {
  return ((t.kind == kinds) || ...);
}

bool is_address(Token t) { return is<Kind::S_IPV4, Kind::S_IPV6, Kind::S_MAC48, Kind::S_MAC8>(t); }
bool is_id(Token t) { return is_address(t) || is<Kind::S_NAME, Kind::S_NUM>(t); }
bool is_joint(Token t) { return is<Kind::S_AND, Kind::S_OR>(t); }
bool is_direction(Token t) { return is<Kind::S_SRC, Kind::S_DST, Kind::S_DIRECTION>(t); }
bool is_qualifier(Token t) { return is_direction(t) || is<Kind::S_KIND, Kind::S_LONE_KIND>(t); }
bool is_end(Token t) { return is<Kind::S_YYEOF>(t); }
bool is_stop(Token t) { return is_end(t) || is_joint(t) || is<Kind::S_CLOSE>(t); }
bool is_start(Token t) { return is<Kind::S_YYEMPTY, Kind::S_OPEN, Kind::S_NOT>(t) || is_joint(t); }
bool is_compare(Token t) {
  return is<Kind::S_EQ, Kind::S_NEQ, Kind::S_LT, Kind::S_LEQ, Kind::S_GT, Kind::S_GEQ>(t);
}
bool is_arithmetic(Token t) {
  return is<Kind::S_PLUS, Kind::S_MINUS, Kind::S_STAR, Kind::S_SLASH, Kind::S_PERCENT, Kind::S_AMPERSAND, Kind::S_PIPE,
            Kind::S_CARET, Kind::S_LSH, Kind::S_RSH>(t);
}
bool wants_number(Token t) { return is_arithmetic(t) || is_compare(t) || is<Kind::S_BRACKET>(t); }
bool is_keyword(Token t) {
  return !is_id(t) && !is_joint(t) && !t.text.empty() && std::isalpha(static_cast<unsigned char>(t.text[0]));
}
bool begins_term(Token t) { return is_id(t) || is_keyword(t) || is<Kind::S_OPEN, Kind::S_NOT>(t); }
bool ends_term(Token t) { return is_id(t) || is<Kind::S_CLOSE, Kind::S_PROTOCOL, Kind::S_UNBRACKET>(t); }
bool ends_value(Token prev, Token before) {
  return is<Kind::S_UNBRACKET, Kind::S_LEN>(prev) || (is<Kind::S_NUM>(prev) && is_arithmetic(before));
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

bool is_keyword_in_capitals(Token t) {
  if (!is<Kind::S_NAME>(t) || t.text.size() > 40) return false;
  const std::string lower = lower_case(t.text);
  return lower != t.text && keyword(lower, Span{});
}

bool looks_like_subtraction(Token t) {
  const bool operand = t.text.starts_with("len") || std::isdigit(static_cast<unsigned char>(t.text.front()));
  return is<Kind::S_NAME>(t) && operand && t.text.find('-') != t.text.npos;
}

bool looks_like_wireshark(const Place& p) {
  constexpr std::string_view words[] = {"eq", "ne", "gt", "lt", "ge", "le", "contains", "matches", "in"};
  return is_compare(p.next) || std::ranges::find(words, p.next.text) != std::end(words);
}

/// Words that people take from other tools, and what they are called here.
struct Alias {
  std::string_view word;
  const char* here;
};
constexpr Alias aliases[] = {
    {"ipv6", "ip6"}, {"ipv4", "ip"}, {"ip4", "ip"}, {"icmpv6", "icmp6"}, {"tcp6", "ip6 and tcp"}, {"udp6", "ip6 and udp"},
    {"source", "src"}, {"sport", "src port"}, {"dest", "dst"}, {"destination", "dst"}, {"dport", "dst port"},
    {"protocol", "proto"}, {"mac", "ether host"}, {"http", "tcp port 80"}, {"https", "tcp port 443"}, {"dns", "port 53"},
    {"ssh", "tcp port 22"}, {"dhcp", "udp port 67 or udp port 68"}, {"ping", "icmp[icmptype] = icmp-echo"}, {"size", "len"},
};

const char* alias(std::string_view word) {
  const auto found = std::ranges::find(aliases, word, &Alias::word);
  return found == std::end(aliases) ? nullptr : found->here;
}

// ---- the table

struct Row {
  bool (*applies)(const Place&);
  const char* hint;  ///< {word}, {prev}: the texts of the two tokens; {lower}: word in lower case; {alias}: what it is called here
};

/// The first row that applies speaks.
constexpr Row rows[] = {
    {[](const Place& p) { return is<Kind::S_STRAY>(p.token) && (p.token.text == "\"" || p.token.text == "'"); },
     "quotes belong to the shell; the expression itself has none"},
    {[](const Place& p) { return is<Kind::S_STRAY>(p.token) && p.token.text == ","; },
     "alternatives are joined with 'or', as in 'port (80 or 443)' or 'host (10.0.0.1 or 10.0.0.2)'"},
    {[](const Place& p) { return is<Kind::S_NAME>(p.token) && alias(p.token.text) && !is_qualifier(p.prev) && !is_compare(p.prev); },
     "'{word}' is no keyword here; write '{alias}'"},
    {[](const Place& p) { return is<Kind::S_STRAY>(p.token); },
     "this character means nothing in an expression"},
    {[](const Place& p) { return is_stop(p.token) && is_start(p.prev); },
     "a condition must stand here, such as 'host 10.0.0.1' or 'tcp port 80'"},
    {[](const Place& p) { return is_stop(p.token) && is_qualifier(p.prev); },
     "'{prev}' must be followed by what it is about: a name, a number or an address"},
    {[](const Place& p) { return is_stop(p.token) && p.token.text == "&&" && ends_value(p.prev, p.before); },
     "'&&' joins conditions; for bits write '&' and compare the outcome: tcp[tcpflags] & tcp-syn != 0"},
    {[](const Place& p) { return is_stop(p.token) && p.token.text == "||" && ends_value(p.prev, p.before); },
     "'||' joins conditions; for bits write '|' and compare the outcome: tcp[tcpflags] & (tcp-syn | tcp-fin) != 0"},
    {[](const Place& p) { return is_stop(p.token) && ends_value(p.prev, p.before); },
     "a value alone is no condition: compare it, for example with '!= 0'"},
    {[](const Place& p) { return is_stop(p.token) && p.prev.text.starts_with("tcp-") && is_start(p.before); },
     "'{prev}' is a bit of the TCP flags: tcp[tcpflags] & {prev} != 0"},
    {[](const Place& p) { return is_stop(p.token) && p.prev.text.starts_with("icmp-") && is_start(p.before); },
     "'{prev}' is a type of ICMP: icmp[icmptype] = {prev}"},
    {[](const Place& p) { return is_stop(p.token) && is<Kind::S_NUM>(p.prev) && is_start(p.before); },
     "say what the number is: 'port {prev}', 'proto {prev}', 'vlan {prev}'"},
    {[](const Place& p) { return is_end(p.token) && p.open; },
     "a ')' is missing"},
    {[](const Place& p) { return is<Kind::S_CLOSE>(p.token) && !p.open; },
     "there is no '(' that this could close"},
    {[](const Place& p) { return is_keyword_in_capitals(p.token); },
     "keywords are written in lower case: '{lower}'"},
    {[](const Place& p) { return looks_like_subtraction(p.token) && (is_start(p.prev) || wants_number(p.prev)); },
     "'{word}' is one word; put spaces around the minus sign"},
    {[](const Place& p) { return is<Kind::S_NAME>(p.token) && wants_number(p.prev); },
     "arithmetic knows numbers, 'len', fields such as 'tcp[13]' and named numbers such as 'tcp-syn'"},
    {[](const Place& p) { return is<Kind::S_NAME>(p.token) && is_start(p.prev) && looks_like_wireshark(p); },
     "this looks like a display filter of Wireshark; filters here read like 'tcp port 80' or 'host 10.0.0.1'"},
    {[](const Place& p) { return is<Kind::S_NAME>(p.token) && is_start(p.prev); },
     "'{word}' is no keyword; if it is a name, say of what: 'host {word}', 'port {word}', 'net {word}'"},
    {[](const Place& p) { return is<Kind::S_MAC48>(p.token) && is_start(p.prev); },
     "say what the address is: 'ether host {word}', 'ether src {word}'"},
    {[](const Place& p) { return is<Kind::S_MAC8>(p.token) && is_start(p.prev); },
     "say what the address is: 'link host {word}'"},
    {[](const Place& p) { return is_address(p.token) && is_start(p.prev); },
     "say what the address is: 'host {word}', 'src {word}', 'net {word}'"},
    {[](const Place& p) { return is<Kind::S_LONE_KIND>(p.token) && is_direction(p.prev); },
     "'{word}' takes no direction; leave out '{prev}'"},
    {[](const Place& p) { return is_keyword(p.token) && is_qualifier(p.prev); },
     "'{word}' is a keyword; to use it as a name write '\\{word}' (in a shell, within quotes)"},
    {[](const Place& p) { return is<Kind::S_NUM>(p.token) && is<Kind::S_PPPOED>(p.prev); },
     "'pppoed' has no session yet; 'pppoes {word}' is the session"},
    {[](const Place& p) { return is<Kind::S_MAC48>(p.token) && is<Kind::S_PROTOCOL>(p.prev); },
     "say what the address is: 'ether host {word}'"},
    {[](const Place& p) { return is_address(p.token) && is<Kind::S_PROTOCOL>(p.prev); },
     "say what the address is: '{prev} host {word}'"},
    {[](const Place& p) { return is_id(p.token) && is<Kind::S_PROTOCOL>(p.prev); },
     "say what '{word}' is: '{prev} port {word}', '{prev} host {word}'"},
    {[](const Place& p) { return is<Kind::S_NUM>(p.token) && is<Kind::S_MASK>(p.prev); },
     "a mask is written like an address: mask 255.255.255.0"},
    {[](const Place& p) { return is_keyword(p.token) && is_joint(p.prev) && is_id(p.group); },
     "parentheses that begin with a value without a qualifier may hold only such values; write the first one in full"},
    {[](const Place& p) { return is<Kind::S_IPV4>(p.token) && is<Kind::S_IPV4>(p.prev); },
     "a network with a mask is 'net {prev} mask {word}'; two addresses are joined with 'and' or 'or'"},
    {[](const Place& p) { return is<Kind::S_OPEN>(p.token) && is<Kind::S_PROTOCOL>(p.prev) && is<Kind::S_NUM>(p.next); },
     "a field is written with brackets: '{prev}[{next}]'"},
    {[](const Place& p) { return begins_term(p.token) && ends_term(p.prev); },
     "'and' or 'or' is missing before '{word}'"},
    {[](const Place& p) { return is<Kind::S_SLASH>(p.token) && is<Kind::S_NUM>(p.prev); },
     "a network with a prefix length needs dots: net {prev}.0.0.0/8"},
    {[](const Place& p) { return is<Kind::S_COLON>(p.token) && is<Kind::S_IPV4, Kind::S_NAME>(p.prev); },
     "address and port are two conditions: 'host {prev} and port 80'"},
    {[](const Place& p) { return is<Kind::S_MINUS>(p.token) && is<Kind::S_NUM>(p.prev) && is<Kind::S_KIND>(p.before); },
     "a range is one word: portrange {prev}-65535"},
};

std::string hint(const Place& p) {
  const auto row = std::ranges::find_if(rows, [&p](const Row& r) { return r.applies(p); });
  if (row == std::end(rows)) return {};
  const char* here = alias(p.token.text);
  return fmt::format(fmt::runtime(row->hint), fmt::arg("word", quotable(p.token.text)), fmt::arg("prev", quotable(p.prev.text)),
                     fmt::arg("next", quotable(p.next.text)), fmt::arg("lower", lower_case(p.token.text)),
                     fmt::arg("alias", here ? here : ""));
}

// ---- the place

Token read(Lexer& lexer) {
  const Parser::symbol_type symbol = lexer.next();
  const Span at = symbol.location;
  return {symbol.kind(), lexer.text().substr(at.begin, at.end - at.begin), at};
}

std::vector<Token> read_up_to(Lexer& lexer, Span at) {
  std::vector<Token> tokens;
  do {
    tokens.push_back(read(lexer));
  } while (!is_end(tokens.back()) && tokens.back().span.begin < at.begin);
  return tokens;
}

/// What follows the place has not been read yet: it may be refused.
Token read_ahead(Lexer& lexer) {
  try {
    return read(lexer);
  } catch (const Refusal&) {
    return {};
  }
}

/// Reads the text again: cheaper than to remember tokens in every parse that goes well.
Place place(Lexer lexer, Span at) {
  const std::vector<Token> tokens = read_up_to(lexer, at);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (is<Kind::S_OPEN>(tokens[i])) open.push_back(i);
    if (is<Kind::S_CLOSE>(tokens[i]) && !open.empty()) open.pop_back();
  }
  const auto back = [&tokens](std::size_t n) { return tokens.size() > n ? tokens[tokens.size() - 1 - n] : Token{}; };
  return {.token = back(0),
          .prev = back(1),
          .before = back(2),
          .next = read_ahead(lexer),
          .group = open.empty() ? Token{} : tokens[open.back() + 1],
          .open = !open.empty()};
}

}  // namespace

Diagnostic explain(std::string_view text, Span at) {
  const std::string buffer(text);
  const Place p = place(Lexer(buffer), at);
  if (is_end(p.token))  // nothing to point at there: the last word it is
    return {Code::Syntax, p.prev.span, "syntax error: unexpected end of the expression", hint(p)};
  return {Code::Syntax, at, fmt::format("syntax error: unexpected '{}'", quotable(p.token.text)), hint(p)};
}

}  // namespace weir::grammar
