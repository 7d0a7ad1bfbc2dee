// When a filter makes us crash or hang, the line that runs it again must not be lost.
#pragma once
#include <string>

namespace weir::oracle {

/// From now on a fatal signal, a sanitizer's report, or `seconds` of processor time without a new call print `line` and ends the program.
void watch(const std::string& line, unsigned seconds = 20);

}  // namespace weir::oracle
