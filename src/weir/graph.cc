#include "weir/graph.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "lower/lower.hpp"
#include "optimize/optimize.hpp"
#include "pred/gather.hpp"
#include "weir/traffic.hpp"

namespace weir {

namespace {

bool is_chain(const pred::Expr& e) { return e.kind == pred::ExprKind::And || e.kind == pred::ExprKind::Or; }

/// How many operands of a chain are chains themselves.
std::size_t composed(const pred::Filter& f, const pred::Expr& chain) {
  std::size_t n = 0;
  for (std::uint32_t i = 0; i < chain.b; ++i) n += is_chain(f[f.child(chain, i)]);
  return n;
}

}  // namespace

bool is_gathered(const pred::Filter& meaning) {
  constexpr std::size_t many = 100, some = 35, alternatives = 6;
  if (meaning.expr_count() <= some) return false;
  if (meaning.expr_count() > many) return true;
  for (std::uint32_t i = 0; i < meaning.expr_count(); ++i)
    if (const pred::Expr& e = meaning[pred::ExprId{i}];
        is_chain(e) && e.b >= alternatives && composed(meaning, e) >= alternatives)
      return true;
  return false;
}

Result<ir::Program> first_graph(const pred::Filter& meaning, bool optimize, const Limits& limits) {
  if (!optimize) return lower::lower(meaning, limits);
  if (is_gathered(meaning)) return lower::lower(pred::gather(meaning), limits, lower::Guards::Doubtful);
  return lower::lower(meaning, limits, lower::Guards::Doubtful);
}

const ir::Program& Graph::operator*() const {
  if (guards_ == Guards::Placed) return program_;
  std::call_once(placed_, [&] {
    optimize::place_guards(program_);
    program_.trim();
  });
  return program_;
}

Result<ir::Program> graph_after(std::string_view pass, Result<ir::Program> graph) {
  const auto passes = optimize::passes();
  const auto last = std::ranges::find(passes, pass, &optimize::Pass::name);
  if (last == passes.end()) return fail(Code::Range, {}, fmt::format("the optimizer has no pass '{}'", pass));
  if (graph && last->reorders) *graph = optimize::optimize(std::move(*graph));
  for (auto each = passes.begin(); graph && each <= last; ++each)
    if (each->reorders == last->reorders) each->apply(*graph, usual_traffic);
  if (graph) optimize::place_guards(*graph);
  return graph;
}

}  // namespace weir
