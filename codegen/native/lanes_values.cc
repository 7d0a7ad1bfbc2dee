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
  const auto window = load.a == no_value ? window_of(load) : windows_.end();
  if (window == windows_.end()) return looked_up(load);
  const std::uint32_t at = load.k - window->at;
  if (window->size == lane_size) {
    const LaneId word = lanes_.add({LaneKind::InBytes, lane_size, window->at});
    return {word, word, at};
  }
  const LaneId all = lanes_.add({LaneKind::Window, 0, window->at});
  std::array<LaneId, window_size / lane_size> columns{};
  for (std::uint32_t i = 0; i < columns.size(); ++i) columns[i] = op(LaneKind::Column, all, i);
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
  // Packets that do not come here are looked at where their headers are, too: a fixed place is one of few packets.
  const std::uint32_t near = load.a != no_value ? at : windows_.empty() ? 0 : windows_.front().at;
  const std::uint32_t least = std::min({at, near, least_ - width});
  const LaneId rest = load.a == no_value ? constant(at - least) : op(LaneKind::Add, value(load.a), constant(at - least));
  const LaneId found = lanes_.add(
      {LaneKind::InBytes, static_cast<std::uint8_t>(width), least, op(LaneKind::And, rest, here_.reached), here_.reached});
  if (load.a != no_value && load.k <= farthest_ahead) look_ahead(load.k + usual_header, load.size());
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
