// The text of a filter, from wherever the user said.
#pragma once
#include <string>

#include "cli/command_line.hpp"

namespace weir::cli {

/// Words joined with spaces, or the whole file.
Result<std::string> text_of(const Expression& expression);

}  // namespace weir::cli
