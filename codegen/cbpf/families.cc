#include "cbpf/families.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "ir/order.hpp"

namespace weir::cbpf {
namespace {

using namespace ir;

/// Smaller trees are as short as the way to a common one.
constexpr std::size_t worth_sharing = 6;

bool has_large_set(const ir::Program& p) {
  for (std::uint32_t i = 0; i < p.set_count(); ++i)
    if (p.set(i).intervals().size() >= worth_sharing) return true;
  return false;
}

bool is_candidate(const ir::Program& p, Ranges& ranges, NodeId id) {
  const Node& n = p[id];
  if (n.kind != NodeKind::Member || p.set_of(n).intervals().size() < worth_sharing) return false;
  const Value& v = p[n.a];
  // Sums that the machines disagree about are checked where they are computed, which a common load cannot do.
  const std::uint64_t base = v.kind != ValueKind::Load || v.a == no_value ? 0 : ranges.of(v.a).high;
  return v.kind == ValueKind::Load && base + v.k + v.size() <= max_captured;
}

/// Past the guards of loads, which the loads make themselves.
NodeId past_guards(const ir::Program& p, NodeId n) {
  while (p[n].kind == NodeKind::Guard) n = p[n].t;
  return n;
}

Series row_from(const ir::Program& p, Ranges& ranges, const Column<std::uint32_t>& ways, NodeId head) {
  Series row{{head}, past_guards(p, p[head].t), p[head].f};
  for (;;) {
    NodeId next = row.f;
    bool only_from_here = true;
    for (;; next = p[next].t) {
      only_from_here &= ways[next] == 1;
      if (p[next].kind != NodeKind::Guard) break;
    }
    if (!only_from_here || !is_candidate(p, ranges, next) || past_guards(p, p[next].t) != row.t) return row;
    row.nodes.push_back(next);
    row.f = p[next].f;
  }
}

/// What rows must have in common: outcomes, sets, sizes, and the distances between the places behind the head.
using Signature = std::vector<std::uint32_t>;

Signature signature(const ir::Program& p, const Series& row) {
  Signature s{static_cast<std::uint32_t>(row.t), static_cast<std::uint32_t>(past_guards(p, row.f))};
  for (std::size_t i = 0; i < row.nodes.size(); ++i) {
    const Node& n = p[row.nodes[i]];
    s.push_back(n.k);
    s.push_back(p[n.a].size());
    if (i > 1) s.push_back(p[n.a].k - p[p[row.nodes[1]].a].k);
  }
  return s;
}

bool has_one_base(const ir::Program& p, const Series& row) {
  return std::ranges::all_of(row.nodes, [&](NodeId n) { return p[p[n].a].a == p[p[row.nodes[0]].a].a; });
}

}  // namespace

Families::Families(const ir::Program& p, Ranges& ranges) {
  if (!has_large_set(p)) return;
  const Column<std::uint32_t> ways = ways_in(p);
  Flags taken = nodes_in_choices(p);  // those are code in line, each time anew
  std::map<Signature, std::vector<Series>> alike;
  for (auto i = static_cast<std::uint32_t>(p.node_count()); i-- > 0;) {
    if (ways[i] == 0 && NodeId{i} != p.root) continue;
    if (taken[i] || !is_candidate(p, ranges, NodeId{i})) continue;
    Series row = row_from(p, ranges, ways, NodeId{i});
    for (const NodeId n : row.nodes) taken[n] = true;
    if (has_one_base(p, row)) alike[signature(p, row)].push_back(std::move(row));
  }
  for (auto& [_, rows] : alike) {
    if (rows.size() < 2) continue;
    const auto second = [&](const Series& r) -> const Value& { return p[p[r.nodes[r.nodes.size() > 1 ? 1 : 0]].a]; };
    // With a base, X is the base alone, so such rows must agree on what is added; the others begin no earlier.
    const auto before = [&](const Series& a, const Series& b) {
      return std::tuple(second(a).a == no_value, second(a).k) < std::tuple(second(b).a == no_value, second(b).k);
    };
    const Series& first = *std::ranges::min_element(rows, before);
    Family family;
    for (const NodeId n : first.nodes) family.offsets.push_back(p[p[n].a].k);
    const std::uint32_t from = second(first).k;
    std::erase_if(rows, [&](const Series& r) {
      return r.nodes.size() > 1 && (second(r).a == no_value ? second(r).k < from : second(r).k != from);
    });
    if (rows.size() < 2) continue;
    for (Series& r : rows) {
      heads_[static_cast<std::uint32_t>(r.nodes[0])] = {static_cast<std::uint32_t>(families_.size()),
                                                       static_cast<std::uint32_t>(family.rows.size())};
      family.shift.push_back(second(r).k - from);
      family.rows.push_back(std::move(r));
    }
    families_.push_back(std::move(family));
  }
}

}  // namespace weir::cbpf
