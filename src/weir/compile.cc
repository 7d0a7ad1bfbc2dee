// The whole pipeline, top to bottom.
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "cbpf/emit.hpp"
#include "grammar/hints.hpp"
#include "grammar/parse.hpp"
#include "lower/lower.hpp"
#include "names/names.hpp"
#include "optimize/optimize.hpp"
#include "resolve/resolve.hpp"
#include "weir/stages.hpp"
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
  return wire::Target{link, o.snaplen, o.netmask, o.linux_ext, static_cast<wire::Savefile>(o.savefile)};
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

/// What was asked cannot be so, whatever the packet: libpcap refuses such filters where it notices.
std::vector<Diagnostic> warnings_about(const ir::Program& graph) {
  const ir::Node& root = graph[graph.root];
  if (root.kind != ir::NodeKind::Return || ir::constant_of(graph, root.a) != 0u) return {};
  return {{Code::NeverMatches, {}, "the filter rejects all packets: its parts contradict each other or the link type", {}}};
}

std::vector<Instruction> bytecode_of(const Result<cbpf::Program>& program) {
  std::vector<Instruction> code;
  if (program)
    for (const cbpf::Instruction& i : program->instructions) code.push_back({i.code, i.jt, i.jf, i.k});
  return code;
}

}  // namespace

Result<Filter> compile(std::string_view expression, const Options& options) {
  auto target = target_of(options);
  if (!target) return std::unexpected(std::move(target.error()));

  auto ast = grammar::parse(expression, options.limits);
  if (!ast) return std::unexpected(std::move(ast.error()));

  auto meaning = resolve::resolve(*ast, *target, *names_of(options), options.limits);
  if (!meaning) return std::unexpected(with_spelling(expression, std::move(meaning.error())));

  auto graph = lower::lower(*meaning, options.limits);
  if (!graph) return std::unexpected(std::move(graph.error()));
  if (options.optimize) *graph = optimize::optimize(std::move(*graph));

  auto warnings = warnings_about(*graph);

  auto program = cbpf::emit(*graph, options.limits);

  meaning->trim();
  graph->trim();

  auto bytecode = bytecode_of(program);
  return Filter(std::unique_ptr<const Filter::Stages>(
      new Filter::Stages{std::string(expression), std::move(*ast), std::move(*meaning), std::move(*graph),
                         std::move(program), std::move(bytecode), std::move(warnings)}));
}

}  // namespace weir
