// What the user asked for.
#pragma once
#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "weir/run.hpp"
#include "weir/attach.hpp"
#include "weir/weir.hpp"

namespace weir::cli {

/// Where the text of a filter comes from.
struct Expression {
  std::vector<std::string> words;   ///< of the command line; empty text accepts every packet
  std::optional<std::string> file;  ///< instead of words; "-" is standard input
};

struct CompileCommand {
  Expression expression;
  std::optional<std::string> from;  ///< instead of an expression: file with a program; "-" is standard input
  Options options;
  bool check = false;
  double seconds = 60;  ///< that the check may take
  Emit emit = Emit::Listing;
  Cpu cpu = Cpu::Host;  ///< of Emit::Native
  std::optional<ProgramOptions> hook;  ///< an eBPF program is wanted, for there
  std::string pass;     ///< of the optimizer, to show the graph after it instead; empty: none
  std::string output = "-";
};

struct FilterCommand {
  Expression expression;
  Options options;                       ///< link type, snaplen and byte order come from the file
  std::optional<std::string> link_type;  ///< what the file is expected to have
  std::vector<std::string> inputs;       ///< with those of the list, at least one; "-" is standard input
  std::optional<std::string> list;       ///< file with names of further inputs; "-" is standard input
  std::optional<std::string> output;
  bool count = false;
  bool invert = false;                   ///< keep what does not match
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

struct AttachCommand {
  Expression expression;
  Options options;       ///< link type and netmask come from the place
  std::string where;     ///< interface, control group or tracepoint
  AttachOptions attach;
};

struct ProveCommand {
  std::vector<std::string> files;       ///< filters from files, before those that are written out; "-" is standard input
  std::vector<std::string> filters;     ///< with those, one or two
  std::optional<std::string> bytecode;  ///< file to compare the one with; "-" is standard input
  Options options;
  enum class Agreement : std::uint8_t { Whole, Exact, Refines };
  Agreement agreement = Agreement::Whole;
  enum class Machines : std::uint8_t { Both, Libpcap, Kernel };
  std::optional<Machines> machines;     ///< both, unless the filters ask what only the kernel knows
  double seconds = 60;
  std::optional<std::string> output;    ///< savefile for a packet that tells them apart
};

struct RunCommand {
  Expression expression;
  std::optional<std::string> ebpf, cbpf;  ///< instead of an expression: file with a program; "-" is standard input
  std::string program;                    ///< which one of an object; empty: the only one
  std::optional<Hook> hook;               ///< of eBPF; none: classic BPF of an expression, what an object says, or socket
  Options options;                        ///< of an expression; the link type of a savefile goes before
  RunOptions run;
  std::vector<std::string> packets;       ///< hexadecimal bytes, or savefiles
  Metadata metadata;
  bool trace = false;
};

struct ListCommand {
  enum class What : std::uint8_t { Nothing, LinkTypes, Interfaces, Keywords };
  What what = What::Nothing;
};

using Command = std::variant<CompileCommand, FilterCommand, CaptureCommand, AttachCommand, ProveCommand, RunCommand, ListCommand>;

/// Instead of a command: a text that was asked for (`--help`, `--version`), or what is wrong with the arguments.
struct NoCommand {
  bool wrong_use = false;
  std::string text;
};

/// `arguments` without the program's name.
std::expected<Command, NoCommand> parse_command_line(std::vector<std::string> arguments);

}  // namespace weir::cli
