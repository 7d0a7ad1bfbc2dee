// Values of a graph as lanes.
#include <algorithm>

#include "native/lanes_select.hpp"

namespace weir::native {

using namespace ir;

namespace {

/// Values that others share are worked out once, but each is come to on every way.
constexpr std::size_t most_work = 2000;
/// A header whose length varies is this long, mostly: then that is where what follows it lies.
constexpr std::uint32_t usual_header = 20;
constexpr std::uint32_t lane_size = 4, window_size = 16;
/// Nothing is asked for ahead beyond the longest of IPv4's packets: few have so many bytes, and an instruction does not reach that far in all cases.
constexpr std::uint64_t farthest_ahead = 0xffff;

}  // namespace

LaneId LaneSelect::cannot() {
  can_ = false;
  return constant(0);
}

LaneId LaneSelect::value(ValueId id) {
  if (!can_ || ++work_ > most_work) return cannot();
  const Value& v = program_[id];
  switch (v.kind) {
    case ValueKind::Constant: return constant(v.k);
    case ValueKind::Load: return bytes(v, true);
    case ValueKind::Length: return lanes_.add({LaneKind::Length});
    case ValueKind::Negate: return op(LaneKind::Subtract, constant(0), value(v.a));
    case ValueKind::Binary: return binary(v);
    case ValueKind::Meta:
    case ValueKind::Choice: break;
  }
  return cannot();
}

LaneId LaneSelect::binary(const Value& v) {
  switch (v.arith()) {
    case Arith::Add: return op(LaneKind::Add, value(v.a), value(v.b));
    case Arith::Sub: return op(LaneKind::Subtract, value(v.a), value(v.b));
    case Arith::Mul: return op(LaneKind::Multiply, value(v.a), value(v.b));
    case Arith::And: return op(LaneKind::And, value(v.a), value(v.b));
    case Arith::Or: return op(LaneKind::Or, value(v.a), value(v.b));
    case Arith::Xor: return op(LaneKind::Xor, value(v.a), value(v.b));
    case Arith::Lsh: return shifted(v, LaneKind::ShiftLeft, LaneKind::ShiftLeftBy);
    case Arith::Rsh: return shifted(v, LaneKind::ShiftRight, LaneKind::ShiftRightBy);
    case Arith::Div:
    case Arith::Mod: break;
  }
  return cannot();
}

LaneId LaneSelect::shifted(const Value& v, LaneKind by_constant, LaneKind by_value) {
  const auto k = constant_of(program_, v.b);
  if (!k) return op(by_value, value(v.a), value(v.b));
  return *k < 32 ? op(by_constant, value(v.a), *k) : constant(0);
}

// ---- loads --------------------------------------------------------------------------------------------------------

LaneId LaneSelect::bytes(const Value& load, bool in_order) {
  const Field f = field(load);
  const std::uint32_t size = load.size();
  if (size == lane_size && f.before == 0 && !in_order) return f.low;
  std::uint32_t low = 0, high = 0;
  for (std::uint32_t i = 0; i < lane_size; ++i) {
    const std::uint32_t from = i < size ? f.before + (in_order ? size - 1 - i : i) : no_byte;
    low |= (from < lane_size ? from : no_byte) << 8 * i;
    high |= (from >= lane_size && from != no_byte ? from - lane_size : no_byte) << 8 * i;
  }
  const LaneId first = op(LaneKind::Bytes, f.low, low);
  return f.is_split(size) ? op(LaneKind::Or, first, op(LaneKind::Bytes, f.high, high)) : first;
}

LaneSelect::Field LaneSelect::field(const Value& load) {
  const bool is_far = load.a == no_value && !is_in_window(load);  // where few packets are looked at
  const std::uint64_t usual = std::uint64_t{load.k} + (load.a == no_value ? 0 : usual_header);
  if (!is_far && usual <= farthest_ahead) {
    lanes_.first_byte = std::min(lanes_.first_byte, static_cast<std::uint32_t>(usual));
    lanes_.last_byte = std::max(lanes_.last_byte, static_cast<std::uint32_t>(usual) + load.size() - 1);
  }
  if (load.a != no_value || is_far) return looked_up(load);
  const std::uint32_t w = *window_of(load);
  const LaneId window = lanes_.add({LaneKind::Window, 0, w});
  std::array<LaneId, window_size / lane_size> columns{};
  for (std::uint32_t i = 0; i < columns.size(); ++i) columns[i] = op(LaneKind::Column, window, i);
  const std::uint32_t at = load.k - w;
  return {columns[at / lane_size], columns[std::min<std::size_t>(at / lane_size + 1, columns.size() - 1)], at % lane_size};
}

/// Looks where it may, at as much as it may, and not where it has looked already.
LaneSelect::Field LaneSelect::looked_up(const Value& load) {
  const std::uint64_t end = here_.captured.end(load.a);
  if (end < std::uint64_t{load.k} + load.size()) return {cannot(), cannot(), 0};
  for (const Looked& l : here_.looked)
    if (l.base == load.a && l.at <= load.k && load.k + load.size() <= l.at + l.width) return {l.bytes, l.bytes, load.k - l.at};
  const std::uint32_t width = end >= lane_size ? lane_size : load.size();
  const auto at = static_cast<std::uint32_t>(std::min<std::uint64_t>(load.k, end - width));
  const LaneId from = load.a == no_value ? constant(at) : op(LaneKind::Add, value(load.a), constant(at));
  // Packets that do not come here are looked at at their beginning.
  const LaneId inside = op(LaneKind::And, from, here_.reached);
  const LaneId found = lanes_.add({LaneKind::InBytes, static_cast<std::uint8_t>(width), 0, inside, here_.reached});
  here_.looked.push_back({load.a, at, width, found});
  return {found, found, load.k - at};
}

LaneId LaneSelect::is_captured(ValueId base, std::uint64_t end) {
  constexpr std::uint64_t most = 0xffffffff;
  if (end > most) return constant(0);
  const LaneId captured = lanes_.add({LaneKind::Captured}), k = constant(static_cast<std::uint32_t>(end));
  if (base == no_value) return op(LaneKind::AtLeast, captured, k);
  const LaneId from = value(base);
  if (ranges_.of(base).high + end <= most) return op(LaneKind::AtLeast, captured, op(LaneKind::Add, from, k));
  return op(LaneKind::And, op(LaneKind::AtLeast, captured, k), op(LaneKind::AtLeast, op(LaneKind::Subtract, captured, k), from));
}

}  // namespace weir::native
