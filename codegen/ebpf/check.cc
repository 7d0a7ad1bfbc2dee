// Goes through a program with what is known instead of numbers, as the kernel's verifier does (kernel/bpf/verifier.c). Two ways to go:
//
// Programs without loops go in the order of their instructions, so that all ways to an instruction are known before it is looked
// at; where too many meet, what is common to all stands for them. A function is gone through for each call, with what is known
// there. That takes time in proportion to the length; what is refused so is looked at the other way, too. (The kernel goes way by
// way only, but forgets what no later instruction reads, and how exactly numbers are known that no address depends on.)
//
// Others go way by way, as in the kernel: a way ends where an earlier one, gone to its end, knew no more. A loop is gone around
// as often as it goes; one that comes back to where it was, with nothing changed, has no end. The number of steps is limited.
//
// Tested by tests/unit/ebpf/check_test.cc, with random programs that it accepts and our machine, and in tests/kernel beside the
// kernel's verifier.
#include <fmt/format.h>

#include <deque>
#include <map>

#include "ebpf/abstract_step.hpp"
#include "ebpf/decode.hpp"
#include "ebpf/form.hpp"

namespace weir::ebpf {
namespace {

constexpr std::size_t most_states = 16;       ///< at one instruction, before they are joined
constexpr std::size_t most_steps = 1'000'000;
constexpr std::size_t most_steps_of_ways = 200'000;  ///< these take longer: each is compared with others
constexpr std::size_t most_remembered = 64;   ///< at one instruction, to end other ways

std::optional<Diagnostic> too_long(const Program& p, std::size_t at, std::size_t steps) {
  Diagnostic d = problem_at(p, at, fmt::format("is where the check gave up, after {} steps", steps));
  d.code = Code::TooLarge;
  d.hint = "loops must end soon, and ways that meet must not know too different things";
  return d;
}

bool has_loops(const Program& p) {
  for (std::size_t at = 0; at < p.instructions.size(); ++at) {
    const Instruction& i = p.instructions[at];
    if (!is_local_call(i) && (is_always(i) || is_conditional(i)) && distance(i) < 0) return true;
    if (is_wide(i)) ++at;
  }
  return false;
}

class InOrder {
 public:
  explicit InOrder(const Program& p) : program_(p), step_(p) {}

  std::optional<Diagnostic> run() {
    function(0, step_.first());
    return problem_;
  }

 private:
  using States = std::vector<AbstractState>;

  /// From its first instruction to its ends: what is known where it returns to.
  States function(std::size_t entry, AbstractState first) {
    const std::size_t depth = first.frames.size();
    std::map<std::size_t, States> waiting;  // by instruction
    waiting[entry].push_back(std::move(first));
    States returned;
    while (!waiting.empty()) {
      const auto next = waiting.extract(waiting.begin());
      for (AbstractState& state : next.mapped())
        for (Successor& way : step(next.key(), std::move(state))) {
          const std::size_t now = way.state.frames.size();
          if (now < depth) arrive(returned, std::move(way.state));
          else if (now == depth) arrive(waiting[way.at], std::move(way.state));
          else for (AbstractState& back : function(way.at, std::move(way.state))) arrive(waiting[next.key() + 1], std::move(back));
        }
      if (problem_) return {};
    }
    return returned;
  }

  std::vector<Successor> step(std::size_t at, AbstractState state) {
    if (problem_) return {};
    if (++steps_ > most_steps) return problem_ = too_long(program_, at, most_steps), std::vector<Successor>{};
    auto ways = step_.run(at, std::move(state));
    if (!step_.problem().empty()) problem_ = problem_at(program_, at, step_.problem());
    return ways;
  }

  void arrive(States& states, AbstractState state) {
    for (const AbstractState& known : states)
      if (covers(known, state)) return;
    std::erase_if(states, [&](const AbstractState& known) { return covers(state, known); });
    states.push_back(std::move(state));
    if (states.size() <= most_states) return;
    AbstractState all = std::move(states[0]);
    for (std::size_t n = 1; n < states.size(); ++n) all = joined(all, states[n], step_.next_id());
    states.clear();
    states.push_back(std::move(all));
  }

  const Program& program_;
  AbstractStep step_;
  std::size_t steps_ = 0;
  std::optional<Diagnostic> problem_;
};

class WayByWay {
 public:
  explicit WayByWay(const Program& p) : program_(p), step_(p), meets_(p.instructions.size()), seen_(p.instructions.size()) {
    for (std::size_t at = 0; at < p.instructions.size(); ++at) {
      const Instruction& i = p.instructions[at];
      if (is_always(i) || is_conditional(i)) meets_[static_cast<std::size_t>(static_cast<std::int64_t>(at) + 1 + distance(i))] = true;
      if (is_wide(i)) ++at;
    }
  }

  std::optional<Diagnostic> run() {
    ways_.push_back({0, step_.first(), nullptr});
    while (!ways_.empty()) {
      Way way = std::move(ways_.back());
      ways_.pop_back();
      while (auto next = go(way)) way = std::move(*next);
      if (problem_) return problem_;
    }
    return std::nullopt;
  }

 private:
  /// A place where ways meet, on a way: how many that go on from it are not at their end.
  struct Visit {
    AbstractState state;
    Visit* before;
    std::size_t open;
  };
  struct Way {
    std::size_t at;
    AbstractState state;
    Visit* last;
  };

  /// The way after one more instruction; nothing at its end. Others that begin there wait.
  std::optional<Way> go(Way& way) {
    if (++steps_ > most_steps_of_ways) return problem_ = too_long(program_, way.at, most_steps_of_ways), std::nullopt;
    if (meets_[way.at] && !visit(way)) return std::nullopt;
    auto successors = step_.run(way.at, std::move(way.state));
    if (!step_.problem().empty()) return problem_ = problem_at(program_, way.at, step_.problem()), std::nullopt;
    if (successors.empty()) return close(way.last), std::nullopt;
    if (successors.size() > 1) {
      if (way.last) ++way.last->open;
      ways_.push_back({successors[1].at, std::move(successors[1].state), way.last});
    }
    return Way{successors[0].at, std::move(successors[0].state), way.last};
  }

  /// False when the way ends here.
  bool visit(Way& way) {
    auto& known = seen_[way.at];
    for (const Visit* v : known) {
      if (!covers(v->state, way.state)) continue;
      if (v->open == 0) return close(way.last), false;
      if (covers(way.state, v->state)) {
        problem_ = problem_at(program_, way.at, "comes again with nothing changed: the loop has no end");
        return false;
      }
    }
    if (known.size() == most_remembered) {
      known.front()->state = {};
      known.pop_front();
    }
    visits_.push_back({way.state, way.last, 1});
    known.push_back(&visits_.back());
    way.last = &visits_.back();
    return true;
  }

  static void close(Visit* v) {
    while (v && --v->open == 0) v = v->before;
  }

  const Program& program_;
  AbstractStep step_;
  std::vector<bool> meets_;
  std::vector<std::deque<Visit*>> seen_;
  std::deque<Visit> visits_;
  std::vector<Way> ways_;
  std::size_t steps_ = 0;
  std::optional<Diagnostic> problem_;
};

}  // namespace

std::optional<Diagnostic> check(const Program& p) {
  if (auto problem = check_form(p)) return problem;
  if (has_loops(p)) return WayByWay(p).run();
  auto problem = InOrder(p).run();
  // Where ways were joined, what only one of them wrote is lost, also where a later test tells them apart again.
  return problem ? WayByWay(p).run() : problem;
}

}  // namespace weir::ebpf
