// The program `weir`: one subcommand, one file, see commands.hpp.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <new>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/descriptors.hpp"
#include "cli/text_output.hpp"

namespace {

using namespace weir::cli;

Status run_program(std::vector<std::string> arguments) {
  const auto command = parse_command_line(std::move(arguments));
  if (command) return std::visit([](const auto& chosen) { return run(chosen); }, *command);
  if (!command.error().wrong_use) return write_text("-", command.error().text);
  print_error(command.error().text);
  return Wrong;
}

}  // namespace

int main(int argc, char** argv) try {
  if (!occupy_standard_descriptors()) return CouldNot;
  std::signal(SIGPIPE, SIG_DFL);  // `weir … | head` ends quietly, whoever started us
  return run_program({argv + 1, argv + argc});
} catch (const std::bad_alloc&) {
  print_error("out of memory");
  return CouldNot;
}
