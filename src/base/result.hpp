#pragma once
#include <expected>
#include <string>
#include <utility>

#include "base/diagnostic.hpp"

namespace weir {

/// A value, or the one diagnostic that says why there is none.
template <class T>
using Result = std::expected<T, Diagnostic>;

/// Shorthand for the error side of a Result.
inline std::unexpected<Diagnostic> fail(Code code, Span span, std::string message,
                                        std::string hint = {}) {
  return std::unexpected(Diagnostic{code, span, std::move(message), std::move(hint)});
}

}  // namespace weir
