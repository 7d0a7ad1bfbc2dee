#include "judge.hpp"

#include <algorithm>

#include "endless.hpp"
#include "reference.hpp"

namespace weir::oracle {
namespace {

/// How the bytes that nobody has seen may go on.
constexpr Tail tails[] = {Tail::Zeros, Tail::Ones, Tail::Noise};

std::string says(const std::string& who, std::uint32_t what) {
  return who + (what == 0 ? " rejects" : " returns " + std::to_string(what));
}

Disagreement differs(std::string engine, std::uint32_t got, const std::string& who, std::uint32_t expected) {
  Disagreement d;
  d.expectation = says(who, expected) + ", " + says(engine, got);
  d.engine = std::move(engine);
  return d;
}

}  // namespace

Trial::Trial(const Subject& subject, const cbpf::Program* reference) : subject_(subject) {
  set_reference(reference);
  ours_on_libpcap_ = !uses_metadata(subject.code) && !uses_metadata(subject.optimized_code);
}

void Trial::set_reference(const cbpf::Program* reference, bool repaired) {
  reference_ = reference;
  reference_on_libpcap_ = reference != nullptr && !repaired && !uses_metadata(*reference);
  lifted_.reset();
  if (!reference_on_libpcap_) return;
  if (auto lifted = lift(*reference)) lifted_ = std::move(*lifted);
}

std::optional<Disagreement> Trial::enter(Kernel& kernel) {
  if (uses_metadata(subject_.optimized_code)) return std::nullopt;
  if (const auto refused = kernel.attach(subject_.optimized_code)) {
    Disagreement d;
    d.engine = "the running kernel";
    d.expectation = "it refuses the program: " + *refused;
    return d;
  }
  kernel_ = &kernel;
  return std::nullopt;
}

std::optional<Disagreement> Trial::judge(const Sample& sample, std::size_t n) {
  const Packet packet = sample.cut(n);
  inexact = uncertain = false;
  if (auto wrong = check_reference(packet)) return wrong;
  const std::uint32_t libpcap = trace_.returned;
  if (lifted_)
    if (auto wrong = check_lifted(sample, n, libpcap)) return wrong;
  uncertain = reference_ != nullptr && trace_.laps >= protochain_limit();
  const std::uint32_t pred = run(Engine::Pred, subject_, packet);
  accepted = pred != 0;
  if (reference_ != nullptr && !uncertain)
    if (auto wrong = check_meaning(sample, n, libpcap, pred)) return wrong;
  if (auto wrong = check_engines(sample, n, pred)) return wrong;
  return packet.length == packet.bytes.size() ? check_kernel(packet) : std::nullopt;
}

/// Three interpreters on libpcap's program: its own, the tracing one here, and our vm.
std::optional<Disagreement> Trial::check_reference(const Packet& packet) {
  if (reference_ == nullptr) return std::nullopt;
  oracle::run(*reference_, packet, Tail::None, trace_);
  if (trace_.endless || !reference_on_libpcap_) return std::nullopt;
  const std::uint32_t vm = run_on_our_machine(*reference_, packet);
  const std::uint32_t own = run_libpcap(*reference_, packet);
  std::optional<Disagreement> wrong;
  if (own != vm) wrong = differs("our vm on libpcap's program", vm, "libpcap's interpreter", own);
  else if (own != trace_.returned) wrong = differs("the tracing interpreter", trace_.returned, "libpcap's interpreter", own);
  if (wrong) wrong->with_machine = true;
  return wrong;
}

/// The program as a graph does the same at every cut; compiled anew, it refines.
std::optional<Disagreement> Trial::check_lifted(const Sample& sample, std::size_t n, std::uint32_t libpcap) {
  const Packet packet = sample.cut(n);
  std::optional<Disagreement> wrong;
  const std::uint32_t graph = run(*lifted_, packet), again = run_again(*lifted_, packet);
  if (graph != libpcap) wrong = differs("libpcap's program, lifted", graph, "libpcap", libpcap);
  else if (again != libpcap && (libpcap != 0 || !libpcap_returns(sample, n, again)))
    wrong = differs("libpcap's program, lifted and compiled anew", again, "libpcap", libpcap);
  if (wrong) wrong->with_machine = true;
  return wrong;
}

bool Trial::libpcap_returns(const Sample& sample, std::size_t n, std::uint32_t expected) {
  const Packet known = sample.whole(), captured = sample.cut(n);
  for (const Tail tail : tails) {
    oracle::run(*reference_, tail == Tail::Noise ? captured : known, tail, trace_);
    const bool followed = trace_.laps < protochain_limit();
    if (followed && trace_.returned != expected) return false;
  }
  return true;
}

bool Trial::meaning_returns(const Sample& sample, std::size_t n, std::uint32_t expected) const {
  const Packet known = sample.whole(), captured = sample.cut(n);
  for (const Tail tail : tails)
    if (evaluate(subject_.meaning, tail == Tail::Noise ? captured : known, tail) != expected) return false;
  return true;
}

std::optional<Disagreement> Trial::check_meaning(const Sample& sample, std::size_t n, std::uint32_t libpcap, std::uint32_t pred) {
  if (libpcap == pred) return std::nullopt;
  inexact = true;
  if (libpcap == 0 && libpcap_returns(sample, n, pred)) return std::nullopt;
  auto wrong = differs(engines[0].name, pred, "libpcap", libpcap);
  wrong.with_libpcap = true;
  wrong.only_order = pred == 0 && libpcap_returns(sample, n, libpcap) && meaning_returns(sample, n, libpcap);
  return wrong;
}

/// What was captured is the whole packet.
std::optional<Disagreement> Trial::check_whole(const Packet& packet) {
  Sample whole{{packet.bytes.begin(), packet.bytes.end()}, static_cast<std::uint32_t>(packet.bytes.size()), packet.meta};
  if (!whole.bytes.empty() && whole == whole_) return std::nullopt;
  const std::uint32_t pred = evaluate(subject_.meaning, whole.whole(), Tail::None);
  for (const EngineRow& row : engines) {
    if (!sees_whole_packets_only(row.engine)) continue;
    const std::uint32_t got = run(row.engine, subject_, whole.whole());
    if (got != pred && (pred != 0 || !meaning_returns(whole, whole.bytes.size(), got)))
      return differs(row.name, got, "pred of the packet as a whole", pred);
  }
  whole_ = std::move(whole);
  return std::nullopt;
}

std::optional<Disagreement> Trial::check_engines(const Sample& sample, std::size_t n, std::uint32_t pred) {
  const Packet packet = sample.cut(n);
  const std::uint32_t again = evaluate(subject_.meaning, packet, Tail::None);
  if (again != pred) return differs("pred, evaluated by the oracle", again, "pred", pred);
  for (const EngineRow& row : engines) {
    if (row.engine == Engine::Pred || sees_whole_packets_only(row.engine)) continue;
    if (!ours_on_libpcap_ && (row.engine == Engine::Cbpf || row.engine == Engine::CbpfOptimized)) continue;
    const std::uint32_t got = run(row.engine, subject_, packet);
    if (got == pred) continue;
    const bool may = row.agreement == Agreement::Refines && pred == 0;
    if (!may || !meaning_returns(sample, n, got)) return differs(row.name, got, "pred", pred);
  }
  return check_whole(packet);
}

std::optional<Disagreement> Trial::check_kernel(const Packet& packet) {
  if (kernel_ == nullptr) return std::nullopt;
  const auto got = kernel_->send(packet.bytes);
  const std::uint32_t returned = run(Engine::CbpfOptimizedKernel, subject_, packet);
  const auto expected = std::min<std::uint64_t>(returned, packet.bytes.size());
  if (got.has_value() == (returned != 0) && got.value_or(0) == expected) return std::nullopt;
  return differs("the running kernel", got.value_or(0), "our vm, as the kernel,", static_cast<std::uint32_t>(expected));
}

}  // namespace weir::oracle
