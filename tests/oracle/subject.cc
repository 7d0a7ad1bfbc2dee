#include "subject.hpp"

#include "base/limits.hpp"
#include "cbpf/emit.hpp"
#include "grammar/parse.hpp"
#include "lift/lift.hpp"
#include "lower/lower.hpp"
#include "optimize/optimize.hpp"
#include "pred/gather.hpp"
#include "resolve/resolve.hpp"
#include "simulate/simulator.hpp"
#include "vm/cbpf.hpp"
#include "weir/fastest.hpp"
#include "weir/graph.hpp"
#include "weir/traffic.hpp"
#include "wire/target.hpp"

namespace weir::oracle {
namespace {

Result<wire::Target> target_of(const Setting& s) {
  wire::Target t;
  t.link_type = wire::find_link_type(s.link_type);
  if (t.link_type == nullptr) return fail(Code::LinkType, {}, "no link type " + s.link_type);
  t.snaplen = s.snaplen;
  t.netmask = s.netmask;
  t.linux_ext = s.linux_ext;
  t.savefile = static_cast<wire::Savefile>(s.savefile);
  return t;
}

/// Takes code over. Filters that need too much of it have none, which is no error.
template <typename Code>
Result<void> take(std::optional<Code>& into, Result<Code> from) {
  if (from) into.emplace(std::move(*from));
  else if (from.error().code != weir::Code::TooLarge) return std::unexpected(from.error());
  return {};
}

Result<void> add_native(Subject& s) {
  const ir::Program& optimized = is_gathered(s.meaning) ? s.gathered_optimized : s.optimized;
  if (native::available()) {
    if (auto done = take(s.native, native::emit(s.graph)); !done) return done;
    if (auto done = take(s.optimized_native, native::emit(optimized)); !done) return done;
    if (auto done = take(s.batch, native::emit_batch<Packet>(s.graph)); !done) return done;
    if (auto done = take(s.plain_batch, native::emit_batch<Packet>(s.graph, native::Vectors::None)); !done) return done;
    if (auto views = native::emit_batch<PacketView>(s.graph)) s.views.emplace(std::move(*views));
    if (auto views = native::emit_batch<PacketView>(s.graph, native::Vectors::None)) s.plain_views.emplace(std::move(*views));
  }
  if (auto done = take(s.aarch64, native::encode(s.graph, native::Cpu::AArch64)); !done) return done;
  return take(s.optimized_aarch64, native::encode(optimized, native::Cpu::AArch64));
}

/// Whether loops have these verdicts of a record that is there several times. The records are in different places of two words,
/// one behind the other: nothing may be left over from the one before.
template <typename Record>
bool agree(const std::optional<native::BatchCode<Record>>& first, const std::optional<native::BatchCode<Record>>& second,
           const std::vector<Record>& records, bool passes) {
  const std::size_t count = records.size();
  const auto expected = [&](std::size_t begin) {
    const std::size_t there = std::min<std::size_t>(count > begin ? count - begin : 0, 64);
    return !passes || there == 0 ? 0 : ~std::uint64_t{0} >> (64 - there);
  };
  for (const auto* code : {&first, &second}) {
    if (!*code) continue;
    std::uint64_t verdicts[2] = {};
    (*code)->function()(records.data(), count, verdicts);
    if (verdicts[0] != expected(0) || verdicts[1] != expected(64)) return false;
  }
  return true;
}

/// A batch has verdicts alone: the graph's value where they agree, otherwise one that is wrong.
std::uint32_t run_batch(const Subject& s, const Packet& packet) {
  const std::uint32_t value = ir::evaluate(s.graph, packet);
  const PacketView view{packet.bytes.data(), static_cast<std::uint32_t>(packet.bytes.size()), packet.length};
  const std::size_t count = 1 + packet.bytes.size() % 66;
  const bool right = agree(s.batch, s.plain_batch, std::vector(count, packet), value != 0) &&
                     agree(s.views, s.plain_views, std::vector(count, view), value != 0);
  return right ? value : value == 0;
}

std::uint32_t simulated(const native::Encoded& code, const Packet& packet) {
  thread_local simulate::Simulator simulator;
  return simulator.result(code, packet);
}

}  // namespace

const cbpf::Program& Subject::program() const { return is_gathered(meaning) ? gathered_code : optimized_code; }

Result<pred::Filter> meaning(const Setting& setting, const std::string& filter, const names::Names& names) {
  const Limits limits;
  const auto target = target_of(setting);
  if (!target) return std::unexpected(target.error());
  const auto tree = grammar::parse(filter, limits);
  if (!tree) return std::unexpected(tree.error());
  return resolve::resolve(*tree, *target, names, limits);
}

Result<Subject> compile(const Setting& setting, const std::string& filter, const names::Names& names) {
  const Limits limits;
  Subject s;
  auto meant = meaning(setting, filter, names);
  if (!meant) return std::unexpected(meant.error());
  s.meaning = std::move(*meant);
  auto graph = lower::lower(s.meaning, limits);
  if (!graph) return std::unexpected(graph.error());
  s.graph = std::move(*graph);
  s.gathered = pred::gather(s.meaning);
  auto bare = lower::lower(s.meaning, limits, lower::Guards::Doubtful),
       gathered_graph = lower::lower(s.gathered, limits, lower::Guards::Doubtful);
  if (!gathered_graph) return std::unexpected(gathered_graph.error());
  s.optimized = optimize::optimize(std::move(*bare));
  s.gathered_optimized = optimize::optimize(std::move(*gathered_graph));
  auto code = cbpf::emit(s.graph, limits);
  if (!code) return std::unexpected(code.error());
  s.code = std::move(*code);
  auto optimized_code = emit_fastest(s.optimized, usual_traffic, limits);
  if (!optimized_code) return std::unexpected(optimized_code.error());
  s.optimized_code = std::move(*optimized_code);
  auto gathered_code = emit_fastest(s.gathered_optimized, usual_traffic, limits);
  if (!gathered_code) return std::unexpected(gathered_code.error());
  s.gathered_code = std::move(*gathered_code);
  optimize::place_guards(s.optimized);
  optimize::place_guards(s.gathered_optimized);
  if (auto native = add_native(s); !native) return std::unexpected(native.error());
  auto ebpf = ebpf_forms(is_gathered(s.meaning) ? s.gathered_optimized : s.optimized);
  if (!ebpf) return std::unexpected(ebpf.error());
  s.ebpf = std::move(*ebpf);
  s.snaplen = setting.snaplen;
  auto lifted = lift::lift(s.code, lift::Machine::Kernel, limits);
  if (lifted) s.lifted = std::move(*lifted);
  else if (lifted.error().code != Code::TooLarge) return std::unexpected(lifted.error());
  auto optimized_lifted = oracle::lift(s.optimized_code);
  if (optimized_lifted) s.lifted_again = std::move(optimized_lifted->again);
  else if (optimized_lifted.error().code != Code::TooLarge) return std::unexpected(optimized_lifted.error());
  return s;
}

Result<Lifted> lift(const cbpf::Program& p) {
  Lifted l;
  l.for_kernel = lift::is_for_kernel(p);
  auto graph = lift::lift(p, l.for_kernel ? lift::Machine::Kernel : lift::Machine::Libpcap);
  if (!graph) return std::unexpected(graph.error());
  l.graph = std::move(*graph);
  auto again = cbpf::emit(optimize::optimize(l.graph));
  if (!again) return std::unexpected(again.error());
  l.again = std::move(*again);
  return l;
}

std::optional<std::string> defect(const Subject& s) {
  if (const auto wrong = ir::verify(s.graph)) return "the graph: " + *wrong;
  if (const auto wrong = ir::verify(s.optimized)) return "the optimized graph: " + *wrong;
  if (const auto wrong = ir::verify(s.gathered_optimized)) return "the gathered and optimized graph: " + *wrong;
  if (const auto wrong = cbpf::check(s.gathered_code)) return "the gathered and optimized program: " + wrong->message;
  if (const auto wrong = cbpf::check(s.code)) return "the program: " + wrong->message;
  if (s.lifted)
    if (const auto wrong = ir::verify(*s.lifted)) return "the graph of the program: " + *wrong;
  if (s.lifted_again)
    if (const auto wrong = cbpf::check(*s.lifted_again)) return "the program compiled anew: " + wrong->message;
  if (const auto wrong = cbpf::check(s.optimized_code)) return "the optimized program: " + wrong->message;
  if (const auto wrong = defect(s.ebpf)) return wrong;
  return std::nullopt;
}

std::uint32_t run(Engine engine, const Subject& s, const Packet& packet) {
  switch (engine) {
    case Engine::Pred: return pred::evaluate(s.meaning, packet);
    case Engine::Gathered: return pred::evaluate(s.gathered, packet);
    case Engine::Ir: return ir::evaluate(s.graph, packet);
    case Engine::IrOptimized: return ir::evaluate(s.optimized, packet);
    case Engine::GatheredOptimized: return ir::evaluate(s.gathered_optimized, packet);
    case Engine::GatheredCbpf: return vm::run(s.gathered_code, packet, vm::Machine::Kernel);
    case Engine::Cbpf: return vm::run(s.code, packet, vm::Machine::Libpcap);
    case Engine::CbpfKernel: return vm::run(s.code, packet, vm::Machine::Kernel);
    case Engine::CbpfOptimized: return vm::run(s.optimized_code, packet, vm::Machine::Libpcap);
    case Engine::Native: return s.native ? s.native->run(packet) : ir::evaluate(s.graph, packet);
    case Engine::NativeOptimized: return s.optimized_native ? s.optimized_native->run(packet) : ir::evaluate(s.optimized, packet);
    case Engine::NativeBatch: return run_batch(s, packet);
    case Engine::AArch64: return s.aarch64 ? simulated(*s.aarch64, packet) : ir::evaluate(s.graph, packet);
    case Engine::AArch64Optimized: return s.optimized_aarch64 ? simulated(*s.optimized_aarch64, packet) : ir::evaluate(s.optimized, packet);
    case Engine::CbpfOptimizedKernel: return vm::run(s.optimized_code, packet, vm::Machine::Kernel);
    case Engine::Lifted: return ir::evaluate(s.lifted ? *s.lifted : s.graph, packet);
    case Engine::EbpfSocket:
    case Engine::EbpfSocketBtf:
    case Engine::EbpfXdp:
    case Engine::EbpfTcIngress:
    case Engine::EbpfTcEgress:
    case Engine::EbpfCgroup:
    case Engine::EbpfTracing:
    case Engine::EbpfTracingBtf:
    case Engine::EbpfTracingMaps:
    case Engine::EbpfMaps: {
      const EbpfForm& form = s.ebpf[static_cast<std::size_t>(engine) - static_cast<std::size_t>(Engine::EbpfSocket)];
      return form.machine ? run(form, packet, s.snaplen) : ir::evaluate(s.optimized, packet);
    }
    case Engine::LiftedAgain: return vm::run(s.lifted_again ? *s.lifted_again : s.optimized_code, packet, vm::Machine::Kernel);
  }
  return 0;
}

std::uint32_t run_on_our_machine(const cbpf::Program& p, const Packet& packet) {
  return vm::run(p, packet, vm::Machine::Libpcap);
}

std::uint32_t run(const Lifted& p, const Packet& packet) { return ir::evaluate(p.graph, packet); }

std::uint32_t run_again(const Lifted& p, const Packet& packet) {
  return vm::run(p.again, packet, p.for_kernel ? vm::Machine::Kernel : vm::Machine::Libpcap);
}

std::uint32_t protochain_limit() { return Limits{}.protochain; }

}  // namespace weir::oracle
