#include "floor.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "ir/order.hpp"

namespace weir::bench {
namespace {

using namespace ir;

constexpr std::uint64_t window = 4;  ///< bytes that one load takes at most
enum Answer : char { No, Yes, OutOfBytes };

std::size_t at(NodeId n) { return static_cast<std::size_t>(n); }

}  // namespace

Floor::Floor(const ir::Program& graph) : graph_(graph) {
  const Flags live = live_nodes(graph_), in_choice = nodes_in_choices(graph_);
  const auto nodes = static_cast<std::uint32_t>(graph_.node_count());
  for (std::uint32_t i = 0; i < nodes; ++i) {
    const Node n = graph_[NodeId{i}];
    if (!live[i] || in_choice[i] || !n.forks()) continue;
    Question q{{}, ir::Program::beside(graph_)};
    collect(n.a, q.reads);
    collect(n.b, q.reads);
    Node alone = n;
    alone.t = q.probe.ret(1);
    alone.f = q.probe.ret(2);
    q.probe.root = q.probe.add(alone);
    questions_.emplace(NodeId{i}, std::move(q));
  }
}

/// What a value takes from the packet; what only says where bytes lie counts where they are loaded.
void Floor::collect(ValueId v, std::vector<Read>& reads) const {
  if (v == no_value) return;
  const Value& value = graph_[v];
  switch (value.kind) {
    case ValueKind::Constant: return;
    case ValueKind::Load: return reads.push_back({value.a, value.k, std::uint64_t{value.k} + value.size()});
    case ValueKind::Length:
    case ValueKind::Meta:
    case ValueKind::Choice: return reads.push_back({v, 0, 1});
    case ValueKind::Negate:
    case ValueKind::Binary:
      collect(value.a, reads);
      return collect(value.b, reads);
  }
}

std::vector<Floor::Read> Floor::reads_of(const Chosen& chosen) const {
  std::set<Read> all;
  for (const NodeId n : chosen) all.insert(questions_.at(n).reads.begin(), questions_.at(n).reads.end());
  return {all.begin(), all.end()};
}

/// As few as possible: from the first byte that none has yet.
std::size_t Floor::loads(const std::vector<Read>& sorted) {
  std::size_t count = 0;
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const Read& read = sorted[i];
    if (i != 0 && sorted[i - 1].base == read.base && read.end <= end) continue;
    ++count;
    end = read.begin + window;
  }
  return count;
}

std::size_t Floor::cost(const std::vector<Read>& sorted) const {
  std::set<ValueId> bases;
  for (const Read& read : sorted)
    if (read.base != no_value && graph_[read.base].kind != ValueKind::Length && graph_[read.base].kind != ValueKind::Meta)
      bases.insert(read.base);
  return 2 * loads(sorted) + bases.size();
}

std::size_t Floor::length() const {
  Chosen all;
  std::set<std::pair<bool, std::uint32_t>> numbers;
  for (const auto& [id, question] : questions_) {
    all.push_back(id);
    const Node& n = graph_[id];
    if (n.kind == NodeKind::Member) numbers.insert({true, n.k});
    else if (const auto k = constant_of(graph_, n.b)) numbers.insert({false, *k});
  }
  const auto reads = reads_of(all);
  const std::size_t places = loads(reads), bases = cost(reads) - 2 * places;
  const std::size_t returns = all.empty() ? 1 : 2;
  return places + bases + std::max(places, numbers.size()) + returns;
}

std::size_t Floor::executed(const Packet& packet) {
  Answers answers(graph_.node_count(), No);
  for (const auto& [id, question] : questions_) {
    const std::uint32_t got = evaluate(question.probe, packet);
    answers[at(id)] = got == 0 ? OutOfBytes : got == 1 ? Yes : No;
  }
  if (std::ranges::find(answers, static_cast<char>(OutOfBytes)) != answers.end())
    return 1;  // a load that fails may be the first instruction
  const auto known = seen_.find(answers);
  if (known != seen_.end()) return known->second;
  std::size_t least = std::numeric_limits<std::size_t>::max();
  Chosen chosen;
  search(answers, chosen, least);
  return seen_[answers] = least + 1;
}

/// Some question on a way to another verdict has to be asked; which one is tried.
void Floor::search(const Answers& answers, Chosen& chosen, std::size_t& least) const {
  const auto reads = reads_of(chosen);
  const std::size_t now = cost(reads);
  if (now >= least) return;
  const Chosen open = way_to_another_verdict(answers, reads);
  if (open.empty()) least = now;
  for (const NodeId n : open) {
    chosen.push_back(n);
    search(answers, chosen, least);
    chosen.pop_back();
  }
}

bool Floor::is_known(const Question& q, const std::vector<Read>& sorted) const {
  return std::ranges::all_of(q.reads, [&](const Read& wanted) {
    return std::ranges::any_of(
        sorted, [&](const Read& r) { return r.base == wanted.base && r.begin <= wanted.begin && wanted.end <= r.end; });
  });
}

/// The questions whose answers would have to be others: as few as possible; none where all ways lead to one verdict.
Floor::Chosen Floor::way_to_another_verdict(const Answers& answers, const std::vector<Read>& known) const {
  constexpr std::size_t unreached = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> turns(graph_.node_count(), unreached);
  std::vector<NodeId> from(graph_.node_count());
  const auto lead = [&](NodeId here, NodeId to, std::size_t more) {
    if (turns[at(here)] + more >= turns[at(to)]) return;
    turns[at(to)] = turns[at(here)] + more;
    from[at(to)] = here;
  };
  NodeId end_of_packet = graph_.root;
  turns[at(graph_.root)] = 0;
  for (std::size_t i = at(graph_.root) + 1; i-- > 0;) {
    const NodeId id{static_cast<std::uint32_t>(i)};
    const Node& n = graph_[id];
    if (turns[i] == unreached) continue;
    if (n.kind == NodeKind::Return && turns[i] == 0) end_of_packet = id;
    if (n.kind == NodeKind::Return) continue;
    const bool holds = !n.forks() || answers[i] == Yes;
    lead(id, holds ? n.t : n.f, 0);
    if (n.forks() && !is_known(questions_.at(id), known)) lead(id, holds ? n.f : n.t, 1);
  }
  NodeId other = graph_.root;
  for (std::size_t i = 0, fewest = unreached; i <= at(graph_.root); ++i) {
    const NodeId id{static_cast<std::uint32_t>(i)};
    if (graph_[id].kind != NodeKind::Return || turns[i] >= fewest || rejects(graph_, id) == rejects(graph_, end_of_packet)) continue;
    fewest = turns[i];
    other = id;
  }
  Chosen turned;
  for (NodeId here = other; here != graph_.root; here = from[at(here)])
    if (turns[at(here)] != turns[at(from[at(here)])]) turned.push_back(from[at(here)]);
  return turned;
}

}  // namespace weir::bench
