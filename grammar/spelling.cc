#include "grammar/spelling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/spelling.hpp"
#include "grammar/attempt.hpp"
#include "grammar/hints.hpp"
#include "grammar/parse.hpp"
#include "grammar/refusal.hpp"

namespace weir::grammar {
namespace {

constexpr std::size_t longest_keyword = 40;
/// Longer texts are not parsed again and again for a hint.
constexpr std::size_t longest_trial = 1 << 16;

/// What nearly every expression is made of.
constexpr std::string_view common[] = {"and", "arp", "broadcast", "dst", "ether", "greater", "host", "icmp", "icmp6", "ip", "ip6", "len",
                                       "less", "multicast", "net", "not", "or", "port", "portrange", "proto", "src", "tcp", "tcpflags",
                                       "udp", "vlan"};

bool is_common(std::string_view keyword) { return std::ranges::find(common, keyword) != std::end(common); }

/// How many letters may be wrong. Most words of three letters are one letter away from some keyword: for those only the
/// common ones count.
std::size_t allowance(std::string_view word, std::string_view keyword) {
  if (word.size() < 2 || (word.size() < 4 && !is_common(keyword))) return 0;
  return word.size() < 7 ? 1 : 2;
}

std::string replaced(std::string_view text, Span at, std::string_view by) {
  return fmt::format("{}{}{}", text.substr(0, at.begin), by, text.substr(at.end));
}

/// Whether the parser comes further than it did, with the word replaced.
bool gets_beyond(std::string_view text, Span at, std::string_view word, std::uint32_t beyond) {
  const auto result = attempt(replaced(text, at, word), {});
  if (result || beyond == whole) return result.has_value();
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
  struct Near {
    bool uncommon;
    std::size_t distance;
    std::string_view keyword;
  };
  if (word.size() > longest_keyword) return {};
  std::vector<Near> near;
  for (const std::string_view k : keywords()) {
    const std::size_t d = distance(word, k);
    if (d > 0 && d <= allowance(word, k)) near.push_back({!is_common(k), d, k});
  }
  std::ranges::sort(near, {}, [](const Near& n) { return std::tuple(n.uncommon, n.distance, n.keyword); });
  std::vector<std::string_view> words;
  for (const Near& n : near) words.push_back(n.keyword);
  return words;
}

std::vector<std::string_view> meant_at(std::string_view text, Span at, std::uint32_t beyond) {
  if (text.size() > longest_trial) return {};
  std::vector<std::string_view> words = near_keywords(text.substr(at.begin, at.end - at.begin));
  std::erase_if(words, [&](std::string_view word) { return !gets_beyond(text, at, word, beyond); });
  if (!words.empty() && is_common(words.front())) std::erase_if(words, [](std::string_view word) { return !is_common(word); });
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
  const std::uint32_t beyond = is_end(p.token) ? p.token.span.begin : p.token.span.end;
  if (auto here = misspelt(text, p.token, beyond)) return here;
  if (auto before = misspelt(text, p.prev, beyond)) return before;
  return misspelt(text, p.group, beyond);  // it was taken for a name, and so only names may follow in its parentheses
}

}  // namespace weir::grammar
