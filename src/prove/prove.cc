#include "prove/prove.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "prove/diagrams.hpp"
#include "prove/meaning.hpp"
#include "prove/replay.hpp"
#include "prove/smt.hpp"

namespace weir::prove {
namespace {

using Clock = std::chrono::steady_clock;
using vm::Machine;

double seconds_until(Clock::time_point end) { return std::chrono::duration<double>(end - Clock::now()).count(); }

Meaning meaning_of(const Program& p, Algebra& algebra, Extent extent, Machine machine) {
  if (const auto* filter = std::get_if<const pred::Filter*>(&p)) return prove::meaning_of(**filter, algebra, extent);
  if (const auto* graph = std::get_if<const ir::Program*>(&p)) return prove::meaning_of(**graph, algebra, extent);
  if (const auto* program = std::get_if<const ebpf::Program*>(&p)) return prove::meaning_of(**program, algebra, extent);
  return prove::meaning_of(*std::get<const cbpf::Program*>(p), algebra, extent, machine);
}

bool is_bytecode(const Program& p) { return std::holds_alternative<const cbpf::Program*>(p); }
bool is_ebpf(const Program& p) { return std::holds_alternative<const ebpf::Program*>(p); }

using Outcome = decltype(Answer::is);

/// One question about two programs on one machine.
class Comparison {
 public:
  Comparison(const Program& first, const Program& second, const Question& question, Machine machine)
      : first_(first), second_(second), question_(question), machine_(machine),
        one_length_(is_ebpf(first) || is_ebpf(second)), asks_length_(!one_length_ && (mentions_length(first) || mentions_length(second))) {}

  Outcome run(Clock::time_point end) {
    if (question_.intervals) {
      try {
        return with_diagrams(end);
      } catch (const GivenUp&) {  // too many ways; without diagrams there may be none
      }
    }
    Smt smt;
    return solve(smt, difference(smt), end);
  }

 private:
  Outcome with_diagrams(Clock::time_point end) {
    Diagrams diagrams(Clock::now() + (end - Clock::now()) / 2);
    const Ref differ = difference(diagrams);
    if (differ == diagrams.truth(false)) return Proven{};
    if (auto packet = by_some_way(diagrams, differ, end)) return *std::move(packet);
    Smt smt;
    return solve(smt, diagrams.translate_truth(differ, smt), end);
  }

  /// Most differences show on any way through the diagram, and one way is quickly solved; if not, nothing is lost.
  std::optional<Outcome> by_some_way(Diagrams& diagrams, Ref differ, Clock::time_point end) {
    for (std::uint32_t which = 0; which < 3; ++which) {
      Smt smt;
      const Ref way = diagrams.translate_way(differ, smt, which);
      const auto verdict = smt.solve(way, question_.real_lengths, std::min(0.5, seconds_until(end)));
      if (verdict.found != Smt::Found::Sometimes || is_too_long(verdict.model)) continue;
      if (auto packet = confirmed(verdict.model)) return *std::move(packet);
    }
    return std::nullopt;
  }

  /// Whether the programs do not agree on a packet.
  Ref difference(Algebra& a) {
    if (agreement() != Agreement::Whole) return difference_when_cut(a);
    const Extent whole{.whole = true, .longest = longest_, .compare_with_length = question_.real_lengths && asks_length_};
    const Meaning x = meaning_of(first_, a, whole, machine_), y = meaning_of(second_, a, whole, machine_);
    const Ref possible = a.both(x.within_length, y.within_length);
    return a.both(possible, unequal(a, verdict(a, x), verdict(a, y)));
  }

  Ref difference_when_cut(Algebra& a) {
    const Extent cut{.whole = false, .measured = one_length_ ? Bytes::Length : Bytes::Captured};
    const Ref x = verdict(a, meaning_of(first_, a, cut, machine_)), y = verdict(a, meaning_of(second_, a, cut, machine_));
    const Ref differ = a.both(possible_length(a), unequal(a, x, y));
    if (agreement() == Agreement::Exact) return differ;
    const Ref lost = a.both(accepts(a, x), differ);
    const Ref whole = verdict(a, meaning_of(first_, a, {.whole = true, .longest = longest_}, machine_));
    return a.either(lost, a.both(possible_length(a), a.both(accepts(a, y), unequal(a, whole, y))));
  }

