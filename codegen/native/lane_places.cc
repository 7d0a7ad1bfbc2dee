#include "native/lane_places.hpp"

#include <algorithm>
#include <numeric>
#include <span>

namespace weir::native {

namespace {

class Placing {
 public:
  Placing(const Lanes& code, std::uint32_t registers) : code_(code), places_(code.size()), held_(registers, no_lane) {}

  LanePlaces run() {
    collect_uses();
    done_.steps.reserve(code_.size());
    for (std::uint32_t i = 0; i < code_.size(); ++i) step(i);
    done_.verdict = place_of(code_.verdict);
    return std::move(done_);
  }

 private:
  static std::size_t index(LaneId id) { return static_cast<std::size_t>(id); }

  /// Columns come into being with their window, and are needed by others than themselves.
  void collect_uses() {
    first_use_.assign(code_.size() + 1, 0);
    each_use([&](LaneId used, std::uint32_t) { ++first_use_[index(used) + 1]; });
    std::partial_sum(first_use_.begin(), first_use_.end(), first_use_.begin());
    uses_.resize(first_use_.back());
    std::vector<std::uint32_t> end = first_use_;
    each_use([&](LaneId used, std::uint32_t by) { uses_[end[index(used)]++] = by; });
  }

  void each_use(auto what) const {
    for (std::uint32_t i = 0; i < code_.size(); ++i)
      for (const LaneId operand : {code_[LaneId{i}].a, code_[LaneId{i}].b})
        if (operand != no_lane && code_[operand].kind != LaneKind::Window) what(operand, i);
    what(code_.verdict, static_cast<std::uint32_t>(code_.size()));
  }

  std::span<const std::uint32_t> uses_of(LaneId id) const { return std::span(uses_).subspan(first_use_[index(id)], first_use_[index(id) + 1] - first_use_[index(id)]); }

  LanePlace place_of(LaneId id) const {
    if (id == no_lane) return {};
    if (code_[id].kind == LaneKind::Constant) return {LanePlace::Kind::Constant, code_[id].k};
    return places_[index(id)];
  }

  void step(std::uint32_t i) {
    const Lane& lane = code_[LaneId{i}];
    LaneStep& s = done_.steps.emplace_back();
    if (lane.kind == LaneKind::Constant || lane.kind == LaneKind::Column) return;
    s.a = place_of(lane.a);
    s.b = place_of(lane.b);
    for (LaneId& held : held_)
      if (held != no_lane && uses_of(held).back() <= i) held = no_lane;
    if (lane.kind == LaneKind::Window) return columns(i, s);
    if (lane.kind != LaneKind::Demand) s.to = take(LaneId{i}, i, s);
  }

  void columns(std::uint32_t window, LaneStep& s) {
    for (std::uint32_t c = window + 1; c < code_.size() && code_[LaneId{c}].kind == LaneKind::Column; ++c) s.columns[code_[LaneId{c}].k] = take(LaneId{c}, window, s);
  }

  std::uint32_t next_use(LaneId id, std::uint32_t after) const { return *std::ranges::upper_bound(uses_of(id), after); }

  /// A register for what this step makes: not that of something else which it makes.
  LanePlace take(LaneId id, std::uint32_t at, LaneStep& s) {
    auto best = std::ranges::find(held_, no_lane);
    if (best == held_.end()) {
      best = std::ranges::max_element(held_, {}, [&](LaneId held) { return held < LaneId{at} ? next_use(held, at) : 0; });
      s.stores.push_back({static_cast<std::uint32_t>(best - held_.begin()), done_.stack});
      places_[index(*best)] = {LanePlace::Kind::Stack, done_.stack++};
    }
    *best = id;
    return places_[index(id)] = {LanePlace::Kind::Register, static_cast<std::uint32_t>(best - held_.begin())};
  }

  const Lanes& code_;
  std::vector<LanePlace> places_;  ///< as they are now
  /// Steps that need a lane, in ascending order, one lane's behind the other's; and where each one's begin.
  std::vector<std::uint32_t> uses_, first_use_;
  std::vector<LaneId> held_;  ///< by the registers
  LanePlaces done_;
};

}  // namespace

LanePlaces place_lanes(const Lanes& code, std::uint32_t registers) { return Placing(code, registers).run(); }

}  // namespace weir::native
