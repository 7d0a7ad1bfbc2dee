// The table of hints: what people write, and what to write instead.
#pragma once
#include <string>
#include <string_view>

#include "grammar/place.hpp"

namespace weir::grammar {

/// What to say about the word that cannot stand there; null when nothing comes to mind. In it {word}, {prev}, {before}, {next},
/// {after} are the texts of the tokens, {lower} is the word in lower case, and {network} is prev, the beginning of an address, as a
/// network.
const char* hint_row(const Place& p);

std::string lower_case(std::string_view text);
/// Octets before a wildcard: `10.`, `10.0.0.`; 0 for what is none.
int octets_before_wildcard(Token t);

}  // namespace weir::grammar
