#include "weir/fastest.hpp"

#include "cbpf/emit.hpp"
#include "optimize/optimize.hpp"

namespace weir {

Result<cbpf::Program> emit_fastest(ir::Program& graph, const optimize::Profile& profile, const Limits& limits) {
  auto best = cbpf::emit(graph, limits);
  if (!best) return best;
  for (const optimize::Pass& pass : optimize::passes()) {
    if (!pass.reorders) continue;
    ir::Program other = graph;
    if (!pass.run(other, profile)) continue;
    auto program = cbpf::emit(other, limits);
    if (!program || program->instructions.size() > best->instructions.size()) continue;
    graph = std::move(other);
    best = std::move(program);
  }
  return best;
}

}  // namespace weir
