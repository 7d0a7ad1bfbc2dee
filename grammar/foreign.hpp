// Words of other tools, above all Wireshark's display filters, and what they are called here.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/diagnostic.hpp"
#include "grammar/place.hpp"

namespace weir::grammar {

/// When the word at fault, or the one before it, is such a word: with what to write instead.
std::optional<Diagnostic> foreign(std::string_view text, const Place& p);

/// What a single word of another tool is here; empty when it is none.
std::string_view foreign_word(std::string_view word);

}  // namespace weir::grammar
