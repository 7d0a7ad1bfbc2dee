// A graph as C for other people's data planes: one function in C99 that needs no library, with the words of the filter beside what
// they became. It returns the same as ir::evaluate at every captured length, and compiles without warnings.
//
// The text is flat, however deep the graph: a test leaves with `return` or jumps forward, and otherwise the next line goes on.
// Values that are used more than once, or get long, have a variable; it is assigned where it is first needed on a way, behind the
// guards of its loads. Sets are comparisons, a switch, or binary search in a table. Tested by tests/unit/c/ and tests/compiled/.
#pragma once
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "ir/program.hpp"

namespace weir::c {

/// `filter`: the text that spans point into. A program with metadata takes it as a fourth parameter. TooLarge when the text would be
/// longer than 64 MiB.
Result<std::string> emit(const ir::Program& p, std::string_view filter);

}  // namespace weir::c