  /// Where the length is what is measured, it is one that packets can have.
  Ref possible_length(Algebra& a) const { return one_length_ ? a.member(a.length(), Set(Interval{0, longest_packet})) : a.truth(true); }

  Agreement agreement() const { return one_length_ && question_.agreement == Agreement::Whole ? Agreement::Exact : question_.agreement; }

  /// What a program returns, or only whether it accepts.
  Ref verdict(Algebra& a, const Meaning& m) {
    return question_.kept_bytes ? m.returned : a.choose(accepts(a, m.returned), a.constant(1), a.constant(0));
  }
  static Ref accepts(Algebra& a, Ref returned) { return a.member(returned, Set(Interval{1, 0xffffffff})); }
  static Ref unequal(Algebra& a, Ref x, Ref y) { return a.negation(a.compare(weir::Relation::Equal, x, y)); }

  Outcome solve(Smt& smt, Ref differ, Clock::time_point end) {
    const double left = seconds_until(end);
    if (left <= 0) return out_of_time();
    auto verdict = smt.solve(differ, question_.real_lengths, left);
    switch (verdict.found) {
      case Smt::Found::Never: return Proven{};
      case Smt::Found::Unknown: return out_of_time();
      case Smt::Found::Sometimes: break;
    }
    if (is_too_long(verdict.model)) return only_too_long();
    if (auto packet = confirmed(verdict.model)) return *std::move(packet);
    if (longest_ <= longest_replayed)
      return Undecided{.why = "a packet was found that tells them apart, but running them on it does not: an error in the prover", .own_fault = true};
    longest_ = longest_replayed;  // "whole" was longer than what can be tried
    auto shorter = run(end);
    return std::holds_alternative<Proven>(shorter) ? only_too_long() : shorter;
  }

  std::optional<Counterexample> confirmed(Model model) const {
    if (one_length_) model.captured = model.length;
    Question question = question_;
    question.agreement = agreement();
    return confirm(first_, second_, question, machine_, model, asks_length_);
  }

  Undecided out_of_time() const { return {fmt::format("not decided within {} s", question_.seconds), true}; }
  static Undecided only_too_long() { return {"only packets longer than any that can be tried tell them apart"}; }

  bool is_too_long(const Model& m) const {
    if (one_length_) return m.length > longest_replayed;
    if (question_.agreement != Agreement::Whole) return m.captured > longest_replayed;
    return question_.real_lengths && asks_length_ && m.length > longest_replayed;
  }

  const Program& first_;
  const Program& second_;
  const Question& question_;
  Machine machine_;
  bool one_length_;
  bool asks_length_;
  std::uint32_t longest_ = longest_packet;
};

Outcome compare(const Program& first, const Program& second, const Question& question, Clock::time_point end) {
  const bool one_is_enough = !is_bytecode(first) && !is_bytecode(second);
  for (const Machine machine : {Machine::Libpcap, Machine::Kernel}) {
    if (machine == Machine::Libpcap ? !question.libpcap : !question.kernel) continue;
    auto answer = Comparison(first, second, question, machine).run(end);
    if (!std::holds_alternative<Proven>(answer) || one_is_enough) return answer;
  }
  return Proven{};
}

}  // namespace

Answer prove(const Program& first, const Program& second, const Question& question) {
  const auto start = Clock::now();
  const auto end = start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(question.seconds));
  Answer answer;
  try {
    answer.is = compare(first, second, question, end);
  } catch (const GivenUp& why) {
    answer.is = Undecided{why.what()};
  } catch (const z3::exception& error) {
    answer.is = Undecided{fmt::format("Z3: {}", error.msg())};
  }
  answer.seconds = -seconds_until(start);
  return answer;
}

Result<cbpf::Program> read_bytecode(std::string_view text) { return cbpf::read(text); }

}  // namespace weir::prove
