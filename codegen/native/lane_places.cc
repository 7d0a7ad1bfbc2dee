#include "native/lane_places.hpp"

#include <algorithm>
#include <utility>

namespace weir::native {

namespace {

constexpr std::uint32_t never = 0xffffffff;

class Placing {
 public:
  Placing(const Lanes& code, std::uint32_t registers)
      : code_(code),
        places_(code.size()),
        next_(code.size(), never),
        after_a_(code.size(), never),
        after_b_(code.size(), never),
        held_(registers, no_lane) {}

  LanePlaces run() {
    link_uses();
    done_.steps.reserve(code_.size());
    for (std::uint32_t i = 0; i < code_.size(); ++i) step(i);
    done_.verdict = place_of(code_.verdict);
    return std::move(done_);
  }

 private:
  static std::size_t index(LaneId id) { return static_cast<std::size_t>(id); }

  /// From the last step to the first. Columns come into being with their window, and are needed by others than themselves.
  void link_uses() {
    next_[index(code_.verdict)] = static_cast<std::uint32_t>(code_.size());
    for (auto i = static_cast<std::uint32_t>(code_.size()); i-- > 0;) {
      const Lane& lane = code_[LaneId{i}];
      if (lane.kind == LaneKind::Column) continue;
      after_a_[i] = replace_next(lane.a, i);
      after_b_[i] = replace_next(lane.b, i);
    }
  }

  std::uint32_t replace_next(LaneId id, std::uint32_t use) { return id == no_lane ? never : std::exchange(next_[index(id)], use); }

  LanePlace place_of(LaneId id) const { return id == no_lane ? LanePlace{} : places_[index(id)]; }

  void step(std::uint32_t i) {
    const Lane& lane = code_[LaneId{i}];
    LaneStep& s = done_.steps.emplace_back();
    if (lane.kind == LaneKind::Constant) {
      places_[i] = {LanePlace::Kind::Constant, static_cast<std::uint32_t>(done_.constants.size())};
      done_.constants.push_back(lane.k);
    }
    if (lane.kind == LaneKind::Constant || lane.kind == LaneKind::Column) return;
    s.a = place_of(lane.a);
    s.b = place_of(lane.b);
    use(lane.b, after_b_[i]);
    use(lane.a, after_a_[i]);
    if (lane.kind == LaneKind::Window) return columns(i, s);
    if (lane.kind != LaneKind::Demand) s.to = take(LaneId{i}, i, s);
  }

  void columns(std::uint32_t window, LaneStep& s) {
    for (std::uint32_t c = window + 1; c < code_.size() && code_[LaneId{c}].kind == LaneKind::Column; ++c)
      s.columns[code_[LaneId{c}].k] = take(LaneId{c}, window, s);
  }

  /// A register whose lane no later step needs is free.
  void use(LaneId id, std::uint32_t next) {
    if (id == no_lane) return;
    next_[index(id)] = next;
    if (next == never && places_[index(id)].kind == LanePlace::Kind::Register) held_[places_[index(id)].number] = no_lane;
  }

  /// A register for what this step makes: not that of something else which it makes.
  LanePlace take(LaneId id, std::uint32_t at, LaneStep& s) {
    auto best = std::ranges::find(held_, no_lane);
    if (best == held_.end()) {
      best = std::ranges::max_element(held_, {}, [&](LaneId held) { return held < LaneId{at} ? next_[index(held)] : 0; });
      s.stores.push_back({static_cast<std::uint32_t>(best - held_.begin()), done_.stack});
      places_[index(*best)] = {LanePlace::Kind::Stack, done_.stack++};
    }
    *best = id;
    return places_[index(id)] = {LanePlace::Kind::Register, static_cast<std::uint32_t>(best - held_.begin())};
  }

  const Lanes& code_;
  std::vector<LanePlace> places_;  ///< as they are now
  /// The step that needs a lane next, by lanes; and the one that needs an operand of a step next behind it, by steps.
  std::vector<std::uint32_t> next_, after_a_, after_b_;
  std::vector<LaneId> held_;  ///< by the registers
  LanePlaces done_;
};

}  // namespace

LanePlaces place_lanes(const Lanes& code, std::uint32_t registers) { return Placing(code, registers).run(); }

}  // namespace weir::native
