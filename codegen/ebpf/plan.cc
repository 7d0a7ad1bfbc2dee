#include "ebpf/plan.hpp"

#include <algorithm>

#include "ir/captured.hpp"
#include "ir/depths.hpp"

namespace weir::ebpf {

using namespace ir;

namespace {

/// Values cheaper than this are worked out again where no register has them any more.
constexpr std::uint32_t worth_a_slot = 4;
/// Where it hardly matters, in long programs: the kernel's verifier takes time with the square of the places that use the stack.
constexpr std::uint32_t worth_a_slot_if_rare = 16;
constexpr std::size_t long_graph = 1000;
constexpr std::uint32_t cost_of_call = 12, cost_of_choice = 100;
constexpr std::uint32_t cost_of_load = 3;   ///< of the socket buffer; in a register that calls leave alone, where there is one
constexpr std::uint32_t deepest = 500;  ///< values inside values: selection recurses into them
constexpr std::uint32_t most_cost = 1 << 20;

}  // namespace

std::vector<NodeId> nodes_below(const ir::Program& p, NodeId root) {
  std::vector<bool> found(static_cast<std::size_t>(root) + 1);
  found[static_cast<std::size_t>(root)] = true;
  std::vector<NodeId> all;
  // Ways out have smaller ids.
  for (auto i = static_cast<std::uint32_t>(root) + 1; i-- > 0;) {
    if (!found[i]) continue;
    const Node& n = p[NodeId{i}];
    all.push_back(NodeId{i});
    if (n.kind == NodeKind::Return) continue;
    found[static_cast<std::size_t>(n.t)] = true;
    if (n.forks()) found[static_cast<std::size_t>(n.f)] = true;
  }
  std::reverse(all.begin(), all.end());
  return all;
}

Plan::Plan(const ir::Program& p, Reach reach, bool is_rare)
    : uses_(p.value_count()), base_uses_(p.value_count()), costs_(p.value_count()), calls_(p.value_count()), choices_(p.value_count()),
      worth_a_slot_(is_rare && reach == Reach::Absolute && p.node_count() > long_graph ? worth_a_slot_if_rare : worth_a_slot) {
  count_uses(p);
  sum_costs(p, reach);
}

bool Plan::is_kept(ValueId v) const { return choices_[index(v)] || (uses_[index(v)] > 1 && costs_[index(v)] >= worth_a_slot_); }

void Plan::count_uses(const ir::Program& p) {
  const std::vector<bool> reachable = ir::reachable(p);
  const auto use = [&](ValueId v, bool as_base = false) {
    if (v == no_value) return;
    ++uses_[index(v)];
    if (as_base) ++base_uses_[index(v)];
  };
  for (std::uint32_t i = 0; i < p.node_count(); ++i) {
    if (!reachable[i]) continue;
    use(p[NodeId{i}].a, p[NodeId{i}].kind == NodeKind::Guard);
    use(p[NodeId{i}].b);
  }
  // Operands have smaller ids, so that who uses a value is known to be needed or not before the value is met.
  for (auto i = static_cast<std::uint32_t>(p.value_count()); i-- > 0;) {
    if (uses_[i] == 0) continue;
    use(p[ValueId{i}].a, p[ValueId{i}].kind == ValueKind::Load);
    use(p[ValueId{i}].b);
  }
}

void Plan::sum_costs(const ir::Program& p, Reach reach) {
  const std::vector<std::uint32_t> depths = ir::depths(p);
  const auto cost = [&](ValueId v) { return v == no_value ? 0 : costs_[index(v)]; };
  const auto calls = [&](ValueId v) { return v != no_value && calls_[index(v)]; };
  for (std::uint32_t i = 0; i < p.value_count(); ++i) {
    const Value& v = p[ValueId{i}];
    choices_[i] = v.kind == ValueKind::Choice;
    const bool is_call = v.kind == ValueKind::Load && reach != Reach::Pointers;
    // Length and metadata may be asked of a helper, too; those are seldom.
    calls_[i] = is_call || choices_[i] || v.kind == ValueKind::Length || v.kind == ValueKind::Meta || calls(v.a) || calls(v.b);
    std::uint32_t own = v.kind == ValueKind::Constant ? 0 : choices_[i] ? cost_of_choice : 1;
    if (is_call) own = reach == Reach::Calls ? cost_of_call : cost_of_load;
    costs_[i] = std::min(most_cost, own + cost(v.a) + cost(v.b));
    if (uses_[i] != 0 && depths[i] > deepest) too_deep_ = true;
  }
}

// ---- what all ways need -----------------------------------------------------------------------------------

namespace {

constexpr std::uint64_t rejected = ~std::uint64_t{0};  ///< no way from here accepts
/// Nodes times bases that are looked at; with more of them guards stay as they are written.
constexpr std::size_t most_work = 4'000'000;

/// What the guard itself says about bytes behind `base`: one of another base says that there is a packet of so many bytes.
std::uint64_t said(const Node& guard, ValueId base, Ranges& ranges) {
  if (guard.a == base) return end_of(guard);
  return base == no_value ? ranges.of(guard.a).low + end_of(guard) : 0;
}

}  // namespace

Needs::Needs(const ir::Program& p, Ranges& ranges) {
  const std::vector<NodeId> nodes = nodes_below(p, p.root);
  std::map<ValueId, std::size_t> bases;
  for (const NodeId id : nodes)
    if (p[id].kind == NodeKind::Guard) ++bases[p[id].a];
  if (bases.size() * nodes.size() > most_work) return;
  for (const auto& [base, guards] : bases) {
    if (guards < 2 && base != no_value) continue;
    Ends& ends = ends_[base];
    const auto below = [&](NodeId id) {
      const auto found = ends.find(static_cast<std::uint32_t>(id));
      return found == ends.end() ? 0 : found->second;
    };
    for (const NodeId id : nodes) {
      const Node& n = p[id];
      std::uint64_t end = 0;
      if (n.kind == NodeKind::Return) end = constant_of(p, n.a) == 0u ? rejected : 0;
      else if (n.forks()) end = std::min(below(n.t), below(n.f));
      else if (n.kind == NodeKind::Guard) end = std::max(below(n.t), said(n, base, ranges));
      else end = below(n.t);
      if (end != 0) ends[static_cast<std::uint32_t>(id)] = end;
    }
  }
}

std::uint64_t Needs::end(NodeId guard, ValueId base, std::uint64_t end) const {
  const auto ends = ends_.find(base);
  if (ends == ends_.end()) return end;
  const auto found = ends->second.find(static_cast<std::uint32_t>(guard));
  return found == ends->second.end() || found->second == rejected ? end : std::max(end, found->second);
}

}  // namespace weir::ebpf
