#include "grammar/spelling.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/spelling.hpp"
#include "grammar/attempt.hpp"
#include "grammar/hints.hpp"
#include "grammar/keywords.hpp"
#include "grammar/refusal.hpp"

namespace weir::grammar {
namespace {

constexpr std::size_t longest_keyword = 40;
/// Longer texts are not parsed again and again for a hint.
constexpr std::size_t longest_trial = 1 << 16;

/// How many letters may be wrong. In a word of two or three letters any other letter makes another word: there only
/// letters in the wrong order, or one too many, count as slips.
std::size_t allowance(std::string_view word, std::string_view keyword) {
  if (word.size() < 4 && word.size() < keyword.size()) return 0;
  if (word.size() < 4 && word.size() == keyword.size()) return std::ranges::is_permutation(word, keyword) ? 1 : 0;
  return word.size() < 7 ? 1 : 2;
}

std::string replaced(std::string_view text, Span at, std::string_view by) {
  return fmt::format("{}{}{}", text.substr(0, at.begin), by, text.substr(at.end));
}

/// Whether the parser comes further than it did, with the word replaced.
bool gets_beyond(std::string_view text, Span at, std::string_view word, std::uint32_t beyond) {
  const auto result = attempt(replaced(text, at, word), {});
  if (result) return true;
  return result.error().message.empty() && result.error().span.begin + (at.end - at.begin) >= beyond + word.size();
}

std::optional<Diagnostic> misspelt(std::string_view text, const Token& word, std::uint32_t beyond) {
  if (!is<Kind::S_NAME>(word) || word.text.starts_with('\\')) return std::nullopt;
  const auto meant = meant_at(text, word.span, beyond);
  if (meant.empty()) return std::nullopt;
  return Diagnostic{Code::Syntax, word.span, fmt::format("syntax error: '{}' is no keyword", quotable(word.text)), did_you_mean(meant)};
}

}  // namespace

std::vector<std::string_view> near_keywords(std::string_view word) {
  std::vector<std::pair<std::size_t, std::string_view>> near;
  if (word.size() > longest_keyword) return {};
  for (const std::string_view k : keywords()) {
    const std::size_t d = distance(word, k);
    if (d > 0 && d <= allowance(word, k)) near.emplace_back(d, k);
  }
  std::ranges::sort(near);
  std::vector<std::string_view> words;
  for (const auto& [d, k] : near)
    if (d == near.front().first || words.size() < 3) words.push_back(k);
  return words;
}

std::vector<std::string_view> meant_at(std::string_view text, Span at, std::uint32_t beyond) {
  if (text.size() > longest_trial) return {};
  std::vector<std::string_view> words = near_keywords(text.substr(at.begin, at.end - at.begin));
  std::erase_if(words, [&](std::string_view word) { return !gets_beyond(text, at, word, beyond); });
  if (words.size() > 3) words.resize(3);
  return words;
}

std::string did_you_mean(const std::vector<std::string_view>& words) {
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i)
    list += fmt::format("{}'{}'", i == 0 ? "" : i + 1 < words.size() ? ", " : " or ", words[i]);
  return words.empty() ? std::string() : fmt::format("did you mean {}?", list);
}

std::optional<Diagnostic> misspelt(std::string_view text, const Place& p) {
  if (auto here = misspelt(text, p.token, p.token.span.end)) return here;
  return misspelt(text, p.prev, is_end(p.token) ? p.token.span.begin : p.token.span.end);
}

}  // namespace weir::grammar
