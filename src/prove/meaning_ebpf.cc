// An eBPF program with formulas: block by block forward, for what registers and the stack hold; then back, for what is returned
// from each on. Maps that the program only looks keys up in are sets. A function is evaluated wherever it is called.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "ebpf/decode.hpp"
#include "prove/ebpf_blocks.hpp"
#include "prove/ebpf_step.hpp"
#include "prove/meaning.hpp"

namespace weir::prove {
namespace {

/// Functions cut into blocks, by where they begin.
class Functions {
 public:
  explicit Functions(const ebpf::Program& p) : p_(p) {}
  const std::vector<Block>& blocks(std::size_t first) {
    auto& known = blocks_[first];
    if (known.empty()) known = blocks_of(p_, first);
    return known;
  }
  /// Once more: each call is evaluated.
  bool may_call() { return calls_++ < most_calls; }

 private:
  static constexpr std::size_t most_calls = 100'000;
  const ebpf::Program& p_;
  std::size_t calls_ = 0;
  std::map<std::size_t, std::vector<Block>> blocks_;
};

/// One call of a function, or the program.
class Evaluation {
 public:
  Evaluation(const ebpf::Program& p, Algebra& algebra, Extent extent, Functions& functions, std::size_t first = 0, int frame = 1)
      : p_(p),
        algebra_(algebra),
        extent_(extent),
        functions_(functions),
        frame_(frame),
        partials_(algebra, extent),
        stepper_(p, algebra, extent),
        blocks_(functions.blocks(first)),
        ends_(blocks_.size()),
        into_(blocks_.size()),
        above_(blocks_.size()) {}

  Meaning run_program() {
    run(stepper_.start());
    return results();
  }

 private:
  /// What a block leaves behind.
  struct End {
    State state;
    Partial passes{};         ///< whether its loads let it go on
    Ref condition{};          ///< of a block with two ways: to the first when it holds
  };
  void run(State start) {
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      run_block(b, b == 0 ? std::move(start) : arrive(b));
      for (const std::size_t way : blocks_[b].ways) into_[way].push_back(b);
    }
  }

  void run_block(std::size_t b, State state) {
    const Block& block = blocks_[b];
    End end{std::move(state), partials_.sure(partials_.yes()), partials_.yes()};
    for (std::size_t i = block.first; i < block.end; i += is_wide(i) ? 2 : 1) {
      const bool leaves = i + 1 == block.end && (block.ways.size() != 1 || is_jump(i));
      if (ebpf::is_local_call(p_.instructions[i])) call(i, end.state);
      else if (frame_ > 1 && is_packet_load(i))
        throw GivenUp("a function loads from the packet in a way that would end it, and not the program");
      else if (!leaves) end.passes = partials_.then(end.passes, stepper_.step(i, end.state));
      else if (block.ways.size() == 2) end.condition = stepper_.taken(i, end.state);
    }
    ends_[b] = std::move(end);
  }

  /// A function has a stack of its own, and what it leaves in r6 to r9 is not seen by its caller (arch/x86/net/bpf_jit_comp.c saves them).
  void call(std::size_t at, State& s) {
    constexpr int most_frames = 8;  // MAX_CALL_FRAMES of include/linux/bpf_verifier.h
    if (frame_ == most_frames) throw GivenUp("functions call each other too deep");
    if (!functions_.may_call()) throw GivenUp("functions call each other too often");
    const auto first = static_cast<std::size_t>(static_cast<std::int64_t>(at) + 1 + ebpf::distance(p_.instructions[at]));
    Evaluation function(p_, algebra_, extent_, functions_, first, frame_ + 1);
    State start = stepper_.start();
    for (std::size_t r = 1; r <= 5; ++r) {
      if (std::holds_alternative<StackPlace>(s.registers[r])) throw GivenUp("a function is given a place of its caller's stack");
      start.registers[r] = std::exchange(s.registers[r], std::monostate{});
    }
    function.run(std::move(start));
    s.registers[0] = function.returned();
  }

