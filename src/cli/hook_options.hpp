// The options that say where an eBPF program is to run, and what it returns there.
#pragma once
#include <optional>
#include <string>

#include "cli/command_line.hpp"

namespace weir::cli {

/// As given; empty where they are not.
struct HookWords {
  std::string hook, match, no_match, maps;
};

/// What they say, or one sentence that says what is wrong with them. The default is a socket.
std::expected<ProgramOptions, std::string> parse_hook(const HookWords& words);

}  // namespace weir::cli
