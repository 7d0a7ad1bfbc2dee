// What `prove` and `compile --check` have in common.
#pragma once
#include <optional>
#include <string>

#include "cli/command_line.hpp"
#include "prove/prove.hpp"
#include "weir/stages.hpp"

namespace weir::cli {

/// Both machines; only the kernel's for filters that may ask what libpcap's does not know.
prove::Question question_for(const Options& options, double seconds);

inline constexpr const char* more_time_hint = "--timeout SECONDS gives it longer";

const char* machine_name(vm::Machine machine);

/// What runs of a filter: its program, or the graph where that does not fit. Of use as long as the filter is there.
prove::Program compiled(const Filter& filter);

struct Checked {
  double seconds = 0;
  std::string undecided = {};  ///< why nothing is proven of what `weir attach` loads, where that is another program than the one printed
  bool more_time = false;      ///< may decide that
};

/// What check_compilation proves, for messages.
std::string claim_of(const CompileCommand& command);

/// Proves that what the command prints refines what the filter says; of C and machine code, the graph that they are written from.
/// The error is one for the user: why it could not. With a hook: of the eBPF program for that, and of what `weir attach` loads.
Result<Checked> check_compilation(const Filter& filter, const CompileCommand& command);

}  // namespace weir::cli
