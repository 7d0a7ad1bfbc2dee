#include "weir/fastest.hpp"

#include "cbpf/emit.hpp"
#include "optimize/optimize.hpp"

namespace weir {

namespace {

/// Takes another graph where its program is no longer than the best so far, or is the first one that fits.
bool take(ir::Program& other, ir::Program& graph, Result<cbpf::Program>& best, const Limits& limits) {
  auto program = cbpf::emit(other, limits);
  if (!program || (best && program->instructions.size() > best->instructions.size())) return false;
  graph = std::move(other);
  best = std::move(program);
  return true;
}

/// All passes behind each other, which mostly pays: then one program more is enough. Says how many found something.
std::size_t reorder(ir::Program& graph, const optimize::Profile& profile) {
  std::size_t found = 0;
  for (const optimize::Pass& pass : optimize::passes())
    if (pass.reorders) found += pass.apply(graph, profile);
  return found;
}

}  // namespace

Result<cbpf::Program> emit_fastest(ir::Program& graph, const optimize::Profile& profile, const Limits& limits) {
  auto best = cbpf::emit(graph, limits);
  ir::Program all = ir::Program::beside(graph);
  const std::size_t found = reorder(all, profile);
  if (found != 0 && !take(all, graph, best, limits) && found > 1 && best) {
    for (const optimize::Pass& pass : optimize::passes()) {
      ir::Program other = ir::Program::beside(graph);
      if (pass.reorders && pass.apply(other, profile)) take(other, graph, best, limits);
    }
  }
  return best;
}

}  // namespace weir
