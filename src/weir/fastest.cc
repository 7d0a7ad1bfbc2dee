#include "weir/fastest.hpp"

#include "cbpf/emit.hpp"
#include "optimize/optimize.hpp"

namespace weir {

Result<cbpf::Program> emit_fastest(ir::Program& graph, const optimize::Profile& profile, const Limits& limits) {
  auto best = cbpf::emit(graph, limits);
  for (const optimize::Pass& pass : optimize::passes()) {
    if (!best || !pass.reorders) continue;
    ir::Program other = graph;
    if (!pass.apply(other, profile)) continue;
    auto program = cbpf::emit(other, limits);
    if (!program || program->instructions.size() > best->instructions.size()) continue;
    graph = std::move(other);
    best = std::move(program);
  }
  optimize::place_guards(graph);
  return best;
}

}  // namespace weir
