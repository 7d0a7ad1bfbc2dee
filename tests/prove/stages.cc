#include "stages.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"
#include "cbpf/emit.hpp"
#include "grammar/parse.hpp"
#include "lift/lift.hpp"
#include "lower/lower.hpp"
#include "optimize/optimize.hpp"
#include "pred/gather.hpp"
#include "resolve/resolve.hpp"
#include "weir/fastest.hpp"
#include "weir/traffic.hpp"
#include "wire/target.hpp"

namespace weir::proofs {
namespace {

using prove::Agreement;

Result<pred::Filter> meaning_of(const Subject& subject, const Limits& limits) {
  wire::Target t;
  t.link_type = wire::find_link_type(subject.setting.link_type);
  if (!t.link_type) return fail(Code::LinkType, {}, "no link type " + subject.setting.link_type);
  t.snaplen = subject.setting.snaplen;
  t.netmask = subject.setting.netmask;
  t.linux_ext = subject.setting.linux_ext;
  t.savefile = static_cast<wire::Savefile>(subject.setting.savefile);
  const auto tree = grammar::parse(subject.filter, limits);
  if (!tree) return std::unexpected(tree.error());
  return resolve::resolve(*tree, t, *subject.names, limits);
}

std::optional<cbpf::Program> emit(const ir::Program& graph, const Limits& limits) {
  auto code = cbpf::emit(graph, limits);
  return code ? std::optional(*std::move(code)) : std::nullopt;
}

/// As optimize::optimize runs them; more rounds than it may need prove more.
void prove_passes(ir::Program graph, const prove::Question& question, const Listener& listener) {
  bool again = true;
  for (int round = 0; again && round < 4; ++round) {
    again = false;
    for (const optimize::Pass& pass : optimize::passes()) {
      const ir::Program before = graph;
      again |= pass.run(graph, usual_traffic);
      if (ir::to_string(before) == ir::to_string(graph)) continue;
      listener("pass " + std::string(pass.name), prove::prove(&before, &graph, question));
    }
  }
}

}  // namespace

prove::Question question_for(const oracle::Setting& setting, Agreement agreement, double seconds) {
  return {.agreement = agreement, .libpcap = !setting.linux_ext, .kept_bytes = true, .real_lengths = false, .seconds = seconds};
}

Result<Compiled> compile(const Subject& subject) {
  const Limits limits;
  auto meaning = meaning_of(subject, limits);
  if (!meaning) return std::unexpected(meaning.error());
  auto graph = lower::lower(*meaning, limits);
  if (!graph) return std::unexpected(graph.error());
  Compiled c{std::move(*meaning), std::move(*graph), {}, {}, {}};
  c.optimized = optimize::optimize(*lower::lower(c.meaning, limits, lower::Guards::Doubtful));
  c.code = emit(c.graph, limits);
  if (auto code = emit_fastest(c.optimized, usual_traffic, limits)) c.optimized_code = *std::move(code);
  optimize::place_guards(c.optimized);
  return c;
}

prove::Answer prove_against_libpcap(const Subject& subject, const cbpf::Program& libpcaps, double seconds) {
  const auto c = compile(subject);
  if (!c || !c->optimized_code) return {prove::Undecided{"weir has no program"}, 0};
  auto question = question_for(subject.setting, Agreement::Refines, seconds);
  question.kernel = !question.libpcap;  // libpcap's programs are written for its own machine; but that has little metadata
  return prove::prove(&libpcaps, &*c->optimized_code, question);
}

void prove_lifted(const std::string& whose, const cbpf::Program& program, prove::Question question, const Listener& listener) {
  for (const lift::Machine machine : {lift::Machine::Libpcap, lift::Machine::Kernel}) {
    question.kernel = machine == lift::Machine::Kernel;
    question.libpcap = !question.kernel;
    if (question.libpcap && lift::is_for_kernel(program)) continue;
    const auto graph = lift::lift(program, machine);
    if (!graph) continue;  // a loop
    const std::string name = whose + (question.kernel ? " cbpf, kernel, to ir" : " cbpf, libpcap, to ir");
    question.agreement = Agreement::Exact;
    listener(name, prove::prove(&program, &*graph, question));
    const ir::Program optimized = optimize::optimize(*graph);
    const auto again = emit(optimized, {});
    question.agreement = Agreement::Refines;
    if (again) listener(name + " to cbpf", prove::prove(&program, &*again, question));
    const auto together = lift::lift(program, machine, {.lifted_states = 0});
    question.agreement = Agreement::Exact;
    if (together && together->has_choices()) listener(name + " with choices", prove::prove(&program, &*together, question));
  }
}

Result<void> prove_stages(const Subject& subject, double seconds, const Listener& listener) {
  const auto c = compile(subject);
  if (!c) return std::unexpected(c.error());
  const auto exact = question_for(subject.setting, Agreement::Exact, seconds);
  const auto refines = question_for(subject.setting, Agreement::Refines, seconds);
  listener("pred to ir", prove::prove(&c->meaning, &c->graph, exact));
  const pred::Filter gathered = pred::gather(c->meaning);
  listener("pred to gathered pred", prove::prove(&c->meaning, &gathered, refines));
  prove_passes(c->graph, refines, listener);
  if (c->code) listener("ir to cbpf", prove::prove(&c->graph, &*c->code, exact));
  if (c->code) prove_lifted("our", *c->code, exact, listener);
  if (c->optimized_code) {
    listener("optimized ir to cbpf", prove::prove(&c->optimized, &*c->optimized_code, exact));
    listener("pred to optimized cbpf", prove::prove(&c->meaning, &*c->optimized_code, refines));
    prove_lifted("our optimized", *c->optimized_code, exact, listener);
  }
  return {};
}

ebpf::EmitOptions options_of(EbpfForm form, ebpf::Hook hook) {
  ebpf::EmitOptions options{.hook = hook, .map_threshold = form == EbpfForm::Maps ? std::size_t{1} : std::size_t{1'000'000}};
  if (form == EbpfForm::Tables) options.table_threshold = 1;
  options.loads_in_functions = form == EbpfForm::Functions;
  return options;
}

/// Whether a form brings nothing that the plain one does not have: then its proof is that one's.
bool is_plain(const ir::Program& graph, const ebpf::Program& program, ebpf::Hook hook) {
  const auto plain = ebpf::emit(graph, options_of(EbpfForm::Plain, hook));
  return plain && plain->maps.empty() && program.maps.empty() && plain->instructions == program.instructions;
}

Result<void> prove_ebpf(const Subject& subject, EbpfForm form, double seconds, const Listener& listener) {
  const auto c = compile(subject);
  if (!c) return std::unexpected(c.error());
  for (const ebpf::Hook hook : proven_hooks) {
    const auto program = ebpf::emit(c->optimized, options_of(form, hook));
    if (!program) continue;  // it asks what the hook does not know, or is too large
    if (form != EbpfForm::Plain && is_plain(c->optimized, *program, hook)) continue;
    auto question = question_for(subject.setting, Agreement::Exact, seconds);
    question.kept_bytes = is_socket(hook);
    static constexpr const char* forms[] = {"", " with maps", " with tables", " with functions"};
    const std::string name = fmt::format("ebpf{}, {}", forms[static_cast<std::size_t>(form)], ebpf::to_string(hook));
    listener("optimized ir to " + name, prove::prove(&c->optimized, &*program, question));
    question.agreement = Agreement::Refines;
    listener("pred to " + name, prove::prove(&c->meaning, &*program, question));
  }
  return {};
}

std::size_t digest(const Subject& subject) {
  const auto c = compile(subject);
  return c && c->optimized_code ? std::hash<std::string>()(cbpf::to_string(*c->optimized_code, cbpf::Style::Decimal)) : 0;
}

std::size_t digest(const Subject& subject, EbpfForm form) {
  const auto c = compile(subject);
  if (!c) return 0;
  std::string all;
  for (const ebpf::Hook hook : proven_hooks)
    if (const auto program = ebpf::emit(c->optimized, options_of(form, hook))) all += ebpf::to_json(*program);
  return std::hash<std::string>()(all);
}

}  // namespace weir::proofs
