// A program at a tracepoint that is handed a socket buffer: it sees packets and changes nothing.
#pragma once
#include <string>

#include "attach/link.hpp"
#include "attach/load.hpp"

namespace weir::attach {

/// A program of Hook::TracingBtf is loaded for its tracepoint already. Errors: Name (no such tracepoint), System.
Result<Link> attach_tracing(const Loaded& program, const std::string& tracepoint);

}  // namespace weir::attach
