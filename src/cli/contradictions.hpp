// What options say together: whether they go together, and what follows from several of them. Nothing: all is well.
#pragma once
#include <optional>
#include <string>

#include "cli/command_line.hpp"
#include "cli/hook_options.hpp"

namespace CLI {
class App;
}

namespace weir::cli {

std::optional<std::string> contradiction(const Expression& e);
std::optional<std::string> contradiction(const FilterCommand& c);
std::optional<std::string> contradiction(const CLI::App& command, const CompileCommand& c);
std::optional<std::string> contradiction(const CLI::App& command, const ProveCommand& c);
std::optional<std::string> contradiction(const CLI::App& command, const RunCommand& c);

/// Takes in what the options about eBPF say together.
std::optional<std::string> complete(const CLI::App& command, const HookWords& words, CompileCommand& c);
/// What --hook and its actions say.
std::optional<std::string> complete(const CLI::App& command, HookWords words, AttachCommand& c);

}  // namespace weir::cli
