#pragma once
#include <string>
#include <utility>

#include "base/span.hpp"

namespace weir {

/// What kind of thing went wrong; rows in diagnostic.def.
enum class Code : unsigned char {
#define WEIR_CODE(code, meaning) code,
#include "base/diagnostic.def"
#undef WEIR_CODE
};

/// One error or warning about a filter: what, where in its text, and what to do.
struct Diagnostic {
  Code code = Code::Syntax;
  Span span;            ///< the words at fault; empty where no words are
  std::string message;  ///< one sentence, lower case, no full stop
  std::string hint;     ///< what to do instead; may be empty

  bool operator==(const Diagnostic&) const = default;
};

}  // namespace weir
