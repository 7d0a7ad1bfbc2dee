#include "optimize/follow.hpp"

namespace weir::optimize {

using namespace ir;

NodeId Follow::past(NodeId to, const Known& known) {
  steps_ = 0;
  for (to = past_decided(to, known); steps_ < max_steps;) {
    const NodeId next = behind(to, known);
    if (next == to) break;
    to = next;
  }
  cut_short_ |= steps_ >= max_steps;
  return to;
}

NodeId Follow::past_decided(NodeId to, const Known& known) {
  for (; steps_ < max_steps; ++steps_) {
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

const Question* Follow::asked(NodeId id) {
  std::uint32_t& place = asked_[id];
  if (place == not_worked_out) {
    const bool matters = subjects_.has_several(subject(program_, program_[id]));
    const auto q = matters ? question(program_, ranges_, program_[id]) : std::nullopt;
    place = q ? static_cast<std::uint32_t>(questions_.size()) + 2 : no_question;
    if (questions_.empty()) questions_.reserve(few);
    if (q) questions_.push_back(*q);
  }
  return place == no_question ? nullptr : &questions_[place - 2];
}

std::optional<bool> Follow::decided(const Node& n, const Question* q, const Known& known) {
  if (n.kind == NodeKind::Guard) return ranges_.passage(n) == Ranges::Passage::Always ? std::optional(true) : std::nullopt;
  if (!n.forks() || !q) return std::nullopt;
  if (const auto answer = known.decides(numbers_, *q)) return answer;
  return known.excludes(program_, numbers_, *q) ? std::optional(false) : std::nullopt;
}

}  // namespace weir::optimize
