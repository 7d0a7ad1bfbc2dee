// How the parts of this room give up. It is thrown by lexer, builder and parser, and caught in parse.cc:
// no other room ever sees it.
#pragma once
#include <string>
#include <string_view>
#include <utility>

#include "base/diagnostic.hpp"

namespace weir::grammar {

struct Refusal {
  Diagnostic diagnostic;
};

[[noreturn]] inline void refuse(Code code, Span span, std::string message, std::string hint = {}) {
  throw Refusal{{code, span, std::move(message), std::move(hint)}};
}

/// Words of the text for a message: not too many, and no byte in them that a terminal would act on.
std::string quotable(std::string_view text);

}  // namespace weir::grammar
