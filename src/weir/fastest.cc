#include "weir/fastest.hpp"

#include <algorithm>
#include <optional>

#include "cbpf/emit.hpp"
#include "optimize/optimize.hpp"
#include "weir/traffic.hpp"

namespace weir {

namespace {

/// Takes another graph where its program is no longer than the best so far, or is the first one that fits.
bool take(ir::Program& other, Result<cbpf::Program> program, ir::Program& graph, Result<cbpf::Program>& best) {
  if (!program || (best && program->instructions.size() > best->instructions.size())) return false;
  graph = std::move(other);
  best = std::move(program);
  return true;
}

bool take(ir::Program& other, ir::Program& graph, Result<cbpf::Program>& best, const Limits& limits) {
  return take(other, cbpf::emit(other, limits), graph, best);
}

/// Places are shared but where a port is asked for that many packets have, and what is found would execute more.
cbpf::Places places(const ir::Program& graph) {
  for (std::uint32_t i = 0; i < graph.set_count(); ++i)
    if (std::ranges::any_of(likely_ports, [&](std::uint32_t port) { return graph.set(i).contains(port); }))
      return cbpf::Places::SharedIfAlike;
  return cbpf::Places::Shared;
}

/// A graph with all passes behind each other, which mostly pays: then one program more is enough.
struct Reordered {
  ir::Program graph;
  std::size_t found = 0;                  ///< how many passes found something
  const optimize::Pass* first = nullptr;  ///< the first and the last of those
  const optimize::Pass* last = nullptr;
  std::optional<ir::Program> after_first = {};
};

Reordered reordered(const ir::Program& graph, const optimize::Profile& profile) {
  Reordered r{ir::Program::beside(graph)};
  for (const optimize::Pass& pass : optimize::passes()) {
    if (!pass.reorders || !pass.apply(r.graph, profile)) continue;
    r.last = &pass;
    if (++r.found != 1) continue;
    r.first = &pass;
    r.after_first = ir::Program::beside(r.graph);
  }
  return r;
}

}  // namespace

Result<cbpf::Program> emit_fastest(ir::Program& graph, const optimize::Profile& profile, const Limits& limits) {
  Reordered all = reordered(graph, profile);
  if (all.found == 0) return cbpf::emit(graph, limits, places(graph));
  auto program = cbpf::emit(all.graph, limits, places(all.graph));
  if (program && program->instructions.size() <= cbpf::least_length(graph)) {  // mostly: then the other is not needed
    graph = std::move(all.graph);
    return program;
  }
  auto best = cbpf::emit(graph, limits);
  if (take(all.graph, std::move(program), graph, best) || all.found == 1 || !best) return best;
  const bool is_first_taken = take(*all.after_first, graph, best, limits);
  for (const optimize::Pass& pass : optimize::passes()) {
    if (!pass.reorders || &pass <= all.first) continue;
    if (is_first_taken && all.found == 2 && &pass == all.last) continue;  // those two together were not taken
    ir::Program other = ir::Program::beside(graph);
    if (pass.apply(other, profile)) take(other, graph, best, limits);
  }
  return best;
}

}  // namespace weir
