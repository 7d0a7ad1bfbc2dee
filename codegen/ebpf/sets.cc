// How membership in a set is asked without a map: by comparisons, in parts where there are many, or by a bit of a constant.
#include <algorithm>
#include <vector>

#include "ebpf/raw.hpp"
#include "ebpf/select.hpp"

namespace weir::ebpf {

using namespace ir;

namespace {

constexpr std::size_t most_in_chain = 5;

/// How many of them come first, without a jump. One that is taken costs as much as three or four that are not (0.65 and 0.18 ns,
/// AMD Zen 3), and then three quarters are best; and processors foresee a jump that is seldom taken more often than one that is
/// taken by half of all.
std::size_t first_part(std::size_t intervals) { return intervals * 3 / 4; }

/// The elements as their bytes lie in memory, which need not be put in order then; nothing when they are not single numbers.
std::vector<Interval> raw_points(std::span<const Interval> intervals, std::uint32_t size) {
  std::vector<Interval> points;
  for (const Interval i : intervals) {
    if (i.low != i.high) return {};
    const std::uint32_t k = as_raw(i.low, size);
    points.push_back({k, k});
  }
  std::ranges::sort(points, {}, &Interval::low);
  return points;
}

}  // namespace

void Select::member(Graph& g, const Node& n) {
  const Value& v = program_[n.a];
  const Interval domain{0, v.kind == ValueKind::Load ? highest(v.size()) : 0xffffffff};
  const Set set = program_.set_of(n) & Set(domain);
  if (set.empty()) {
    release(g, n.t);
    return go_to(g, n.f);
  }
  const bool dense = set.high() - set.low() < 64 && comparisons(set.intervals(), domain) > 2;
  const bool in_order = v.kind != ValueKind::Load || is_in_order(n.a) || held(n.a, Machine::Form::Value) || machine_.is_home(n.a);
  std::vector<Interval> points;
  if (!dense && !in_order) points = raw_points(set.intervals(), v.size());
  const Register r = points.empty() ? value(n.a) : raw(n.a);
  const Ways ways{way(g, follow(n.t)), way(g, follow(n.f))};
  const Condition c = dense ? bits(r, set.intervals(), ways) : membership(r, points.empty() ? set.intervals() : points, domain, ways);
  branch(g, c, n.t, n.f);
}

/// Jumps out where it is clear; the last comparison is left to who asks.
Condition Select::membership(Register v, std::span<const Interval> intervals, Interval domain, const Ways& ways) {
  while (intervals.size() > most_in_chain) {
    const std::size_t split = first_part(intervals.size());
    const Label upper = code_.label();
    code_.jump({.relation = op::JGE, .left = v, .k = intervals[split].low}, upper);
    const Condition c = membership(v, intervals.first(split), {domain.low, intervals[split].low - 1}, ways);
    code_.jump(c, ways.in);
    code_.jump(ways.out);
    code_.bind(upper);
    domain.low = intervals[split].low;
    intervals = intervals.subspan(split);
  }
  return chain(v, intervals, domain, ways);
}

Condition Select::chain(Register v, std::span<const Interval> intervals, Interval domain, const Ways& ways) {
  for (std::size_t i = 0;; ++i) {
    const Interval in = intervals[i];
    const bool last = i + 1 == intervals.size();
    Condition c;
    if (in.low == in.high) {
      c = {.relation = op::JEQ, .left = v, .k = in.low};
    } else if (last && in.high >= domain.high) {
      return {.relation = op::JGE, .left = v, .k = in.low};
    } else {
      // Ascending: what is below this interval, and was in none before it, is in none.
      if (in.low > domain.low) code_.jump({.relation = op::JLT, .left = v, .k = in.low}, ways.out);
      c = {.relation = op::JLE, .left = v, .k = in.high};
    }
    if (last) return c;
    code_.jump(c, ways.in);
  }
}

/// A bit of a 64-bit constant for each number from the lowest on.
Condition Select::bits(Register v, std::span<const Interval> intervals, const Ways& ways) {
  const std::uint32_t low = intervals.back().high < 64 ? 0 : intervals.front().low;
  std::uint64_t mask = 0;
  for (const Interval i : intervals)
    for (std::uint64_t x = i.low; x <= i.high; ++x) mask |= std::uint64_t{1} << (x - low);
  ++pins_[v];
  Register distance = v;
  if (low != 0) {
    distance = take();
    code_.move32(distance, v);
    code_.alu32(op::SUB, distance, low);
  }
  code_.jump({.relation = op::JGT, .left = distance, .k = 63}, ways.out);
  ++pins_[distance];
  const Register word = take();
  --pins_[distance];
  --pins_[v];
  code_.set64(word, mask);
  code_.alu64(op::RSH, word, distance);
  return {.relation = op::JSET, .wide = true, .left = word, .k = 1};
}

}  // namespace weir::ebpf
