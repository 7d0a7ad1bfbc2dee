// What a message of libpcap tells: the words it quotes, the numbers and limits it gives, the things it names.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace weir::messages {

/// Texts between quotes, words with a digit or a capital letter in them: whatever a reader would miss.
std::vector<std::string> facts(const std::string& message);
/// Only what stands between quotes or is a number: what can be looked for in the filter.
std::vector<std::string> quoted(const std::string& message);
/// Whether `words` holds `fact`, not as part of a longer word or number.
bool tells(std::string_view words, std::string_view fact);

}  // namespace weir::messages
