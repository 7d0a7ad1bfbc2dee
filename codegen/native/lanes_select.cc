#include "native/lanes_select.hpp"

#include <algorithm>

#include "native/bytes.hpp"
#include "native/masked.hpp"

namespace weir::native {

using namespace ir;

namespace {

/// Beyond so many nodes, the first few of which tell most packets apart, not all are asked for each.
constexpr std::size_t most_nodes = 100;
/// Instructions for a packet: so many cost as much as the branches that are mispredicted in the code of one.
constexpr std::size_t most_cost = 40 * 8;

}  // namespace

std::optional<Lanes> lanes_of(const Program& p, const Plan& plan, SetPlans& sets) {
  if (plan.too_large() || plan.node_count() > most_nodes || plan.needs_metadata()) return std::nullopt;
  return LaneSelect(p, plan, sets).make();
}

std::optional<Lanes> LaneSelect::make() {
  const std::uint64_t end = plan_.merged_end(no_value, 0);
  if (end > farthest_ahead) return std::nullopt;
  least_ = std::max(window_size, static_cast<std::uint32_t>(end));
  choose_windows();
  lanes_.first_byte = std::min(lanes_.first_byte, lanes_.last_byte);
  lanes_.verdict = constant(0);
  op(LaneKind::Demand, constant(all_ones), is_captured(no_value, least_));
  here_.captured.learn(no_value, least_);
  come_to(program_.root, constant(all_ones));
  while (can_ && !ahead_.empty()) {
    const auto next = ahead_.extract(ahead_.begin());
    here_ = std::move(next.mapped());
    node(program_[next.key()]);
  }
  lanes_.trim();
  if (!can_ || lanes_.cost() > most_cost) return std::nullopt;
  return std::move(lanes_);
}

// ---- windows ------------------------------------------------------------------------------------------------------

/// Loads at fixed places that all packets have are taken from windows, as few as there can be.
void LaneSelect::choose_windows() {
  const std::vector<Value> loads = loads_of_all();
  for (std::size_t i = 0; i < loads.size(); ++i) {
    if (window_of(loads[i]) != windows_.end()) continue;
    const Window w = windows_.emplace_back(window_from(std::span(loads).subspan(i)));
    look_ahead(w.at, w.size);
  }
}

/// The first of them tells how many bytes nearly all packets have: a window more.
std::vector<Value> LaneSelect::loads_of_all() {
  std::vector<Value> loads;
  for (std::uint32_t i = 0; i < program_.value_count(); ++i)
    if (const Value& v = program_[ValueId{i}]; plan_.uses(ValueId{i}) != 0 && v.kind == ValueKind::Load && v.a == no_value)
      loads.push_back(v);
  std::ranges::sort(loads, {}, &Value::k);
  if (!loads.empty() && loads.front().k <= window_size) least_ = std::max(least_, loads.front().k + window_size);
  std::erase_if(loads, [&](const Value& v) { return v.k + std::uint64_t{v.size()} > least_; });
  return loads;
}

std::vector<LaneSelect::Window>::const_iterator LaneSelect::window_of(const Value& load) const {
  return std::ranges::find_if(windows_, [&](const Window& w) { return w.has(load); });
}

/// The window of the first of these loads begins where the fewest of them lie in two columns. One column is enough where they lie so near
/// each other: then nothing else is fetched from memory.
LaneSelect::Window LaneSelect::window_from(std::span<const Value> loads) const {
  const auto from = [&](std::uint32_t size) { return Window{std::min(loads.front().k, least_ - size), size}; };
  const Window last = from(window_size), word = from(lane_size);
  if (std::ranges::all_of(loads, [&](const Value& v) { return word.has(v) || !last.has(v); })) return word;
  const auto split = [&](const Window& w) {
    return std::ranges::count_if(loads, [&](const Value& v) { return !w.has(v) || (v.k - w.at) % lane_size + v.size() > lane_size; });
  };
  Window best = last;
  for (Window w = last; w.at-- > 0 && w.at + lane_size > last.at && w.has(loads.front());)
    if (split(w) < split(best)) best = w;
  return best;
}

void LaneSelect::look_ahead(std::uint32_t at, std::uint32_t size) {
  lanes_.first_byte = std::min(lanes_.first_byte, at);
  lanes_.last_byte = std::max(lanes_.last_byte, at + size - 1);
}

// ---- nodes --------------------------------------------------------------------------------------------------------

void LaneSelect::node(const Node& n) {
  switch (n.kind) {
    case NodeKind::Guard: return guard(n);
    case NodeKind::Test: return fork(n, ask(n));
    case NodeKind::Member: return fork(n, {member(n)});
    case NodeKind::NonZero:
    case NodeKind::Return: can_ = false;  // a return that is no constant
  }
}

void LaneSelect::guard(const Node& n) {
  const std::uint64_t own_end = end_of(n);
  if (here_.captured.has(n.a, own_end)) return come_to(n.t, here_.reached);
  const std::uint64_t end = plan_.merged_end(n.a, own_end);
  const LaneId captured = is_captured(n.a, end);
  if (end != own_end) op(LaneKind::Demand, here_.reached, captured);
  else here_.reached = op(LaneKind::And, here_.reached, captured);
  here_.captured.learn(n.a, end);
  here_.captured.learn(no_value, end);  // captured bytes are the first ones
  come_to(n.t, here_.reached);
}

void LaneSelect::fork(const Node& n, Answer answer) {
  const LaneId holds = op(LaneKind::And, here_.reached, answer.lanes), fails = op(LaneKind::Except, answer.lanes, here_.reached);
  come_to(n.t, answer.opposite ? fails : holds);
  come_to(n.f, answer.opposite ? holds : fails);
}

void LaneSelect::come_to(NodeId to, LaneId reached) {
  const Node& n = program_[to];
  if (lanes_.is_constant(reached, 0)) return;
  if (n.kind == NodeKind::Return) {
    const auto k = constant_of(program_, n.a);
    if (!k) can_ = false;
    else if (*k != 0) lanes_.verdict = op(LaneKind::Or, lanes_.verdict, reached);
    return;
  }
  const auto [found, is_new] = ahead_.try_emplace(to, here_);
  Place& place = found->second;
  if (is_new) {
    place.reached = reached;
    return;
  }
  place.reached = op(LaneKind::Or, place.reached, reached);
  place.captured.meet(here_.captured);
  std::erase_if(place.looked, [&](const Looked& l) { return std::ranges::find(here_.looked, l) == here_.looked.end(); });
}

// ---- tests --------------------------------------------------------------------------------------------------------

LaneSelect::Answer LaneSelect::ask(const Node& n) {
  if (const auto answer = ask_bytes(n)) return *answer;
  const LaneId a = value(n.a), b = value(n.b);
  switch (n.relation()) {
    case Relation::Equal: return {op(LaneKind::Equal, a, b)};
    case Relation::Greater: return {op(LaneKind::AtLeast, b, a), true};
    case Relation::GreaterEqual: return {op(LaneKind::AtLeast, a, b)};
    case Relation::Bits: return {op(LaneKind::Equal, op(LaneKind::And, a, b), constant(0)), true};
  }
  return {};
}

/// Bytes that are compared need not be put in order.
std::optional<LaneSelect::Answer> LaneSelect::ask_bytes(const Node& n) {
  const auto t = masked_test(program_, n);
  if (!t) return std::nullopt;
  const Value& v = program_[t->load];
  const Field f = field(v);
  const bool is_split = f.is_split(t->size);
  const LaneId from = is_split ? bytes(v, false) : f.low;
  const std::uint32_t up = is_split ? 0 : 8 * f.before;
  const LaneId wanted = constant(swapped(t->wanted, t->size) << up), mask = constant(swapped(t->mask, t->size) << up);
  return Answer{op(LaneKind::Equal, op(LaneKind::And, from, mask), wanted), t->opposite};
}

}  // namespace weir::native
