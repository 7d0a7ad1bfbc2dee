// A function a subcommand, each in a file of its name.
#pragma once
#include "cli/command_line.hpp"
#include "cli/report.hpp"

namespace weir::cli {

Status run(const CompileCommand& command);
Status run(const FilterCommand& command);
Status run(const CaptureCommand& command);
Status run(const AttachCommand& command);
Status run(const ProveCommand& command);
Status run(const RunCommand& command);
Status run(const ListCommand& command);

}  // namespace weir::cli
