#include "optimize/follow.hpp"

#include <algorithm>

namespace weir::optimize {

using namespace ir;

namespace {
constexpr NodeId nowhere{0xffffffff};
}

NodeId Follow::past(NodeId to, const Known& known) {
  const NodeKind kind = program_[to].kind;
  if (kind == NodeKind::Return || (known.empty() && kind != NodeKind::Guard)) return to;  // mostly
  steps_ = 0;
  for (to = past_decided(to, known); steps_ < max_steps;) {
    const NodeId next = behind(to, known);
    if (next == to) break;
    to = next;
  }
  cut_short_ |= steps_ >= max_steps;
  return looks_onward_ ? rejection_behind(to, known).value_or(to) : to;
}

/// u == a ? (v == b ? A : reject) : (w == c ? (v == b ? A : reject) : reject)  ==  reject, where v is known to be something else: all
/// ways from a test that do not reject come together, and what is asked there is decided.
std::optional<NodeId> Follow::rejection_behind(NodeId test, const Known& known) {
  if (known.empty() || !program_[test].forks()) return std::nullopt;
  if (!onward_) {
    const Flags live = live_nodes(program_);
    onward_.emplace(program_, live);
    ways_in_ = ways_in(program_, live);
    if (program_.has_choices()) in_choice_ = nodes_in_choices(program_);
  }
  if (in_choice_ && (*in_choice_)[test]) return std::nullopt;  // what returns 0 there does not reject, as a check on the way may
  if (ways_in_[test] != 1) return std::nullopt;  // others would still get there, and what they ask would differ from what is asked here
  constexpr std::size_t some = 5;
  constexpr int farthest = 16;
  NodeId at = (*onward_)[test];
  for (int steps = 0; steps < farthest && Onward::is_somewhere(at); ++steps) {
    const Node& n = program_[at];
    if (n.kind == NodeKind::Return) return std::nullopt;
    const auto outcome = decided(n, n.forks() ? asked(at) : nullptr, known);
    const NodeId to = outcome && !*outcome ? n.f : n.t;
    if (outcome && rejects(program_, to)) return tests_between(test, at) >= some ? std::optional(to) : std::nullopt;
    at = outcome ? to : (*onward_)[at];
  }
  return std::nullopt;
}

NodeId Follow::past_decided(NodeId to, const Known& known) {
  for (; steps_ < max_steps; ++steps_) {
    if (steps_ != 0 && steps_ % patience == 0) to = leap(to, known);
    const Node& n = program_[to];
    const auto outcome = decided(n, n.forks() && !known.empty() ? asked(to) : nullptr, known);
    if (!outcome) break;
    to = *outcome ? n.t : n.f;
  }
  return to;
}

/// Where both outcomes of an undecided test lead; itself where that is not one place. That u == a and v == b does not
/// hold where v is known to be something else, for one: u need not be asked.
NodeId Follow::behind(NodeId test, const Known& known) {
  const Node& n = program_[test];
  if (known.empty() || !n.forks() || !program_[n.t].forks() || !decided(program_[n.t], asked(n.t), known)) return test;
  if (ranges_.may_reject(n.a) || ranges_.may_reject(n.b)) return test;
  const NodeId yes = past_decided(n.t, known), no = past_decided(n.f, known);
  return yes == no ? yes : test;
}

/// As far as they are counted.
std::size_t Follow::tests_between(NodeId from, NodeId to) const {
  constexpr std::size_t most = 8;
  std::vector<NodeId> met{from};
  std::size_t tests = 0;
  for (std::size_t i = 0; i < met.size() && met.size() <= most; ++i) {
    const Node& n = program_[met[i]];
    tests += n.forks();
    for (const NodeId next : {n.t, n.forks() ? n.f : n.t})
      if (next != to && program_[next].kind != NodeKind::Return && std::ranges::find(met, next) == met.end()) met.push_back(next);
  }
  return tests;
}

/// Along rows of tests that say nothing new of values known to be one number.
NodeId Follow::leap(NodeId from, const Known& known) {
  known.each_number(numbers_, [&](ValueId value, std::uint32_t number) {
    auto rows = std::ranges::find(leaps_, value, &Leaps::value);
    if (rows == leaps_.end()) rows = leaps_.emplace(rows, value, program_.node_count());
    for (NodeId before = nowhere; from != before;) {
      before = from;
      from = rows->past(from, number, [&](NodeId id) { return link_at(value, id); });
    }
  });
  return from;
}

/// v == k ? … : next, or w == c ? (v == k ? … : next) : next.
std::optional<Leaps::Link> Follow::link_at(ValueId value, NodeId id) {
  const Node& n = program_[id];
  if (!n.forks()) return std::nullopt;
  if (const auto k = number_asked(value, id)) return Leaps::Link{*k, n.f};
  if (subject(program_, n) == value || program_[n.t].f != n.f || ranges_.may_reject(n.a) || ranges_.may_reject(n.b)) return std::nullopt;
  const auto k = number_asked(value, n.t);
  return k ? std::optional(Leaps::Link{*k, n.f}) : std::nullopt;
}

/// The one number of a value for which a test holds.
std::optional<std::uint32_t> Follow::number_asked(ValueId value, NodeId id) {
  const Node& n = program_[id];
  if (!n.forks() || subject(program_, n) != value) return std::nullopt;
  const Question* q = asked(id);
  return q && q->value == value && q->mask == 0xffffffff ? q->holds.only() : std::nullopt;
}

void Follow::work_out(NodeId id) {
  asked_[id] = no_question;
  if (!subjects_.has_several(subject(program_, program_[id]))) return;
  auto q = question(program_, ranges_, program_[id]);
  if (!q) return;
  if (questions_.empty()) questions_.reserve(few);
  asked_[id] = static_cast<std::uint32_t>(questions_.size()) + 2;
  questions_.push_back(std::move(*q));
}

std::optional<bool> Follow::decided(const Node& n, const Question* q, const Known& known) {
  if (n.kind == NodeKind::Guard) return ranges_.passage(n) == Ranges::Passage::Always ? std::optional(true) : std::nullopt;
  if (!n.forks() || !q) return std::nullopt;
  if (const auto answer = known.decides(numbers_, *q)) return answer;
  return known.excludes(program_, numbers_, *q) ? std::optional(false) : std::nullopt;
}

}  // namespace weir::optimize
