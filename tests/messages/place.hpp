// Whether the words that a diagnostic points at are the ones at fault.
#pragma once
#include <string>

#include "base/span.hpp"

namespace weir::messages {

/// What speaks against the place; empty when nothing does. `message` is libpcap's.
std::string wrong_place(const std::string& filter, Span at, const std::string& message);

}  // namespace weir::messages
