// What to say about a token that cannot stand where it stands. Only guesses: nothing depends on them but messages.
#pragma once
#include <string>
#include <string_view>

#include "base/diagnostic.hpp"

namespace weir::grammar {

/// The diagnostic for the token at `at` (empty: the end of the text), with a hint where the mistake is a common one.
Diagnostic explain(std::string_view text, Span at);

/// For a name that turned out to be none: "did you mean 'udp'?" when the word there is nearly a keyword, and the
/// expression would be one with it; else empty.
std::string did_you_mean_at(std::string_view text, Span at);

}  // namespace weir::grammar
