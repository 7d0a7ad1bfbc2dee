// What the user asked for.
#pragma once
#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "weir/weir.hpp"

namespace weir::cli {

/// Where the text of a filter comes from.
struct Expression {
  std::vector<std::string> words;   ///< of the command line; empty text accepts every packet
  std::optional<std::string> file;  ///< instead of words; "-" is standard input
};

struct CompileCommand {
  Expression expression;
  Options options;
  Emit emit = Emit::Listing;
  std::string output = "-";
};

struct FilterCommand {
  Expression expression;
  Options options;                       ///< link type, snaplen and byte order come from the file
  std::optional<std::string> link_type;  ///< what the file is expected to have
  std::string input;
  std::optional<std::string> output;
  bool count = false;
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();  ///< packets to keep at most
};

struct CaptureCommand {
  Expression expression;
  Options options;                       ///< link type comes from the interface, the netmask too unless it is given
  std::optional<std::string> link_type;  ///< what the interface is expected to have
  std::optional<std::string> interface;  ///< needed; without it there is a list of them to choose from
  std::optional<std::string> output;
  bool promiscuous = true;
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();  ///< packets to capture at most
};

struct ListCommand {
  enum class What : std::uint8_t { LinkTypes, Interfaces };
  What what = What::LinkTypes;
};

using Command = std::variant<CompileCommand, FilterCommand, CaptureCommand, ListCommand>;

/// Instead of a command: a text that was asked for (`--help`, `--version`), or what is wrong with the arguments.
struct NoCommand {
  bool wrong_use = false;
  std::string text;
};

/// `arguments` without the program's name.
std::expected<Command, NoCommand> parse_command_line(std::vector<std::string> arguments);

}  // namespace weir::cli
