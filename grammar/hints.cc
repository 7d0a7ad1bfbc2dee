#include "grammar/hints.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "grammar/attempt.hpp"
#include "grammar/characters.hpp"
#include "grammar/foreign.hpp"
#include "grammar/hint_rows.hpp"
#include "grammar/place.hpp"
#include "grammar/refusal.hpp"
#include "grammar/spelling.hpp"

namespace weir::grammar {
namespace {

/// `10.0.` as `10.0.0.0/16`.
std::string network_before_wildcard(Token t) {
  const int octets = octets_before_wildcard(t);
  std::string network(t.text);
  for (int i = octets; i < 4; ++i) network += i < 3 ? "0." : "0";
  return fmt::format("{}/{}", quotable(network), 8 * octets);
}

/// Whether nothing is missing but what closes the parentheses that are open.
bool closing_helps(std::string_view text, std::size_t open) {
  return open > 0 && open < Limits{}.depth && attempt(std::string(text) + std::string(open, ')'), {}).has_value();
}

/// Whether a `)` at this place makes an expression of it: `tcp[13] & (2 | 16 != 0`.
bool closing_here_helps(std::string_view text, Span at) {
  return attempt(fmt::format("{}){}", text.substr(0, at.begin), text.substr(at.begin)), {}).has_value();
}

/// `vlan 100,200`
std::string one_tunnel_of_several(std::string_view word) {
  const std::string one = fmt::format("'{}' takes one number, and a second '{}' is looked for inside the first", word, word);
  return word == "vlan" ? one + "; on Ethernet: 'vlan and (ether[14:2] & 0xfff = 100 or ether[14:2] & 0xfff = 200)'" : one;
}

/// `vlan (100 or 200)`: the word before the parenthesis that holds but the number.
Token before_lone_number(std::string_view text, const Place& p) {
  const bool lone = is_joint(p.token) && is<Kind::S_NUM>(p.prev) && is<Kind::S_OPEN>(p.before);
  return lone ? find_place(text, p.before.span).prev : Token{};
}

std::string hint(std::string_view text, const Place& p) {
  if (const Token tunnel = before_lone_number(text, p); is<Kind::S_TUNNEL>(tunnel)) return one_tunnel_of_several(tunnel.text);
  if (is<Kind::S_STRAY>(p.token) && p.token.text == "," && is<Kind::S_TUNNEL>(p.before)) return one_tunnel_of_several(p.before.text);
  if (is<Kind::S_STRAY>(p.token) && p.token.text == "," && is_compare(p.before))
    return "a comparison has one value; two are joined with 'or', as in 'len = 60 or len = 61'";
  if (is<Kind::S_STRAY>(p.token) && !(p.in_brackets && p.token.text == ",")) return hint_about_character(p.token.text);
  const char* row = hint_row(p);
  if (!row) return {};
  return fmt::format(fmt::runtime(row), fmt::arg("word", quotable(p.token.text)), fmt::arg("prev", quotable(p.prev.text)),
                     fmt::arg("before", quotable(p.before.text)), fmt::arg("next", quotable(p.next.text)), fmt::arg("after", quotable(p.after.text)),
                     fmt::arg("lower", lower_case(p.token.text)), fmt::arg("network", network_before_wildcard(p.prev)));
}

}  // namespace

Diagnostic explain(std::string_view text, Span at) {
  const Place p = find_place(text, at);
  if (auto d = foreign(text, p)) return *std::move(d);
  if (auto d = misspelt(text, p)) return *std::move(d);
  if (is_end(p.token) && closing_helps(text, p.open))
    return {Code::Syntax, p.paren.span, "syntax error: this '(' is never closed", "a ')' is missing"};
  if (is_compare(p.token) && is<Kind::S_OPEN>(p.paren) && closing_here_helps(text, at))
    return {Code::Syntax, p.paren.span, "syntax error: this '(' is never closed", fmt::format("a ')' is missing before '{}'", p.token.text)};
  if (is_end(p.token))  // nothing to point at there: the last word it is
    return {Code::Syntax, p.prev.span, "syntax error: unexpected end of the expression", hint(text, p)};
  return {Code::Syntax, at, fmt::format("syntax error: unexpected {}", described(p.token.text)), hint(text, p)};
}

std::string did_you_mean_at(std::string_view text, Span at) {
  const std::string_view here = foreign_word(text.substr(at.begin, at.end - at.begin));
  const bool fits = !here.empty() && attempt(fmt::format("{}{}{}", text.substr(0, at.begin), here, text.substr(at.end)), {}).has_value();
  return fits ? fmt::format("here that is '{}'", here) : did_you_mean(meant_at(text, at, whole));
}

}  // namespace weir::grammar
