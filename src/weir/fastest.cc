#include "weir/fastest.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "cbpf/emit.hpp"
#include "optimize/optimize.hpp"
#include "weir/expected.hpp"
#include "weir/traffic.hpp"

namespace weir {

namespace {

/// Takes another graph where its program is no longer than the best so far, or is the first one that fits.
bool take(ir::Program& other, Result<cbpf::Program> program, ir::Program& graph, Result<cbpf::Program>& best) {
  if (!program || (best && program->instructions.size() > best->instructions.size())) return false;
  graph = std::move(other);
  best = std::move(program);
  return true;
}

bool take(ir::Program& other, ir::Program& graph, Result<cbpf::Program>& best, const Limits& limits) {
  return take(other, cbpf::emit(other, limits), graph, best);
}

/// Places are shared but where a port is asked for that many packets have, and what is found would execute more.
cbpf::Places places(const ir::Program& graph) {
  for (std::uint32_t i = 0; i < graph.set_count(); ++i)
    if (std::ranges::any_of(likely_ports, [&](std::uint32_t port) { return graph.set(i).contains(port); }))
      return cbpf::Places::SharedIfAlike;
  return cbpf::Places::Shared;
}

/// A graph with all passes behind each other, which mostly pays: then one program more is enough.
struct Reordered {
  ir::Program graph;
  std::size_t found = 0;                  ///< how many passes found something
  const optimize::Pass* first = nullptr;  ///< the first and the last of those
  const optimize::Pass* last = nullptr;
  std::optional<ir::Program> after_first = {};
};

Reordered reordered(const ir::Program& graph, const optimize::Profile& profile) {
  Reordered r{ir::Program::beside(graph)};
  for (const optimize::Pass& pass : optimize::passes()) {
    if (!pass.reorders || !pass.apply(r.graph, profile)) continue;
    r.last = &pass;
    if (++r.found != 1) continue;
    r.first = &pass;
    r.after_first = ir::Program::beside(r.graph);
  }
  return r;
}

/// Whether ports of three protocols are asked for.
bool asks_for_three(const ir::Program& graph) {
  constexpr std::uint32_t byte = 0xff;
  for (std::uint32_t i = 0; i < graph.set_count(); ++i)
    if (graph.set(i).size() == 3 && graph.set(i).intervals().size() == 3 && graph.set(i).high() <= byte) return true;
  return false;
}

/// Reordered, but for the parts of conjunctions: what is asked of both versions of IP stands behind what they differ in. `all`: with them,
/// for what stands ahead of that pass is the same.
ir::Program with_conjuncts_in_order(const ir::Program& graph, const Reordered& all, const optimize::Profile& profile) {
  const auto passes = optimize::passes();
  const auto conjuncts = std::ranges::find(passes, "conjuncts", &optimize::Pass::name);
  const bool is_first_ahead = all.found != 0 && all.first < &*conjuncts;
  ir::Program other = ir::Program::beside(is_first_ahead ? *all.after_first : graph);
  for (const optimize::Pass& pass : passes)
    if (pass.reorders && pass.name != "conjuncts" && (!is_first_ahead || &pass > all.first)) pass.apply(other, profile);
  return other;
}

/// What is made on the way to the fastest program, and serves to look for a shorter one.
struct OnTheWay {
  Reordered all;                               ///< the graph may be gone
  std::optional<cbpf::Program> in_order = {};  ///< the program of the graph with tests in their order
};

/// A shorter program, which is taken where that is worth what it executes more.
class Shorter {
 public:
  /// `plain`: the graph before tests changed places.
  Shorter(const ir::Program& plain, const optimize::Profile& profile, const Limits& limits)
      : plain_(plain), profile_(profile), limits_(limits), three_(asks_for_three(plain)) {}

  void take(ir::Program& graph, Result<cbpf::Program>& best, const OnTheWay& made) {
    constexpr std::size_t long_enough = 45;  // to save much, also where few packets get to what is shared
    if (!know_costs(*best, made.in_order) || (best->instructions.size() <= long_enough && !leaves_room())) return;
    ir::Program other = with_conjuncts_in_order(plain_, made.all, profile_);
    auto program = cbpf::emit(other, limits_, cbpf::Places::Shortest);
    if (!program || program->instructions.size() >= best->instructions.size() || !is_worth_it(*program, best->instructions.size())) return;
    graph = std::move(other);
    best = std::move(program);
  }

 private:
  bool know_costs(const cbpf::Program& best, const std::optional<cbpf::Program>& in_order) {
    now_ = expected(best, profile_);
    if (in_order) {
      most_ = expected(*in_order, profile_);
    } else {
      const auto plain = cbpf::emit(plain_, limits_);
      if (!plain) return false;
      most_ = expected(*plain, profile_);
    }
    constexpr double other_first = 0.55;
    for (double& most : most_) most += three_ ? other_first : 0;
    return true;
  }

