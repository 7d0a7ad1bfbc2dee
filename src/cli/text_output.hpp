#pragma once
#include <string>
#include <string_view>

#include "cli/report.hpp"

namespace weir::cli {

/// Writes a text whole or not at all, "-" to standard output; a failure is reported.
Status write_text(const std::string& path, std::string_view text);
/// The same of bytes that are no text, and not to a terminal.
Status write_object(const std::string& path, std::string_view bytes);

}  // namespace weir::cli
