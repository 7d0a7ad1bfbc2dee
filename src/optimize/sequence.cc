#include "optimize/sequence.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace weir::optimize {
namespace {

constexpr std::size_t networks = Profile::networks;

/// A number for each network, side by side in a register: an order is looked at in all of them at once.
using Each = double __attribute__((vector_size(sizeof(double) * networks)));

Each everywhere(double x) {
  Each each{};
  for (std::size_t network = 0; network < networks; ++network) each[network] = x;
  return each;
}

/// Of a step, for packets that fail at a given other one.
struct Figures {
  Each instructions, passed;
};

class Model {
 public:
  explicit Model(std::span<const Step> steps) : steps_(steps) {
    for (std::size_t i = 1; i < steps.size(); ++i)
      for (std::size_t k = 0; k < i; ++k) compare(k, i);
    for (std::size_t i = 0; i < steps.size(); ++i)
      for (std::size_t network = 0; network < networks; ++network) {
        in_place_[i].instructions[network] = steps[i].in_place[network].instructions;
        in_place_[i].passed[network] = steps[i].in_place[network].passed;
      }
    Each share = everywhere(1);  // of packets that pass all before `failed`
    for (std::size_t failed = 0; failed <= steps.size(); ++failed) {
      const bool is_failed = failed < steps.size();
      shares_[failed] = is_failed ? share * (1 - in_place_[failed].passed) : share;
      if (is_failed) share *= in_place_[failed].passed;
      for (std::size_t i = 0; i < steps.size(); ++i) figures_[failed][i] = figures(failed, i);
    }
  }

  /// Instructions a packet.
  Each cost(const Sequence& order) const {
    Each cost = everywhere(-steps_[order[0]].saved_first);
    for (std::size_t failed = 0; failed <= steps_.size(); ++failed) cost += shares_[failed] * walk(order, failed);
    return cost;
  }

  /// The share of packets that passes all steps before a place.
  Each reached(const Sequence& order, std::size_t place) const {
    Each share = everywhere(1);
    for (std::size_t at = 0; at < place; ++at) share *= in_place_[order[at]].passed;
    return share;
  }

  /// What has to be saved for each packet that gets to the step at a place, which has moved there: more where all rests on a guess.
  double worth_it(const Sequence& order, std::size_t place) const { return is_guess(order, place) ? 0.5 : 0.15; }
  bool is_guess(const Sequence& order, std::size_t place) const { return steps_[order[place]].is_guess; }

  /// What hardly ever rejects gains nothing by being asked early, unless it stands between others that are asked together.
  bool may_pay_ahead(std::size_t step) const {
    constexpr double hardly_ever = 0.95;
    return any_are_one_ || steps_[step].in_place[0].passed < hardly_ever;
  }

 private:
  /// Two steps, as they stand.
  void compare(std::size_t first, std::size_t later) {
    if (!steps_[first].is_address && steps_[first].bytes.gives_meaning_to(steps_[later].bytes)) told_[first] |= 1u << later;
    if (!are_one(steps_[first], steps_[later])) return;
    one_[first] |= 1u << later;
    one_[later] |= 1u << first;
    any_are_one_ = true;
  }

  /// Of a packet that passes what was before one step, and fails there.
  Figures figures(std::size_t failed, std::size_t i) const {
    const Expected& anywhere = steps_[i].anywhere;
    Figures f = told_[failed] >> i & 1 ? Figures{everywhere(anywhere.instructions), everywhere(anywhere.passed)} : in_place_[i];
    if (i < failed) f.passed = everywhere(1);
    return f;
  }

  /// What such a packet costs.
  Each walk(const Sequence& order, std::size_t failed) const {
    const auto& figures = figures_[failed];
    std::uint32_t with_before = 0;  // a bit for each step that is one with the one before
    Each cost{}, share = everywhere(1);
    for (std::size_t at = 0; at < steps_.size(); ++at) {
      const std::size_t i = order[at];
      if (!(with_before >> i & 1)) cost += share * figures[i].instructions;
      if (i == failed) break;
      with_before = one_[i];
      share *= figures[i].passed;
    }
    return cost;
  }

  /// Whether one load and one comparison will do for both (join.cc).
  static bool are_one(const Step& a, const Step& b) {
    if (!a.is_one_number || !b.is_one_number || (a.bytes.end != b.bytes.begin && b.bytes.end != a.bytes.begin)) return false;
    const std::uint32_t size = std::max(a.bytes.end, b.bytes.end) - std::min(a.bytes.begin, b.bytes.begin);
    return size == 2 || size == 4;
  }