  /// What stands once for two places costs packets an instruction, a fifth of them at least: mostly there is no room for that where
  /// ports are asked for behind one protocol.
  bool leaves_room() const {
    constexpr double least = 0.2;
    for (std::size_t network = 0; network < now_.size(); ++network)
      if (now_[network] + least > most_[network]) return false;
    return true;
  }

  bool is_worth_it(const cbpf::Program& program, std::size_t length) const {
    constexpr double of_one = 0.91;  // what an instruction less may cost of those executed in the first network, where they are a tenth
    const std::size_t fewer = length - program.instructions.size();
    if (fewer * 10 < length) return false;
    const Executed then = expected(program, profile_);
    for (std::size_t network = 0; network < then.size(); ++network)
      if (then[network] > most_[network]) return false;
    return then[0] <= now_[0] + of_one * static_cast<double>(fewer);
  }

  const ir::Program& plain_;
  const optimize::Profile& profile_;
  const Limits& limits_;
  const bool three_;
  Executed now_{};
  /// In no network it may execute more than tests in their order do, as libpcap has them. That asks for SCTP first of three protocols,
  /// which costs an instruction for each packet of another one.
  Executed most_{};
};

/// Whether a number that is asked for behind a header is asked for at a fixed place, too, of as many bytes, as ports are behind both
/// versions of IP.
bool asks_in_both_places(const cbpf::Program& p) {
  namespace op = cbpf::op;
  struct Asked {
    std::uint32_t k;
    std::uint16_t size;
    bool operator==(const Asked&) const = default;
  };
  std::vector<Asked> behind_header, at_fixed_place;
  std::vector<Asked>* loaded = nullptr;
  std::uint16_t size = 0;
  for (const cbpf::Instruction& i : p.instructions) {
    const std::uint16_t kind = i.code & 0x07, mode = i.code & 0xe0;
    if (kind == op::LD) {
      loaded = mode == op::IND ? &behind_header : mode == op::ABS ? &at_fixed_place : nullptr;
      size = i.code & 0x18;
    }
    if (kind == op::JMP && i.code != (op::JMP | op::JA) && loaded) loaded->push_back({i.k, size});
  }
  return std::ranges::any_of(behind_header, [&](const Asked& a) { return std::ranges::find(at_fixed_place, a) != at_fixed_place.end(); });
}

/// Whether a program is long enough to save something by it, and no list. Programs with choices take long to make, and of those that are
/// longer nothing shorter has ever been found.
bool may_be_shorter(const ir::Program& plain, const Result<cbpf::Program>& program) {
  constexpr std::size_t few = 20, some = 40, many = 100, many_with_choices = 50;
  const std::size_t length = program ? program->instructions.size() : 0;
  return length > (plain.set_count() != 0 ? few : some) && length <= (plain.has_choices() ? many_with_choices : many) &&
         asks_in_both_places(*program);
}

Result<cbpf::Program> emit_by_order(ir::Program& graph, OnTheWay& made, const optimize::Profile& profile, const Limits& limits) {
  Reordered& all = made.all;
  if (all.found == 0) return cbpf::emit(graph, limits, places(graph));
  auto program = cbpf::emit(all.graph, limits, places(all.graph));
  if (program && program->instructions.size() <= cbpf::least_length(graph)) {  // mostly: then the other is not needed
    graph = std::move(all.graph);
    return program;
  }
  auto best = cbpf::emit(graph, limits);
  if (best) made.in_order = *best;
  if (take(all.graph, std::move(program), graph, best) || all.found == 1 || !best) return best;
  ir::Program first = ir::Program::beside(*all.after_first);
  const bool is_first_taken = take(first, graph, best, limits);
  for (const optimize::Pass& pass : optimize::passes()) {
    if (!pass.reorders || &pass <= all.first) continue;
    if (is_first_taken && all.found == 2 && &pass == all.last) continue;  // those two together were not taken
    ir::Program other = ir::Program::beside(graph);
    if (pass.apply(other, profile)) take(other, graph, best, limits);
  }
  return best;
}

}  // namespace

Result<cbpf::Program> emit_fastest(ir::Program& graph, const optimize::Profile& profile, const Limits& limits) {
  const ir::Program plain = ir::Program::beside(graph);
  OnTheWay made{reordered(graph, profile)};
  auto best = emit_by_order(graph, made, profile, limits);
  if (may_be_shorter(plain, best)) Shorter(plain, profile, limits).take(graph, best, made);
  return best;
}

}  // namespace weir