  Content returned() {
    std::vector<Content> from(blocks_.size());
    for (std::size_t b = blocks_.size(); b-- > 0;) {
      const auto& to = blocks_[b].ways;
      from[b] = to.empty()       ? ends_[b]->state.registers[0]
                : to.size() == 1 ? from[to[0]]
                                 : stepper_.choose(ends_[b]->condition, from[to[0]], from[to[1]]);
    }
    if (std::holds_alternative<StackPlace>(from[0])) throw GivenUp("a function returns a place of its stack");
    return std::move(from[0]);
  }

  bool is_wide(std::size_t i) const { return ebpf::is_wide(p_.instructions[i]); }
  bool is_jump(std::size_t i) const { return ebpf::is_always(p_.instructions[i]); }
  bool is_packet_load(std::size_t i) const { return ebpf::class_of(p_.instructions[i]) == ebpf::op::LD && !is_wide(i); }

  /// The last block that all ways to both come by.
  std::size_t common(std::size_t a, std::size_t b) const {
    while (a != b) (a > b ? a : b) = above_[a > b ? a : b];
    return a;
  }

  /// What is held on arrival, chosen by the tests since the last block that all ways come by. Registers that nobody reads any
  /// more do not count.
  State arrive(std::size_t at) {
    const auto& ways = into_[at];
    above_[at] = ways[0];
    for (const std::size_t way : ways) above_[at] = common(above_[at], way);
    const std::size_t first = above_[at];
    std::vector<std::optional<State>> value(at - first);
    const auto coming = [&](std::size_t from, std::size_t to) -> std::optional<State> {
      if (to == at) return live_part(state_on(from, to), blocks_[at].live);
      return to < at ? value[to - first] : std::nullopt;
    };
    if (ways.size() == 1) return *coming(ways[0], at);
    for (std::size_t b = at; b-- > first;) {
      const auto& to = blocks_[b].ways;
      if (to.empty()) continue;
      const auto t = coming(b, to[0]), f = to.size() == 2 ? coming(b, to[1]) : t;
      value[b - first] = t && f ? stepper_.choose(ends_[b]->condition, *t, *f) : t ? t : f;
    }
    return *value[0];
  }

  /// With what the way says.
  State state_on(std::size_t from, std::size_t to) {
    State s = ends_[from]->state;
    const auto& ways = blocks_[from].ways;
    if (ways.size() == 2 && ways[0] != ways[1]) stepper_.learn(blocks_[from].end - 1, to == ways[0], s);
    return s;
  }

  static State live_part(State s, std::uint16_t live) {
    for (std::size_t r = 0; r < 10; ++r)
      if ((live >> r & 1) == 0) s.registers[r] = std::monostate{};
    return s;
  }

  Meaning results() {
    std::vector<std::optional<Partial>> from(blocks_.size());
    for (std::size_t b = blocks_.size(); b-- > 0;) {
      const End& end = *ends_[b];
      const auto& to = blocks_[b].ways;
      const Partial next = to.empty() ? partials_.sure(stepper_.verdict(end.state))
                           : to.size() == 1 ? *from[to[0]] : partials_.choose(end.condition, *from[to[0]], *from[to[1]]);
      from[b] = partials_.returned(partials_.then(end.passes, next));
    }
    return {from[0]->value, from[0]->within};
  }

  const ebpf::Program& p_;
  Algebra& algebra_;
  Extent extent_;
  Functions& functions_;
  int frame_;                                   ///< 1: of the program itself
  Partials partials_;
  Stepper stepper_;
  const std::vector<Block>& blocks_;
  std::vector<std::optional<End>> ends_;
  std::vector<std::vector<std::size_t>> into_;  ///< the blocks from which there is a way to this one
  std::vector<std::size_t> above_;              ///< the last block that all ways to this one come by
};

}  // namespace

Meaning meaning_of(const ebpf::Program& p, Algebra& algebra, Extent extent) {
  Functions functions(p);
  return Evaluation(p, algebra, extent, functions).run_program();
}

}  // namespace weir::prove
