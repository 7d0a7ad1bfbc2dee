#include "attach/socket_filter.hpp"
#include "c/emit.hpp"
#include "optimize/optimize.hpp"
#include "vm/cbpf.hpp"
#include "weir/graph.hpp"
#include "weir/stages.hpp"
#include "wire/link_type.hpp"

namespace weir {

std::vector<Instruction> bytecode_of(const Result<cbpf::Program>& program) {
  std::vector<Instruction> code;
  if (program)
    for (const cbpf::Instruction& i : program->instructions) code.push_back({i.code, i.jt, i.jf, i.k});
  return code;
}

Filter::Filter(std::unique_ptr<const Stages> stages) : stages_(std::move(stages)) {}
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;
Filter::~Filter() = default;

std::uint32_t Filter::run(const Packet& packet) const {
  if (!stages_->cbpf) return ir::evaluate(stages_->ir, packet);
  return vm::run(*stages_->cbpf, packet, vm::Machine::Kernel);
}

Result<std::span<const Instruction>> Filter::bytecode() const {
  if (!stages_->cbpf) return std::unexpected(stages_->cbpf.error());
  return std::span<const Instruction>(stages_->bytecode);
}

Result<void> Filter::attach(int socket) const {
  if (!stages_->cbpf) return std::unexpected(stages_->cbpf.error());
  auto attached = attach::SocketFilter::attach(*stages_->cbpf, socket);
  if (!attached) return std::unexpected(std::move(attached.error()));
  attached->release();
  return {};
}

Result<std::string> Filter::dump(Emit what) const {
  if (stages_->source && (what == Emit::Ast || what == Emit::Pred))
    return fail(Code::Unsupported, {}, "a program has no expression that could be shown", "the first stage of what was made of it is the graph: --emit=ir");
  switch (what) {
    case Emit::Ast: return ast::to_string(stages_->ast);
    case Emit::Pred: return pred::to_string(stages_->pred);
    case Emit::Ir: return ir::to_string(stages_->ir);
    case Emit::Dot: return ir::to_dot(stages_->ir);
    case Emit::C: return c::emit(stages_->ir, stages_->text);
    default: break;
  }
  if (!stages_->cbpf) return std::unexpected(stages_->cbpf.error());
  const cbpf::Program& program = *stages_->cbpf;
  switch (what) {
    case Emit::CArray: return cbpf::to_string(program, cbpf::Style::CArray);
    case Emit::Decimal: return cbpf::to_string(program, cbpf::Style::Decimal);
    case Emit::Json: return cbpf::to_string(program, cbpf::Style::Json);
    case Emit::Bytecode: return cbpf::to_string(program, cbpf::Style::Bytecode);
    case Emit::Asm: return cbpf::to_assembly(program, stages_->text);
    default: return cbpf::to_string(program, cbpf::Style::Listing);
  }
}

Result<std::string> Filter::dump_after(std::string_view pass) const {
  const auto& source = stages_->source;
  const auto graph = graph_after(pass, source ? lift::lift(source->program, source->machine, stages_->limits)
                                              : first_graph(stages_->pred, true, stages_->limits));
  if (!graph) return std::unexpected(graph.error());
  return ir::to_string(*graph);
}

std::span<const Diagnostic> Filter::warnings() const { return stages_->warnings; }

std::vector<std::string_view> pass_names() {
  std::vector<std::string_view> names;
  for (const optimize::Pass& pass : optimize::passes()) names.push_back(pass.name);
  return names;
}

namespace {

LinkTypeInfo info(const wire::LinkType& l) { return {l.name, l.dlt, l.description, wire::families(l.layout)}; }

}  // namespace

std::vector<LinkTypeInfo> link_types() {
  std::vector<LinkTypeInfo> all;
  for (const wire::LinkType& l : wire::link_types()) all.push_back(info(l));
  return all;
}

std::optional<LinkTypeInfo> find_link_type(int dlt) {
  const wire::LinkType* l = wire::find_link_type(dlt);
  return l ? std::optional(info(*l)) : std::nullopt;
}

}  // namespace weir
