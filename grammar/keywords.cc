#include "grammar/keywords.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>

namespace weir::grammar {
namespace {

using Token = Parser::token;

struct Keyword {
  std::string_view word;
  Parser::token_kind_type token = Token::NAME;
  std::uint32_t value = 0;
};

/// Calls `add` for every row of the tables.
template <class Add>
constexpr void for_each_keyword(Add add) {
#define WEIR_KEYWORD(word, token, value) add(Keyword{word, Token::token, static_cast<std::uint32_t>(value)});
#include "grammar/keywords.def"
#undef WEIR_KEYWORD
#define WEIR_PROTOCOL(name, ...)                                           \
  for (const std::string_view word : {__VA_ARGS__})                        \
    add(Keyword{word, Token::PROTOCOL, static_cast<std::uint32_t>(ast::Protocol::name)});
#include "ast/protocols.def"
#undef WEIR_PROTOCOL
}

constexpr std::size_t count() {
  std::size_t n = 0;
  for_each_keyword([&n](const Keyword&) { ++n; });
  return n;
}

constexpr std::array<Keyword, count()> sorted() {
  std::array<Keyword, count()> table;
  std::size_t n = 0;
  for_each_keyword([&](const Keyword& k) { table[n++] = k; });
  std::ranges::sort(table, {}, &Keyword::word);
  return table;
}

constexpr auto table = sorted();
static_assert(std::ranges::adjacent_find(table, {}, &Keyword::word) == table.end(),
              "a word stands twice in the tables");

Parser::symbol_type symbol(const Keyword& k, Span at) {
  switch (k.token) {
    case Token::NUM: return Parser::make_NUM(k.value, at);
    case Token::PROTOCOL: return Parser::make_PROTOCOL(static_cast<ast::Protocol>(k.value), at);
    case Token::DIRECTION: return Parser::make_DIRECTION(static_cast<ast::Direction>(k.value), at);
    case Token::KIND: return Parser::make_KIND(static_cast<ast::Type>(k.value), at);
    case Token::LONE_KIND: return Parser::make_LONE_KIND(static_cast<ast::Type>(k.value), at);
    case Token::WAY: return Parser::make_WAY(k.value != 0, at);
    case Token::TUNNEL: return Parser::make_TUNNEL(static_cast<ast::TunnelKind>(k.value), at);
    case Token::PF_WORD: return Parser::make_PF_WORD(static_cast<ast::PfField>(k.value), at);
    case Token::ATM: return Parser::make_ATM(static_cast<ast::AtmKind>(k.value), at);
    case Token::MTP2: return Parser::make_MTP2(static_cast<ast::Mtp2Kind>(k.value), at);
    case Token::FIELD: return Parser::make_FIELD(static_cast<ast::Field>(k.value), at);
    default: return Parser::symbol_type(k.token, at);  // the word says it all
  }
}

}  // namespace

std::optional<Parser::symbol_type> keyword(std::string_view word, Span at) {
  const auto found = std::ranges::lower_bound(table, word, {}, &Keyword::word);
  if (found == table.end() || found->word != word) return std::nullopt;
  return symbol(*found, at);
}

std::vector<std::string_view> keywords() {
  std::vector<std::string_view> words;
  for (const Keyword& k : table) words.push_back(k.word);
  return words;
}

}  // namespace weir::grammar
