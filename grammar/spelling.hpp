// Misspelt keywords.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.hpp"
#include "grammar/place.hpp"

namespace weir::grammar {

/// Keywords so near to the word that they may have been meant, the common and nearest ones first.
std::vector<std::string_view> near_keywords(std::string_view word);

/// For meant_at: nothing but an expression without a fault will do.
inline constexpr std::uint32_t whole = 0xffffffff;

/// The keywords that, in place of the word at `at`, bring the parser past `beyond`, where it stopped.
std::vector<std::string_view> meant_at(std::string_view text, Span at, std::uint32_t beyond);

/// "did you mean 'port' or 'proto'?"; empty for no words.
std::string did_you_mean(const std::vector<std::string_view>& words);

/// When the word at fault, or the one before it, is a keyword but for its spelling.
std::optional<Diagnostic> misspelt(std::string_view text, const Place& p);

}  // namespace weir::grammar
