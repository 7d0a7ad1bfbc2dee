#include "grammar/keywords.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>

#include "grammar/parse.hpp"

namespace weir::grammar {
namespace {

using Token = Parser::token;

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

constexpr std::size_t longest = std::ranges::max_element(table, {}, [](const Keyword& k) { return k.word.size(); })->word.size();

constexpr std::size_t hash(std::string_view word) {
  std::uint32_t h = 0x811c9dc5;  // FNV-1a
  for (const char c : word) h = (h ^ static_cast<unsigned char>(c)) * 0x01000193;
  return h ^ h >> 15;
}

/// Rows of `table` by hash, each in the first free slot from its own on; beyond the table: a free one.
constexpr auto slots = [] {
  std::array<std::uint8_t, 1024> rows{};
  static_assert(table.size() < 0xff && 2 * table.size() < rows.size());
  rows.fill(0xff);
  for (std::size_t i = 0; i < table.size(); ++i) {
    std::size_t at = hash(table[i].word) % rows.size();
    while (rows[at] != 0xff) at = (at + 1) % rows.size();
    rows[at] = static_cast<std::uint8_t>(i);
  }
  return rows;
}();

}  // namespace

const Keyword* find_keyword(std::string_view word) {
  if (word.size() > longest) return nullptr;
  for (std::size_t at = hash(word) % slots.size(); slots[at] < table.size(); at = (at + 1) % slots.size())
    if (table[slots[at]].word == word) return &table[slots[at]];
  return nullptr;
}

void set(Semantic& value, const Keyword& k) {
  switch (k.token) {
    case Token::NUM: value.number = k.value; break;
    case Token::PROTOCOL: value.protocol = static_cast<ast::Protocol>(k.value); break;
    case Token::DIRECTION: value.direction = static_cast<ast::Direction>(k.value); break;
    case Token::KIND:
    case Token::LONE_KIND: value.type = static_cast<ast::Type>(k.value); break;
    case Token::WAY: value.flag = k.value != 0; break;
    case Token::TUNNEL: value.tunnel = static_cast<ast::TunnelKind>(k.value); break;
    case Token::PF_WORD: value.pf = static_cast<ast::PfField>(k.value); break;
    case Token::ATM: value.atm = static_cast<ast::AtmKind>(k.value); break;
    case Token::MTP2: value.mtp2 = static_cast<ast::Mtp2Kind>(k.value); break;
    case Token::FIELD: value.field = static_cast<ast::Field>(k.value); break;
    default: break;  // the word says it all
  }
}

std::vector<std::string_view> keywords() {
  std::vector<std::string_view> words;
  for (const Keyword& k : table) words.push_back(k.word);
  return words;
}

}  // namespace weir::grammar
