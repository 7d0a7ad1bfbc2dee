// Membership as lanes.
#include "native/bytes.hpp"
#include "native/lanes_select.hpp"

namespace weir::native {

namespace {

/// So many intervals cost no more, asked for one after the other, than eight looks into a table.
constexpr std::size_t most_compared = 8;
constexpr std::uint32_t word_bits = 32;
constexpr std::size_t most_shifted = 2;  ///< words that need no table

}  // namespace

LaneId LaneSelect::member(const ir::Node& n) {
  const auto& [plan, table] = sets_.of(n);
  const auto intervals = program_.set_of(n).intervals();
  const auto v = [&] { return wants_raw(plan) ? bytes(program_[n.a], false) : value(n.a); };
  if (const auto* c = std::get_if<SetPlan::Chain>(&plan.how)) return in_chain(c->intervals, v());
  if (const auto* b = std::get_if<SetPlan::Bits>(&plan.how); b != nullptr && b->words.size() <= most_shifted) return in_words(*b, v());
  if (intervals.size() <= most_compared || std::holds_alternative<SetPlan::Tree>(plan.how)) return in_chain(intervals, value(n.a));
  if (const auto* b = std::get_if<SetPlan::Bits>(&plan.how)) return in_bits(*b, table, v());
  if (const auto* h = std::get_if<SetPlan::Hash>(&plan.how)) return in_hash(*h, table, v());
  return cannot();
}

LaneId LaneSelect::in_chain(std::span<const Interval> intervals, LaneId v) {
  LaneId any = constant(0);
  for (const Interval in : intervals) {
    const LaneId one = in.low == in.high ? op(LaneKind::Equal, v, constant(in.low))
                                         : op(LaneKind::AtLeast, constant(in.high - in.low), op(LaneKind::Subtract, v, constant(in.low)));
    any = op(LaneKind::Or, any, one);
  }
  return any;
}

/// From a number that lies outside nothing is left.
LaneId LaneSelect::in_words(const SetPlan::Bits& b, LaneId v) {
  const LaneId index = op(LaneKind::Subtract, v, constant(b.low)), one = constant(1);
  LaneId word = op(LaneKind::ShiftRightBy, constant(b.words[0]), index);
  if (b.words.size() == 2)
    word = op(LaneKind::Or, word,
              op(LaneKind::ShiftRightBy, constant(b.words[1]), op(LaneKind::Subtract, index, constant(word_bits))));
  return op(LaneKind::Equal, op(LaneKind::And, word, one), one);
}

LaneId LaneSelect::in_bits(const SetPlan::Bits& b, std::uint32_t table, LaneId v) {
  const LaneId index = op(LaneKind::Subtract, v, constant(b.low)), one = constant(1);
  const LaneId inside = op(LaneKind::AtLeast, constant(b.count - 1), index);
  const LaneId place = op(LaneKind::And, op(LaneKind::ShiftRight, index, 5u), inside);
  lanes_.tables.try_emplace(table, b.words);
  const LaneId word = lanes_.add({LaneKind::InTable, 0, table, place, here_.reached});
  const LaneId bit = op(LaneKind::ShiftRightBy, word, op(LaneKind::And, index, constant(word_bits - 1)));
  return op(LaneKind::And, op(LaneKind::Equal, op(LaneKind::And, bit, one), one), inside);
}

LaneId LaneSelect::in_hash(const SetPlan::Hash& h, std::uint32_t table, LaneId v) {
  if (h.bucket_bits != 0) return cannot();  // products of 64 bits
  LaneId key = v;
  if (h.shift != 0) key = h.raw ? op(LaneKind::And, v, constant(swapped(0xffffffffu << h.shift, 4))) : op(LaneKind::ShiftRight, v, h.shift);
  const LaneId product = op(LaneKind::Multiply, key, constant(static_cast<std::uint32_t>(h.multiplier)));
  const LaneId slot = op(LaneKind::ShiftRight, product, 32 - h.slot_bits);
  lanes_.tables.try_emplace(table, h.keys);
  return op(LaneKind::Equal, key, lanes_.add({LaneKind::InTable, 0, table, slot, here_.reached}));
}

}  // namespace weir::native
