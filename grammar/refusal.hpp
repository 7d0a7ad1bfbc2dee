// How the parts of this room give up. It is thrown by lexer, builder and parser, and caught in parse.cc:
// no other room ever sees it.
#pragma once
#include <string>
#include <string_view>
#include <utility>

#include "base/diagnostic.hpp"
#include "base/quotable.hpp"

namespace weir::grammar {

struct Refusal {
  Diagnostic diagnostic;
};

[[noreturn]] inline void refuse(Code code, Span span, std::string message, std::string hint = {}) {
  throw Refusal{{code, span, std::move(message), std::move(hint)}};
}


}  // namespace weir::grammar
