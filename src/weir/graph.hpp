// From meaning to graph, as the pipeline takes it and, for weir's own tools, with a stop behind a pass. Tested by
// tests/unit/weir/weir_test.cc and tests/cli/compile_test.py.
#pragma once
#include <mutex>
#include <string_view>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "ir/program.hpp"
#include "pred/filter.hpp"

namespace weir {

/// Whether the pipeline gathers a filter (pred/gather.hpp) before it becomes a graph: long ones, and those of some length that
/// are a list. The optimizer finds the sets of short ones by itself, and keeps the order in which they are written.
bool is_gathered(const pred::Filter& meaning);

/// The graph that the optimizer gets, or that is emitted without it. TooLarge as lower::lower.
Result<ir::Program> first_graph(const pred::Filter& meaning, bool optimize, const Limits& limits);

/// What a filter keeps of its graph. Guards are placed when somebody first asks for it: classic BPF, for which most filters are
/// compiled, needs none. Const use is thread safe.
class Graph {
 public:
  enum class Guards : std::uint8_t { Placed, Missing };
  Graph(ir::Program program, Guards guards) : program_(std::move(program)), guards_(guards) {}

  const ir::Program& operator*() const;
  operator const ir::Program&() const { return **this; }

 private:
  mutable ir::Program program_;
  Guards guards_;  ///< of the program as it was given
  mutable std::once_flag placed_;
};

/// `graph`, the first one, right after a pass of optimize::passes() ran the first time; one that reorders runs when the others find
/// nothing more. An error (Range) when there is no such pass.
Result<ir::Program> graph_after(std::string_view pass, Result<ir::Program> graph);

}  // namespace weir
