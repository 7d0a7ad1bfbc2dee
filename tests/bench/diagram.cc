#include "diagram.hpp"

#include <algorithm>
#include <set>

#include "ir/order.hpp"

namespace weir::bench {

using namespace ir;

Diagram::Diagram(const ir::Program& graph, const Fields& fields) : fields_(fields), nodes_(3) {
  std::vector<Id> made(graph.node_count(), reject);
  const Flags live = live_nodes(graph);
  for (std::uint32_t i = 0; i < graph.node_count() && fits_; ++i) {  // ways out have smaller ids
    if (!live[i]) continue;
    const ir::Node& n = graph[NodeId{i}];
    const auto way = [&](NodeId to) { return made[static_cast<std::size_t>(to)]; };
    if (n.kind == NodeKind::Guard) {
      made[i] = way(n.t);
    } else if (n.kind == NodeKind::Return) {
      const auto verdict = constant_of(graph, n.a);
      fits_ = verdict.has_value();
      made[i] = verdict == 0u ? reject : accept;
    } else {
      const auto& asked = fields_.asked(NodeId{i});
      made[i] = either(asked.field, asked.holds, way(n.t), n.forks() ? way(n.f) : reject);
    }
  }
  whole_ = made[static_cast<std::size_t>(graph.root)];
  for (std::size_t a = 0; a < fields_.count(); ++a)
    for (std::size_t b = a + 1; b < fields_.count(); ++b)
      if (const auto with = fields_.together(a, b))
        for (std::size_t c = 0; c < with->size(); ++c)
          whole_ = either(a, Cells{1} << c, either(b, (*with)[c], whole_, impossible), whole_);
}

/// Where all that is possible leads to one place, the field is not asked.
Diagram::Id Diagram::add(Node node) {
  Id only = nowhere;
  bool differ = false;
  for (const Id way : node.ways) {
    if (way == nowhere || way == impossible) continue;
    differ |= only != nowhere && way != only;
    only = way;
  }
  if (!differ) return only == nowhere ? impossible : only;
  const auto [at, is_new] = ids_.try_emplace(node, static_cast<Id>(nodes_.size()));
  if (is_new) nodes_.push_back(std::move(node));
  fits_ = fits_ && nodes_.size() < most_nodes;
  return at->second;
}

/// t where a field lies in some of its cells, otherwise f.
Diagram::Id Diagram::either(std::size_t field, Cells holds, Id t, Id f) {
  if (t == f || !fits_) return t;
  const auto key = std::tuple(field, holds, t, f);
  if (const auto done = eithers_.find(key); done != eithers_.end()) return done->second;
  const std::uint32_t top = std::min({static_cast<std::uint32_t>(field), field_of(t), field_of(f)});
  Node node{top, {}};
  for (std::size_t c = 0; c < fields_[top].cells.size(); ++c) {
    const Id when_true = field_of(t) == top ? nodes_[t].ways[c] : t, when_false = field_of(f) == top ? nodes_[f].ways[c] : f;
    node.ways.push_back(top != field ? either(field, holds, when_true, when_false) : (holds >> c & 1) != 0 ? when_true : when_false);
  }
  return eithers_[key] = add(std::move(node));
}

Diagram::Id Diagram::known(Id id, std::size_t field, Cells some) {
  if (field_of(id) > field) return id;
  const auto key = std::tuple(id, field, some);
  if (const auto done = knowns_.find(key); done != knowns_.end()) return done->second;
  Node node = nodes_[id];
  const bool here = node.field == field;
  for (std::size_t c = 0; c < node.ways.size(); ++c) {
    Id& way = node.ways[c];
    if (here) way = (some >> c & 1) != 0 ? way : nowhere;
    else if (way != nowhere) way = known(way, field, some);
  }
  return knowns_[key] = add(std::move(node));
}

std::vector<Diagram::Open> Diagram::open(Id id) const {
  std::map<std::uint32_t, std::vector<std::vector<Id>>> ways;  // by field and cell: where all of its nodes lead
  std::set<Id> seen;
  std::vector<Id> left{id};
  while (!left.empty()) {
    const Id here = left.back();
    left.pop_back();
    if (here == nowhere || is_verdict(here) || !seen.insert(here).second) continue;
    const Node& n = nodes_[here];
    auto& of_field = ways[n.field];
    of_field.resize(n.ways.size());
    for (std::size_t c = 0; c < n.ways.size(); ++c) {
      of_field[c].push_back(n.ways[c]);
      left.push_back(n.ways[c]);
    }
  }
  std::vector<Open> all;
  for (const auto& [field, of_field] : ways) {
    Open open{field, 0, {}};
    std::map<std::vector<Id>, Cells> alike;
    for (std::size_t c = 0; c < of_field.size(); ++c) {
      if (std::ranges::all_of(of_field[c], [](Id way) { return way == nowhere; })) continue;
      open.possible |= Cells{1} << c;
      alike[of_field[c]] |= Cells{1} << c;
    }
    for (const auto& [_, cells] : alike) open.classes.push_back(cells);
    all.push_back(std::move(open));
  }
  return all;
}

}  // namespace weir::bench
