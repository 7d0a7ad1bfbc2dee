// An eBPF program with formulas: block by block forward, for what registers and the stack hold; then back, for what is returned
// from each on. Maps that the program only looks keys up in are sets.
#include <algorithm>
#include <optional>

#include "prove/ebpf_blocks.hpp"
#include "prove/ebpf_step.hpp"
#include "prove/meaning.hpp"

namespace weir::prove {
namespace {

class Evaluation {
 public:
  Evaluation(const ebpf::Program& p, Algebra& algebra, Extent extent)
      : p_(p), partials_(algebra, extent), stepper_(p, algebra, extent), blocks_(blocks_of(p)), ends_(blocks_.size()),
        into_(blocks_.size()), above_(blocks_.size()) {}

  Meaning run() {
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      run_block(b, b == 0 ? stepper_.start() : arrive(b));
      for (const std::size_t way : blocks_[b].ways) into_[way].push_back(b);
    }
    return results();
  }

 private:
  /// What a block leaves behind.
  struct End {
    State state;
    Partial passes{};         ///< whether its loads let it go on
    Ref condition{};          ///< of a block with two ways: to the first when it holds
    Ref returned{};           ///< of a block that ends the program
  };

  void run_block(std::size_t b, State state) {
    const Block& block = blocks_[b];
    End end{std::move(state), partials_.sure(partials_.yes()), partials_.yes(), {}};
    for (std::size_t i = block.first; i < block.end; i += is_wide(i) ? 2 : 1) {
      const bool leaves = i + 1 == block.end && (block.ways.size() != 1 || is_jump(i));
      if (!leaves) end.passes = partials_.then(end.passes, stepper_.step(i, end.state));
      else if (block.ways.empty()) end.returned = stepper_.verdict(end.state);
      else if (block.ways.size() == 2) end.condition = stepper_.taken(i, end.state);
    }
    ends_[b] = std::move(end);
  }

  bool is_wide(std::size_t i) const { return p_.instructions[i].code == (ebpf::op::LD | ebpf::op::IMM | ebpf::op::DW); }
  bool is_jump(std::size_t i) const {
    const std::uint8_t code = p_.instructions[i].code;
    return code == (ebpf::op::JMP | ebpf::op::JA) || code == (ebpf::op::JMP32 | ebpf::op::JA);
  }

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
      if (to == at) return live_part(ends_[from]->state, blocks_[at].live);
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
      const Partial next = to.empty() ? partials_.sure(end.returned)
                           : to.size() == 1 ? *from[to[0]] : partials_.choose(end.condition, *from[to[0]], *from[to[1]]);
      from[b] = partials_.returned(partials_.then(end.passes, next));
    }
    return {from[0]->value, from[0]->within};
  }

  const ebpf::Program& p_;
  Partials partials_;
  Stepper stepper_;
  std::vector<Block> blocks_;
  std::vector<std::optional<End>> ends_;
  std::vector<std::vector<std::size_t>> into_;  ///< the blocks from which there is a way to this one
  std::vector<std::size_t> above_;              ///< the last block that all ways to this one come by
};

}  // namespace

Meaning meaning_of(const ebpf::Program& p, Algebra& algebra, Extent extent) { return Evaluation(p, algebra, extent).run(); }

}  // namespace weir::prove
