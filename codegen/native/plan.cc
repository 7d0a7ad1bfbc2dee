#include "native/plan.hpp"

#include <algorithm>
#include <iterator>

#include "ir/captured.hpp"
#include "ir/depths.hpp"

namespace weir::native {

using namespace ir;

namespace {

constexpr std::uint32_t no_home = 0xffffffff;
constexpr std::size_t most_nodes_in_all = 1'000'000;  ///< each takes some ten bytes of code and more
/// Values cheaper than this are worked out again where no register has them any more.
constexpr std::uint32_t worth_a_word = 8;
constexpr std::uint32_t most_homes = 64;
constexpr std::uint32_t deepest = 500;      ///< values inside values: selection recurses into them
constexpr std::uint32_t cost_of_choice = 100, cost_limit = 1 << 20;
/// So many bytes nearly all packets have: headers of Ethernet, IPv4 and TCP without options.
constexpr std::uint64_t likely_captured = 54;
/// And so many more than asked for does not turn many away.
constexpr std::uint64_t stretch = 8;

}  // namespace

Plan::Plan(const ir::Program& p)
    : reachable_(ir::reachable(p)), uses_(p.value_count()), costs_(p.value_count()), homes_(p.value_count(), no_home) {
  count_uses(p);
  if (too_large_) return;
  sum_costs(p);
  give_homes(p);
  collect_guards(p);
}

std::optional<std::uint32_t> Plan::home(ValueId v) const {
  const std::uint32_t h = homes_[index(v)];
  return h == no_home ? std::nullopt : std::optional(h);
}

void Plan::count_uses(const ir::Program& p) {
  const auto use = [&](ValueId v) {
    if (v != no_value) ++uses_[index(v)];
  };
  for (std::uint32_t i = 0; i < p.node_count(); ++i) {
    if (!reachable_[i]) continue;
    ++nodes_;
    use(p[NodeId{i}].a);
    use(p[NodeId{i}].b);
  }
  too_large_ = nodes_ > most_nodes_in_all;
  // Operands have smaller ids, so that who uses a value is known to be needed or not before the value is met.
  for (auto i = static_cast<std::uint32_t>(p.value_count()); i-- > 0;) {
    if (uses_[i] == 0) continue;
    const Value& v = p[ValueId{i}];
    use(v.a);
    use(v.b);
    needs_length_ |= v.kind == ValueKind::Length;
    needs_metadata_ |= v.kind == ValueKind::Meta;
  }
}

void Plan::sum_costs(const ir::Program& p) {
  const std::vector<std::uint32_t> depths = ir::depths(p);
  const auto cost = [&](ValueId v) { return v == no_value ? 0 : costs_[index(v)]; };
  for (std::uint32_t i = 0; i < p.value_count(); ++i) {
    const Value& v = p[ValueId{i}];
    const std::uint32_t own = v.kind == ValueKind::Constant ? 0 : v.kind == ValueKind::Choice ? cost_of_choice : 1;
    costs_[i] = std::min(cost_limit, own + cost(v.a) + cost(v.b));
    if (uses_[i] != 0 && depths[i] > deepest) too_large_ = true;
  }
}

void Plan::give_homes(const ir::Program& p) {
  for (std::uint32_t i = 0; i < p.value_count(); ++i) {
    const bool is_choice = p[ValueId{i}].kind == ValueKind::Choice;
    if (uses_[i] == 0 || !(is_choice || (uses_[i] > 1 && costs_[i] >= worth_a_word))) continue;
    if (home_count_ == most_homes) {
      too_large_ = true;
      return;
    }
    homes_[i] = home_count_++;
  }
}

void Plan::collect_guards(const ir::Program& p) {
  for (std::uint32_t i = 0; i < p.node_count(); ++i)
    if (const Node& n = p[NodeId{i}]; reachable_[i] && n.kind == NodeKind::Guard) guard_ends_.push_back({n.a, end_of(n)});
  std::sort(guard_ends_.begin(), guard_ends_.end());
  guard_ends_.erase(std::unique(guard_ends_.begin(), guard_ends_.end()), guard_ends_.end());
}

std::uint64_t Plan::merged_end(ValueId base, std::uint64_t end) const {
  const std::uint64_t most = base == no_value ? std::max(likely_captured, end + stretch) : end + stretch;
  const auto after = std::upper_bound(guard_ends_.begin(), guard_ends_.end(), GuardEnd{base, most});
  return after == guard_ends_.begin() || std::prev(after)->base != base ? end : std::max(end, std::prev(after)->end);
}

}  // namespace weir::native
