// Characters that no expression has: what to call them, and what was meant.
#pragma once
#include <string>
#include <string_view>

namespace weir::grammar {

/// A word within quotes; a character outside of ASCII by its number, too: `'–' (U+2013)`.
std::string described(std::string_view word);

/// What to write instead; empty when there is nothing special about the character.
std::string hint_about_character(std::string_view character);

}  // namespace weir::grammar
