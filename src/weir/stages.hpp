// What a compiled filter keeps: the result of every stage, so that each can be shown.
#pragma once
#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ast/expr.hpp"
#include "cbpf/program.hpp"
#include "ebpf/program.hpp"
#include "ir/program.hpp"
#include "lift/lift.hpp"
#include "native/batch.hpp"
#include "native/code.hpp"
#include "pred/filter.hpp"
#include "weir/graph.hpp"
#include "weir/weir.hpp"

namespace weir {

struct Filter::Stages {
  std::string text;
  ast::Expr ast;
  pred::Filter pred;
  Graph ir;                          ///< optimized, unless that was not wanted
  Result<cbpf::Program> cbpf;        ///< of that, or of a shorter graph where only that fits; an error when none does: all else works
  std::vector<Instruction> bytecode;
  std::vector<Diagnostic> warnings;
  Limits limits;                     ///< that it was compiled with

  /// What the filter was before compile_program: then there is no ast and no pred, and `text` shows the instructions.
  struct Source {
    cbpf::Program program;
    lift::Machine machine;           ///< on which it means what the graph means
  };
  std::optional<Source> source = {};

  bool may_run_native = true;        ///< Options::native
  /// Made at the first match: most filters are compiled to be shown, or for the kernel.
  const Result<native::Code>& native() const;
  Result<std::string> native_listing(Cpu cpu) const;
  /// The graph after a pass of the optimizer, as graph_after.
  Result<ir::Program> after(std::string_view pass) const;
  Result<ebpf::Program> ebpf(const ProgramOptions& options) const;
  /// What Filter::attach tries first at that hook, counters aside: long fixed lists are tables.
  Result<ebpf::Program> attached(const ProgramOptions& options) const;
  mutable std::once_flag native_once = {};
  mutable std::optional<Result<native::Code>> native_code = std::nullopt;
  mutable std::atomic<bool> has_no_native = false;  ///< as was found when the function, or a loop, was asked for
  /// Made at the first batch of such records. Null: each packet takes a call.
  template <typename Record>
  struct Loop {
    mutable std::once_flag once = {};
    mutable std::optional<native::BatchCode<Record>> code = std::nullopt;
  };
  template <typename Record>
  native::BatchFunction<Record> native_batch(const Loop<Record>& loop) const;
  Loop<Packet> packets = {};
  Loop<PacketView> views = {};
};

/// As the public header has instructions; none of a program that does not fit.
std::vector<Instruction> bytecode_of(const Result<cbpf::Program>& program);

}  // namespace weir
