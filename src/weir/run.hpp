// Runs programs here, on packets one by one, to see what they do: those of filters, and of others.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "weir/weir.hpp"

namespace weir {

/// Where the packets of a run are.
struct RunOptions {
  /// eBPF: so many bytes are reachable by pointers, the rest through helpers alone. All, by default.
  std::optional<std::size_t> linear;
  /// eBPF: where the network header begins.
  std::uint32_t network_header = 14;
  /// Classic BPF: on which machine. Either: the kernel's.
  Options::Machine machine = Options::Machine::Either;
};

struct RunOutcome {
  std::uint64_t value = 0;                 ///< what was returned
  std::uint64_t steps = 0;                 ///< executed instructions
  std::optional<Diagnostic> stopped = {};  ///< why there is no value: names the instruction
  bool accepts = false;                    ///< a filter's program: whether the value says so; of others: whether it is not 0
};

/// A program that can be run. Cheap to move; keeps its maps from one run to the next. Not for several threads at once.
class Runnable {
 public:
  /// eBPF as bpftool prints it, as bytes (struct bpf_insn), as their hexadecimal digits, or an ELF object, of which `name`
  /// chooses a program. `hook` is where it would run; without one: what the object says, or a socket. Errors (Input) have their
  /// place in the text.
  static Result<Runnable> ebpf(std::string_view file, std::optional<Hook> hook = {}, std::string_view name = {});
  /// Classic BPF, as compile_program takes it.
  static Result<Runnable> cbpf(std::string_view text);
  /// The program of a filter: classic BPF, or eBPF for a hook. The expression is the one that was compiled.
  static Result<Runnable> of(const Filter& filter, std::optional<Hook> hook = {});

  Runnable(Runnable&&) noexcept;
  Runnable& operator=(Runnable&&) noexcept;
  ~Runnable();

  /// Why a kernel would not take the program; nothing when it would.
  std::optional<Diagnostic> check() const;

  /// `trace` receives a line for each executed instruction: its number, what it is, what it changed, and the words of the filter
  /// that it is for.
  RunOutcome run(const Packet& packet, const RunOptions& options = {}, const std::function<void(const std::string&)>& trace = {});

  struct Machine;

 private:
  explicit Runnable(std::unique_ptr<Machine> machine);
  std::unique_ptr<Machine> machine_;
};

}  // namespace weir
