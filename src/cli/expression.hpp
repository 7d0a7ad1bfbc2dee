// The text of a filter, from wherever the user said.
#pragma once
#include "cli/command_line.hpp"
#include "cli/report.hpp"

namespace weir::cli {

/// Words joined with spaces, or the whole file. A file that is too large to be meant is an error.
Result<FilterText> text_of(const Expression& expression);

}  // namespace weir::cli
