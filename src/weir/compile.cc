// The whole pipeline, top to bottom.
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "cbpf/emit.hpp"
#include "grammar/hints.hpp"
#include "grammar/parse.hpp"
#include "names/names.hpp"
#include "optimize/optimize.hpp"
#include "resolve/resolve.hpp"
#include "weir/contradiction.hpp"
#include "weir/fastest.hpp"
#include "weir/graph.hpp"
#include "weir/stages.hpp"
#include "weir/traffic.hpp"
#include "wire/target.hpp"

namespace weir {
namespace {

Result<wire::Target> target_of(const Options& o) {
  const wire::LinkType* link = wire::find_link_type(o.link_type);
  if (!link) return fail(Code::LinkType, {}, fmt::format("unknown link type '{}'", o.link_type));
  if (o.snaplen == 0) return fail(Code::Range, {}, "a snapshot length of 0 would reject all packets");
  static_assert(static_cast<int>(Options::Savefile::None) == static_cast<int>(wire::Savefile::None) &&
                static_cast<int>(Options::Savefile::Native) == static_cast<int>(wire::Savefile::Native) &&
                static_cast<int>(Options::Savefile::Swapped) == static_cast<int>(wire::Savefile::Swapped));
  return wire::Target{link, o.snaplen, o.netmask, o.linux_ext || o.cooked, static_cast<wire::Savefile>(o.savefile), o.cooked};
}

std::shared_ptr<const names::Names> names_of(const Options& o) {
  if (o.names) return o.names;
  return names::system_names();
}

/// A word that is no name known may be a keyword but for its spelling.
Diagnostic with_spelling(std::string_view expression, Diagnostic error) {
  if (error.code != Code::Name && error.code != Code::Syntax) return error;
  const std::string advice = grammar::did_you_mean_at(expression, error.span);
  if (!advice.empty()) error.hint = advice;
  return error;
}

/// What the graph returns for every packet, if that is always the same.
std::optional<std::uint32_t> verdict_of(const ir::Program& graph) {
  const ir::Node& root = graph[graph.root];
  return root.kind == ir::NodeKind::Return ? ir::constant_of(graph, root.a) : std::nullopt;
}

/// Its nodes, and the intervals of the sets that they ask for.
std::size_t size_of(const ir::Program& graph) {
  std::size_t size = graph.node_count();
  for (std::uint32_t i = 0; i < graph.node_count(); ++i)
    if (const ir::Node& n = graph[ir::NodeId{i}]; n.kind == ir::NodeKind::Member) size += graph.set(n.k).intervals().size();
  return size;
}

/// A list may be too long for the kernel by what makes it fast. Longer ones would not fit either way.
bool may_fit_shorter(const Result<cbpf::Program>& program, bool is_lengthened, const ir::Program& graph, const Limits& limits) {
  return is_lengthened && !program && program.error().code == Code::TooLarge && size_of(graph) <= 3 * limits.instructions;
}

/// Of the same filter, without what lengthens.
Result<cbpf::Program> emit_shorter(const pred::Filter& meaning, const Limits& limits) {
  auto graph = first_graph(meaning, true, limits);
  if (!graph) return std::unexpected(std::move(graph.error()));
  *graph = optimize::shorten(std::move(*graph));
  return emit_fastest(*graph, usual_traffic, limits);
}

}  // namespace

Result<Filter> compile(std::string_view expression, const Options& options) {
  auto target = target_of(options);
  if (!target) return std::unexpected(std::move(target.error()));

  auto ast = grammar::parse(expression, options.limits);
  if (!ast) return std::unexpected(std::move(ast.error()));

  const auto tables = names_of(options);
  const auto names = names::cached_names(*tables);  // a name may stand anywhere in a long filter, and servers are slow
  auto meaning = resolve::resolve(*ast, *target, *names, options.limits);
  if (!meaning) return std::unexpected(with_spelling(expression, std::move(meaning.error())));

  auto graph = first_graph(*meaning, options.optimize, options.limits);
  if (!graph) return std::unexpected(std::move(graph.error()));
  bool is_lengthened = false;
  if (options.optimize) *graph = optimize::optimize(std::move(*graph), is_lengthened);

  // Every packet or none is seldom what was meant: libpcap refuses filters of which it notices that they match nothing.
  std::vector<Diagnostic> warnings;
  if (const auto verdict = verdict_of(*graph); verdict == 0u)
    warnings.push_back(explain_rejection(expression, *ast, *target, *names, options.limits));
  else if (verdict && (*meaning)[meaning->root].kind != pred::ExprKind::True)  // `ip` on IPV4 is no mistake
    warnings.push_back(explain_acceptance(*ast));
  if (options.strict && !warnings.empty()) return std::unexpected(std::move(warnings.front()));

  auto program = options.optimize ? emit_fastest(*graph, usual_traffic, options.limits) : cbpf::emit(*graph, options.limits);
  if (may_fit_shorter(program, is_lengthened, *graph, options.limits))
    if (auto shorter = emit_shorter(*meaning, options.limits)) program = std::move(shorter);

  meaning->trim();
  graph->trim();
  const auto guards = options.optimize ? Graph::Guards::Missing : Graph::Guards::Placed;

  auto bytecode = bytecode_of(program);
  return Filter(std::unique_ptr<const Filter::Stages>(
      new Filter::Stages{std::string(expression), std::move(*ast), std::move(*meaning), Graph(std::move(*graph), guards),
                         std::move(program), std::move(bytecode), std::move(warnings), options.limits, {}, options.native}));
}

}  // namespace weir
