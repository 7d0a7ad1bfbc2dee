#include "native/lanes.hpp"

#include <algorithm>
#include <bit>

namespace weir::native {

namespace {

bool commutes(LaneKind kind) {
  switch (kind) {
    case LaneKind::And:
    case LaneKind::Or:
    case LaneKind::Xor:
    case LaneKind::Add:
    case LaneKind::Multiply:
    case LaneKind::Equal: return true;
    default: return false;
  }
}

/// Instructions for a vector of packets, about.
std::size_t cost_of(LaneKind kind) {
  switch (kind) {
    case LaneKind::Constant:
    case LaneKind::Column: return 0;
    case LaneKind::Captured:
    case LaneKind::Length: return 16;
    case LaneKind::Window:
    case LaneKind::InTable: return 24;
    case LaneKind::InBytes: return 32;
    case LaneKind::AtLeast:
    case LaneKind::Demand: return 2;
    default: return 1;
  }
}

}  // namespace

LaneId Lanes::add(Lane lane) {
  if (commutes(lane.kind) && (*this)[lane.a].kind == LaneKind::Constant) std::swap(lane.a, lane.b);
  if (const auto same = folded(lane)) return *same;
  if (2 * steps_.size() >= slots_.size()) grow();
  LaneId& slot = slots_[slot_of(lane)];
  if (slot == no_lane) {
    slot = static_cast<LaneId>(steps_.size());
    steps_.push_back(lane);
  }
  return slot;
}

/// Where an equal step is, or would be.
std::size_t Lanes::slot_of(const Lane& lane) const {
  std::uint64_t h = static_cast<std::uint64_t>(lane.kind) << 8 | lane.width;
  for (const std::uint32_t part : {lane.k, static_cast<std::uint32_t>(lane.a), static_cast<std::uint32_t>(lane.b)})
    h = (h ^ part) * 0x9e3779b97f4a7c15u;
  std::size_t at = (h ^ h >> 32) & (slots_.size() - 1);
  while (slots_[at] != no_lane && (*this)[slots_[at]] != lane) at = (at + 1) & (slots_.size() - 1);
  return at;
}

void Lanes::grow() {
  slots_.assign(std::bit_ceil(4 * std::max<std::size_t>(64, steps_.size())), no_lane);
  steps_.reserve(slots_.size() / 2);
  for (std::size_t i = 0; i < steps_.size(); ++i) slots_[slot_of(steps_[i])] = static_cast<LaneId>(i);
}

/// What is there already and the same.
std::optional<LaneId> Lanes::folded(const Lane& lane) const {
  const auto [kind, width, k, a, b] = lane;
  switch (kind) {
    case LaneKind::And:
      if (a == b || is_constant(b, all_ones)) return a;
      if (is_constant(b, 0)) return b;
      return std::nullopt;
    case LaneKind::Or:
      if (a == b || is_constant(b, 0)) return a;
      if (is_constant(b, all_ones)) return b;
      return std::nullopt;
    case LaneKind::Except:
      if (is_constant(a, 0)) return b;
      return std::nullopt;
    case LaneKind::Add:
    case LaneKind::Subtract:
      if (is_constant(b, 0)) return a;
      return std::nullopt;
    case LaneKind::ShiftLeft:
    case LaneKind::ShiftRight:
      if (k == 0) return a;
      return std::nullopt;
    default: return std::nullopt;
  }
}

void Lanes::trim() {
  std::vector<LaneId> places(size(), no_lane);
  std::vector<std::uint8_t> needed(size());  // bits would take longer
  needed[static_cast<std::size_t>(verdict)] = 1;
  for (std::size_t i = size(); i-- > 0;) {
    if (steps_[i].kind == LaneKind::Demand) needed[i] = 1;
    if (!needed[i]) continue;
    for (const LaneId operand : {steps_[i].a, steps_[i].b})
      if (operand != no_lane) needed[static_cast<std::size_t>(operand)] = 1;
  }
  std::vector<Lane> kept;
  kept.reserve(size());
  const auto place = [&](LaneId id) { return id == no_lane ? no_lane : places[static_cast<std::size_t>(id)]; };
  for (std::size_t i = 0; i < size(); ++i) {
    if (!needed[i]) continue;
    places[i] = static_cast<LaneId>(kept.size());
    kept.push_back({steps_[i].kind, steps_[i].width, steps_[i].k, place(steps_[i].a), place(steps_[i].b)});
  }
  verdict = place(verdict);
  steps_ = std::move(kept);
  slots_.clear();
}

std::size_t Lanes::cost() const {
  std::size_t sum = 0;
  for (const Lane& lane : steps_) sum += cost_of(lane.kind);
  return sum;
}

}  // namespace weir::native