  std::span<const Step> steps_;
  std::array<Figures, most_steps> in_place_{};  ///< by step
  std::array<std::array<Figures, most_steps>, most_steps + 1> figures_;  ///< by the step that fails, or behind all none, and by step
  std::array<Each, most_steps + 1> shares_;           ///< of packets that fail there
  std::array<std::uint32_t, most_steps + 1> told_{};  ///< by step: a bit for each later one of which it tells what its bytes mean
  std::array<std::uint32_t, most_steps> one_{};       ///< by step: a bit for each other one for which one load will do with it
  bool any_are_one_ = false;
};

/// An order of the steps, by what it costs.
struct Way {
  Sequence order{};
  Each costs{};
};

/// Works out what another order costs, and returns what it saves in every network; nothing where that is not worth it, for
/// the packets that get to the first change.
double saved(const Model& model, const Way& now, Way& other, std::size_t change) {
  other.costs = model.cost(other.order);
  const Each gains = now.costs - other.costs, least = model.worth_it(other.order, change) * model.reached(now.order, change);
  double all = std::numeric_limits<double>::max();
  for (std::size_t network = 0; network < networks; ++network) {
    if (gains[network] <= least[network]) return 0;
    all = std::min(all, gains[network]);
  }
  return all;
}

/// How much of what is saved in other networks is to stay.
constexpr double kept = 0.3;

bool has_kept(const Way& start, const Way& now) {
  for (std::size_t network = 1; network < networks; ++network)
    if (now.costs[network] > start.costs[network] - kept) return false;
  return true;
}

/// The same, of the first network alone: others may lose there what earlier moves have saved, but for a rest, as likelihoods are not
/// certain; and nothing is lost for a guess.
double saved_at_home(const Model& model, const Way& start, const Way& now, Way& other, std::size_t change) {
  if (model.is_guess(other.order, change)) return 0;
  other.costs = model.cost(other.order);
  const double gain = now.costs[0] - other.costs[0];
  return has_kept(start, other) && gain > model.worth_it(other.order, change) * model.reached(now.order, change)[0] ? gain : 0;
}

/// Moves steps ahead, the one that saves most first, until none saves anything.
template <class Saved>
void improve(std::span<const Step> steps, const Model& model, Way& best, Saved saved) {
  for (std::size_t turn = 0; turn < steps.size(); ++turn) {
    const Way now = best;
    double most = 0;
    for (std::size_t from = 1; from < steps.size(); ++from) {
      if (!model.may_pay_ahead(now.order[from])) continue;
      Way moved = now;
      for (std::size_t to = from; to > 0 && steps[moved.order[to]].may_move && steps[moved.order[to - 1]].may_move; --to) {
        std::swap(moved.order[to - 1], moved.order[to]);
        const double gain = saved(now, moved, to - 1);
        if (gain <= most) continue;
        most = gain;
        best = moved;
      }
    }
    if (most == 0) break;
  }
}

/// Once in the order in which they stand, and once in the best one.
struct Ways {
  Way start, best;
};

Ways ways(std::span<const Step> steps) {
  const Model model(steps);
  Ways w;
  std::iota(w.start.order.begin(), w.start.order.end(), std::uint8_t{0});
  w.start.costs = model.cost(w.start.order);
  w.best = w.start;
  improve(steps, model, w.best, [&](const Way& now, Way& other, std::size_t change) { return saved(model, now, other, change); });
  if (has_kept(w.start, w.best))
    improve(steps, model, w.best,
            [&](const Way& now, Way& other, std::size_t change) { return saved_at_home(model, w.start, now, other, change); });
  return w;
}

/// Whether one load, a mask and the comparisons will do for both (join.cc), which is an instruction less.
bool are_near(const Step& a, const Step& b) {
  if (!a.is_of_bits || !b.is_of_bits || (a.is_one_number && b.is_one_number) || !a.may_move || !b.may_move) return false;
  const std::uint32_t size = std::max(a.bytes.end, b.bytes.end) - std::min(a.bytes.begin, b.bytes.begin);
  return size == 2 || size == 4;
}

Expected both(const Expected& a, const Expected& b) { return {a.instructions + b.instructions - 1, a.passed * b.passed}; }

Step both(const Step& a, const Step& b) {
  Step step = a;
  for (std::size_t network = 0; network < networks; ++network) step.in_place[network] = both(a.in_place[network], b.in_place[network]);
  step.anywhere = both(a.anywhere, b.anywhere);
  step.bytes.add(b.bytes.begin, b.bytes.end);
  step.is_guess |= b.is_guess;
  step.is_of_bits = step.is_one_number = false;
  return step;
}

/// The best order in which a step and the one behind it stay together, as one.
Ways ways_together(std::span<const Step> steps, std::size_t first) {
  std::array<Step, most_steps> fewer;
  auto end = std::copy_n(steps.begin(), first, fewer.begin());
  *end++ = both(steps[first], steps[first + 1]);
  end = std::copy(steps.begin() + static_cast<std::ptrdiff_t>(first) + 2, steps.end(), end);
  Ways w = ways(std::span(fewer.begin(), end));
  Sequence order{};
  std::size_t at = 0;
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    const std::size_t step = w.best.order[i];
    order[at++] = static_cast<std::uint8_t>(step + (step > first));
    if (step == first) order[at++] = static_cast<std::uint8_t>(first + 1);
  }
  w.best.order = order;
  return w;
}

/// Whether an instruction less is worth what it costs of the first network, as long as in the others hardly any of them more are executed
/// than in the order in which the steps stand. For a guess nothing is lost.
bool is_worth_an_instruction(const Ways& apart, const Ways& together, bool is_guess) {
  constexpr double most_lost = 0.45, hardly_any = 0.04;
  for (std::size_t network = 0; network < networks; ++network)
    if (together.best.costs[network] > apart.start.costs[network] + (is_guess ? 0 : hardly_any)) return false;
  return together.best.costs[0] <= apart.best.costs[0] + (is_guess ? 0 : most_lost);
}

}  // namespace

Sequence best_sequence(std::span<const Step> steps) {
  const Ways apart = ways(steps);
  const bool is_guess = std::ranges::any_of(steps, &Step::is_guess);
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    if (!are_near(steps[i], steps[i + 1])) continue;
    const Ways together = ways_together(steps, i);
    if (is_worth_an_instruction(apart, together, is_guess)) return together.best.order;
  }
  return apart.best.order;
}

}  // namespace weir::optimize
