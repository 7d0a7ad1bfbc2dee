#include <algorithm>
#include <bit>
#include <string>

#include "attach/socket_filter.hpp"
#include "native/emit.hpp"
#include "c/emit.hpp"
#include "grammar/parse.hpp"
#include "optimize/optimize.hpp"
#include "vm/cbpf.hpp"
#include "weir/graph.hpp"
#include "weir/stages.hpp"
#include "wire/link_type.hpp"

namespace weir {

std::vector<Instruction> bytecode_of(const Result<cbpf::Program>& program) {
  std::vector<Instruction> code;
  if (!program) return code;
  code.reserve(program->instructions.size());
  for (const cbpf::Instruction& i : program->instructions) code.push_back({i.code, i.jt, i.jf, i.k});
  return code;
}

Filter::Filter(std::unique_ptr<const Stages> stages) : stages_(std::move(stages)) {}
Filter::Filter(Filter&& other) noexcept : stages_(std::move(other.stages_)), code_(other.code_.exchange(nullptr)) {}
Filter& Filter::operator=(Filter&& other) noexcept {
  stages_ = std::move(other.stages_);
  code_ = other.code_.exchange(nullptr);
  return *this;
}
Filter::~Filter() = default;

const Result<native::Code>& Filter::Stages::native() const {
  std::call_once(native_once, [&] {
    if (may_run_native) native_code.emplace(native::emit(ir));
    else native_code.emplace(fail(Code::Unsupported, {}, "the options say to do without native code"));
    if (!*native_code) has_no_native = true;
  });
  return *native_code;
}

std::uint32_t Filter::run_otherwise(const Packet& packet) const {
  if (const auto& code = stages_->native()) {
    code_.store(code->function(), std::memory_order_release);
    return code->run(packet);
  }
  if (!stages_->cbpf) return ir::evaluate(stages_->ir, packet);
  return vm::run_checked(*stages_->cbpf, packet, vm::Machine::Kernel);
}

template <typename Record>
native::BatchFunction<Record> Filter::Stages::native_batch(const Loop<Record>& loop) const {
  std::call_once(loop.once, [&] {
    // What is too large as a function is so as a loop, and the other way round: it is tried once.
    if (!may_run_native || has_no_native) return;
    auto code = native::emit_batch<Record>(ir);
    if (code) {
      loop.code.emplace(std::move(*code));
    } else if (code.error().code == Code::TooLarge) {
      has_no_native = true;
      std::call_once(native_once, [&] { native_code.emplace(std::unexpected(code.error())); });
    }
  });
  return loop.code ? loop.code->function() : nullptr;
}

std::size_t Filter::match_batch(std::span<const Packet> packets, std::span<std::uint64_t> verdicts) const {
  return match_all(packets, verdicts, stages_->packets);
}

std::size_t Filter::match_batch(std::span<const PacketView> packets, std::span<std::uint64_t> verdicts) const {
  return match_all(packets, verdicts, stages_->views);
}

/// In the loop where there is one.
template <typename Record, typename Loop>
std::size_t Filter::match_all(std::span<const Record> packets, std::span<std::uint64_t> verdicts, const Loop& loop) const {
  if (packets.empty()) return 0;
  if (const auto code = stages_->native_batch(loop)) code(packets.data(), packets.size(), verdicts.data());
  else match_each(packets, verdicts);
  std::size_t passed = 0;
  for (const std::uint64_t word : verdicts.first((packets.size() + 63) / 64)) passed += static_cast<std::size_t>(std::popcount(word));
  return passed;
}

/// A call a packet.
template <typename Record>
void Filter::match_each(std::span<const Record> packets, std::span<std::uint64_t> verdicts) const {
  // The headers of a packet are asked for while those so many before it are looked at.
  constexpr std::size_t ahead = 12;
  for (std::size_t first = 0; first < packets.size(); first += 64) {
    const std::size_t end = std::min(first + 64, packets.size());
    std::uint64_t bits = 0;
    for (std::size_t i = first; i < end; ++i) {
      if (i + ahead < packets.size()) __builtin_prefetch(packet_of(packets[i + ahead]).bytes.data());
      bits |= std::uint64_t{run(packet_of(packets[i])) != 0} << (i - first);
    }
    verdicts[first / 64] = bits;
  }
}

Engine Filter::engine(std::string* why) const {
  const auto& code = stages_->native();
  if (code) return Engine::Native;
  if (why != nullptr) *why = code.error().message;
  return stages_->cbpf ? Engine::Bytecode : Engine::Graph;
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

Result<std::string> Filter::Stages::native_listing(Cpu cpu) const {
  if (cpu == Cpu::Host) {
    const auto& code = native();
    return code ? Result<std::string>(native::to_string(*code, text)) : std::unexpected(code.error());
  }
  const auto code = native::encode(ir, cpu == Cpu::X86_64 ? native::Cpu::X86_64 : native::Cpu::AArch64);
  return code ? Result<std::string>(native::to_string(*code, text)) : std::unexpected(code.error());
}

Result<std::string> Filter::dump(Emit what, Cpu cpu) const {
  if (stages_->source && (what == Emit::Ast || what == Emit::Pred))
    return fail(Code::Unsupported, {}, "a program has no expression that could be shown",
                "the first stage of what was made of it is the graph: --emit=ir");
  switch (what) {
    case Emit::Ast: return ast::to_string(stages_->ast);
    case Emit::Pred: return pred::to_string(stages_->pred);
    case Emit::Ir: return ir::to_string(stages_->ir);
    case Emit::Dot: return ir::to_dot(stages_->ir);
    case Emit::Native: return stages_->native_listing(cpu);
    case Emit::Ebpf:
    case Emit::EbpfObject: return dump(what, ProgramOptions{});
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

Result<ir::Program> Filter::Stages::after(std::string_view pass) const {
  return graph_after(pass, source ? lift::lift(source->program, source->machine, limits) : first_graph(pred, true, limits));
}

Result<std::string> Filter::dump_after(std::string_view pass) const {
  const auto graph = stages_->after(pass);
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

std::vector<std::string_view> keywords() { return grammar::keywords(); }

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
