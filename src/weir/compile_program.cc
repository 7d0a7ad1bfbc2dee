// The pipeline for programs of classic BPF that others made: read, lifted, and from there on as a filter's graph.
#include <fmt/format.h>

#include "cbpf/emit.hpp"
#include "lift/lift.hpp"
#include "optimize/optimize.hpp"
#include "weir/fastest.hpp"
#include "weir/stages.hpp"
#include "weir/traffic.hpp"

namespace weir {
namespace {

lift::Machine machine_of(const cbpf::Program& source, const Options& options) {
  switch (options.machine) {
    case Options::Machine::Libpcap: return lift::Machine::Libpcap;
    case Options::Machine::Kernel: return lift::Machine::Kernel;
    case Options::Machine::Either: break;
  }
  return lift::is_for_kernel(source) ? lift::Machine::Kernel : lift::Machine::Libpcap;
}

/// Whether the machine that the program is not for would do the same, or could not run it at all.
bool is_same_on_both(const cbpf::Program& source, const ir::Program& graph, lift::Machine machine, const Limits& limits) {
  if (lift::is_for_kernel(source)) return machine == lift::Machine::Kernel;
  const auto other = lift::lift(source, machine == lift::Machine::Kernel ? lift::Machine::Libpcap : lift::Machine::Kernel, limits);
  return other && ir::to_string(*other) == ir::to_string(graph);
}

/// Nobody has said which machine the program is for, and it is not the same on both.
std::vector<Diagnostic> warnings_about(bool same_on_both, const Options& options) {
  if (options.machine != Options::Machine::Either || same_on_both) return {};
  return {{Code::Input, {}, "shifts or offsets of the program mean something else to the kernel than to libpcap, whose meaning it is given",
           "say which is meant: --machine=libpcap or --machine=kernel"}};
}

/// A program may be shorter than what is made of it: where values differ on ways that meet, the graph has what follows once for each.
bool is_shorter(const cbpf::Program& source, const Result<cbpf::Program>& made) {
  return !cbpf::check(source) && (!made || source.instructions.size() < made->instructions.size());
}

/// Decimal numbers say little: the words of such a program are the lines of its listing.
std::string words_of(std::string_view text, cbpf::Program& source) {
  if (text.find_first_not_of("0123456789, \t\r\n") != text.npos) return std::string(text);
  const std::string listing = cbpf::to_string(source, cbpf::Style::Listing);
  std::uint32_t begin = 0;
  for (Span& span : source.spans) {
    span = {begin, static_cast<std::uint32_t>(listing.find('\n', begin))};
    begin = span.end + 1;
  }
  return listing;
}

}  // namespace

Result<Filter> compile_program(std::string_view text, const Options& options) {
  auto source = cbpf::read(text);
  if (!source) return std::unexpected(std::move(source.error()));
  const lift::Machine machine = machine_of(*source, options);
  if (auto refused = lift::lift(*source, machine, options.limits); !refused) return std::unexpected(std::move(refused.error()));

  std::string words = words_of(text, *source);
  auto graph = lift::lift(*source, machine, options.limits);
  const bool same_on_both = is_same_on_both(*source, *graph, machine, options.limits);
  std::vector<Diagnostic> warnings = warnings_about(same_on_both, options);
  if (options.strict && !warnings.empty()) return std::unexpected(std::move(warnings.front()));
  if (options.optimize) *graph = optimize::optimize(std::move(*graph));
  auto program = options.optimize ? emit_fastest(*graph, usual_traffic, options.limits) : cbpf::emit(*graph, options.limits);
  if (options.optimize && same_on_both && is_shorter(*source, program)) program = *source;
  if (!program && program.error().code == Code::TooLarge) program.error().hint = "in user space (match, weir filter) any length works";
  graph->trim();
  const auto guards = options.optimize ? Graph::Guards::Missing : Graph::Guards::Placed;
  return Filter(std::unique_ptr<const Filter::Stages>(
      new Filter::Stages{.text = std::move(words), .ast = {}, .pred = {}, .ir = Graph(std::move(*graph), guards), .cbpf = program,
                         .bytecode = bytecode_of(program), .warnings = std::move(warnings), .limits = options.limits,
                         .source = Filter::Stages::Source{*std::move(source), machine}, .may_run_native = options.native}));
}

Result<Filter> compile_program(std::span<const Instruction> program, const Options& options) {
  std::string text = fmt::format("{}\n", program.size());
  for (const Instruction& i : program) text += fmt::format("{} {} {} {}\n", i.code, i.jt, i.jf, i.k);
  auto filter = compile_program(text, options);
  if (!filter) filter.error().span = {};  // nobody has seen that text
  return filter;
}

}  // namespace weir
