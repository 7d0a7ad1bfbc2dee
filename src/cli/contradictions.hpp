// What options say together: whether they go together, and what follows from several of them. Nothing: all is well.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "cli/command_line.hpp"
#include "cli/hook_options.hpp"

namespace weir::cli {

/// Whether a command was given an option, by the option's name.
using Given = std::function<bool(const char* option)>;

std::optional<std::string> contradiction(const Expression& e);
std::optional<std::string> contradiction(const FilterCommand& c);
std::optional<std::string> contradiction(const Given& given, const CompileCommand& c);
std::optional<std::string> contradiction(const Given& given, const ProveCommand& c);
std::optional<std::string> contradiction(const Given& given, const RunCommand& c);

/// Takes in what the options about eBPF say together.
std::optional<std::string> complete(const Given& given, const HookWords& words, CompileCommand& c);
/// What --hook and its actions say.
std::optional<std::string> complete(const Given& given, HookWords words, AttachCommand& c);

}  // namespace weir::cli
