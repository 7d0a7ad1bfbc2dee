// eBPF programs into the kernel, with their maps.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "attach/descriptor.hpp"
#include "attach/map.hpp"
#include "base/result.hpp"
#include "ebpf/program.hpp"

namespace weir::attach {

struct LoadOptions {
  std::string name = "weir";    ///< as bpftool shows it; at most 15 letters, digits and _
  std::string_view text = {};   ///< the filter, for the words at which the kernel's verifier minds something
  std::uint32_t room = 0;       ///< how many keys more each set can take while the program runs
  std::string tracepoint = {};  ///< of Hook::TracingBtf, which is checked against its arguments
};

/// A program that the kernel has checked and translated, and its maps. It runs nowhere yet. The kernel keeps it as long as this
/// lives, or something runs it. Tested by tests/kernel/load_test.cc.
class Loaded {
 public:
  /// Errors: Input (it refers to a map that it does not have), System (no permission: which capability is missing), TooLarge (a
  /// map does not fit, or the program is more than the kernel's verifier takes), Unsupported (the kernel is too old for the hook,
  /// or its verifier refuses the program, which is a mistake of weir: the message has the place and the verifier's words).
  static Result<Loaded> load(const ebpf::Program& program, const LoadOptions& options);

  int descriptor() const { return program_.get(); }
  ebpf::Hook hook() const { return hook_; }
  unsigned id() const;  ///< the kernel's number of it; 0 when it does not say
  std::vector<Map>& maps() { return maps_; }
  const std::vector<Map>& maps() const { return maps_; }

 private:
  Loaded(ebpf::Hook hook, Descriptor program, std::vector<Map> maps)
      : hook_(hook), program_(std::move(program)), maps_(std::move(maps)) {}

  ebpf::Hook hook_;
  Descriptor program_;
  std::vector<Map> maps_;
};

/// What went wrong, from the end of the verifier's log: its last words, and which instruction they are about.
struct Refusal {
  std::size_t instruction = 0;
  std::string words;
  bool is_too_much() const;  ///< not that something is wrong: the program reaches a limit of the verifier's
};
Refusal last_refusal(std::string_view log);

/// What an error and the verifier's log of the attempt mean: that the kernel is older than something that the program has, that
/// the program is more than the verifier takes, or that it is wrong. Tested by tests/unit/attach/refusal_test.cc.
Diagnostic refused_program(int error, std::string_view log, const ebpf::Program& program, std::string_view text);

}  // namespace weir::attach
