#include "explore.hpp"

#include <algorithm>
#include <array>

#include "solve.hpp"

namespace weir::oracle {
namespace {

namespace op = cbpf::op;

constexpr std::size_t longest_packet = 2048;

/// Makes bytes [0, size) known, and the packet at least that long.
bool extend(Sample& s, std::size_t size, Random& random) {
  if (size > longest_packet) return false;
  const bool zeros = random.percent(40);
  while (s.bytes.size() < size) s.bytes.push_back(zeros ? 0 : random.byte());
  s.length = std::max(s.length, static_cast<std::uint32_t>(s.bytes.size()));
  return true;
}

bool set_length(Sample& s, std::uint32_t wanted) {
  if (wanted > 1u << 20) return false;
  s.length = wanted;
  if (s.bytes.size() > wanted) s.bytes.resize(wanted);
  return true;
}

bool set_bytes(Sample& s, const Symbol& load, std::uint32_t wanted) {
  const std::uint32_t size = load.detail;
  if (size < 4 && wanted >> 8 * size != 0) return false;
  if (std::size_t{load.at} + size > s.bytes.size()) return false;
  for (std::uint32_t i = 0; i < size; ++i) s.bytes[load.at + i] = static_cast<std::uint8_t>(wanted >> 8 * (size - 1 - i));
  return true;
}

bool set_meta(Metadata& m, Meta which, std::uint32_t wanted) {
  switch (which) {
    case Meta::Protocol: m.protocol = wanted & 0xffff; break;
    case Meta::PacketType: m.packet_type = wanted & 7; break;
    case Meta::InterfaceIndex: m.interface_index = wanted; break;
    case Meta::VlanTag: m.vlan_tag = wanted & 0xffff; break;
    case Meta::VlanTagPresent: m.vlan_tag_present = wanted & 1; break;
    case Meta::VlanProtocol: m.vlan_protocol = wanted & 0xffff; break;
  }
  return m.get(which) == wanted;
}

/// Gives the value that a run computed as `number` another value, by changing the packet.
bool force(Sample& s, const Trace& t, std::uint32_t number, std::uint32_t wanted, Random& random) {
  const Symbol& symbol = t.symbols[number];
  switch (symbol.kind) {
    case SymbolKind::Constant: return symbol.value == wanted;
    case SymbolKind::Load: return set_bytes(s, symbol, wanted);
    case SymbolKind::Length: return set_length(s, wanted);
    case SymbolKind::Meta: return set_meta(s.meta, static_cast<Meta>(symbol.detail), wanted);
    case SymbolKind::Negate: return force(s, t, symbol.a, 0 - wanted, random);
    case SymbolKind::Binary: break;
  }
  const Symbol& left = t.symbols[symbol.a];
  const Symbol& right = t.symbols[symbol.b];
  const auto arith = static_cast<Arith>(symbol.detail);
  const bool use_left = right.kind == SymbolKind::Constant || (left.kind != SymbolKind::Constant && random.percent(60));
  const auto value = use_left ? solve_left(arith, left.value, right.value, wanted, random)
                              : solve_right(arith, left.value, right.value, wanted, random);
  return value && force(s, t, use_left ? symbol.a : symbol.b, *value, random);
}

/// A value for the left side that makes the test come out as wanted.
std::uint32_t value_for(std::uint16_t code, bool wanted, std::uint32_t left, std::uint32_t right, Random& r) {
  switch (code & 0xf0) {
    case op::JEQ:
      return wanted ? right : r.pick({right + 1, right - 1, right ^ 1, right ^ 1u << r.below(32), r.word() >> r.below(32)});
    case op::JGT:
      return wanted ? r.pick({right + 1, right + 1 + r.below(300), right | 0xff, 0xffffffffu})
                    : r.pick({right, right - 1, 0u, r.below(std::size_t{right} + 1)});
    case op::JGE:
      return wanted ? r.pick({right, right + 1, right + r.below(300), 0xffffffffu})
                    : r.pick({right - 1, right - 2, 0u, r.below(right == 0 ? 1 : right)});
    default:
      return wanted ? left | (r.percent(50) ? right : right & 1u << r.below(32)) : left & ~right;
  }
}

/// The same seen from the right side.
std::uint32_t right_value_for(std::uint16_t code, bool wanted, std::uint32_t left, Random& r) {
  switch (code & 0xf0) {
    case op::JEQ: return wanted ? left : left ^ 1u << r.below(32);
    case op::JGT: return wanted ? r.pick({left - 1, 0u}) : r.pick({left, left + 1});
    case op::JGE: return wanted ? r.pick({left, left - 1, 0u}) : left + 1;
    default: return wanted ? left : ~left;
  }
}

class Exploration {
 public:
  Exploration(const cbpf::Program& program, std::vector<Sample>& samples, Random& random)
      : program_(program), samples_(samples), random_(random) {
    ways_.taken.resize(2 * program.instructions.size());
    for (const cbpf::Instruction& i : program.instructions)
      if ((i.code & 7) == op::JMP && (i.code & 0xf0) != op::JA) ways_.total += 2;
  }

  Ways run(std::size_t budget) {
    for (std::size_t i = 0; i < samples_.size(); ++i) note(i);
    while (budget > 0 && !frontier_.empty()) {
      const Step step = take();
      if (step.branch != failed && ways_.taken[opposite(step)]) continue;
      --budget;
      attempt(step);
    }
    return std::move(ways_);
  }

 private:
  /// A way not taken yet: branch number `branch` of the run of a sample; or the load at which its run failed.
  struct Step {
    std::uint32_t sample, branch, way, tries;
  };
  static constexpr std::uint32_t failed = 0xffffffff;
  static constexpr std::uint32_t most_tries = 3;

  std::size_t opposite(const Step& s) const { return s.way; }

  /// Mostly the newest: depth first gets past long chains of guards; sometimes any, to leave dead ends.
  Step take() {
    if (random_.percent(20)) std::swap(frontier_[random_.below(frontier_.size())], frontier_.back());
    const Step step = frontier_.back();
    frontier_.pop_back();
    return step;
  }

  /// Runs a sample and lists what its run leaves open; whether it covered something new.
  bool note(std::size_t number) {
    oracle::run(program_, samples_[number].whole(), Tail::None, trace_);
    bool fresh = false;
    for (const Branch& b : trace_.branches) {
      const std::size_t way = 2 * std::size_t{b.pc} + b.taken;
      if (!ways_.taken[way]) {
        ways_.taken[way] = fresh = true;
        ++ways_.covered;
      }
    }
    for (std::uint32_t i = 0; i < trace_.branches.size(); ++i) {
      const Branch& b = trace_.branches[i];
      const std::uint32_t other = 2 * b.pc + !b.taken;
      if (!ways_.taken[other]) frontier_.push_back({static_cast<std::uint32_t>(number), i, other, 0});
    }
    if (trace_.failed) frontier_.push_back({static_cast<std::uint32_t>(number), failed, 0, 0});
    return fresh;
  }

  void attempt(Step step) {
    Sample next = samples_[step.sample];
    oracle::run(program_, next.whole(), Tail::None, trace_);
    const bool changed = step.branch == failed
                             ? extend(next, std::size_t{trace_.failed->at} + trace_.failed->size, random_)
                             : flip(next, trace_, trace_.branches[step.branch], random_);
    if (changed) {
      samples_.push_back(std::move(next));
      if (!note(samples_.size() - 1)) discard();
    }
    if (step.branch != failed && !ways_.taken[step.way] && ++step.tries < most_tries)
      frontier_.insert(frontier_.begin() + random_.below(frontier_.size() + 1), step);
  }

  void discard() {
    const auto last = static_cast<std::uint32_t>(samples_.size() - 1);
    // A run that only failed a load further on has covered nothing, but is a step on the way.
    if (!frontier_.empty() && frontier_.back().sample == last && frontier_.back().branch == failed) return;
    std::erase_if(frontier_, [&](const Step& s) { return s.sample == last; });
    samples_.pop_back();
  }

  const cbpf::Program& program_;
  std::vector<Sample>& samples_;
  Random& random_;
  Ways ways_;
  Trace trace_;
  std::vector<Step> frontier_;
};

}  // namespace

bool flip(Sample& sample, const Trace& t, const Branch& b, Random& random) {
  const std::uint32_t left = t.symbols[b.left].value;
  const std::uint32_t right = t.symbols[b.right].value;
  for (int tries = 0; tries < 4; ++tries) {
    const bool change_right = t.symbols[b.right].kind != SymbolKind::Constant &&
                              (t.symbols[b.left].kind == SymbolKind::Constant || random.percent(40));
    const std::uint32_t number = change_right ? b.right : b.left;
    const std::uint32_t value = change_right ? right_value_for(b.code, !b.taken, left, random)
                                             : value_for(b.code, !b.taken, left, right, random);
    Sample changed = sample;
    if (!force(changed, t, number, value, random)) continue;
    sample = std::move(changed);
    return true;
  }
  return false;
}

Ways explore(const cbpf::Program& program, std::vector<Sample>& samples, std::size_t budget, Random& random) {
  return Exploration(program, samples, random).run(budget);
}

Sample vary(const cbpf::Program& program, const Sample& sample, Random& random) {
  Sample next = sample;
  Trace trace;
  for (std::uint32_t changes = random.between(1, 3); changes > 0; --changes) {
    run(program, next.whole(), Tail::None, trace);
    if (trace.failed && random.percent(70)) {
      extend(next, std::size_t{trace.failed->at} + trace.failed->size, random);
    } else if (!trace.branches.empty()) {
      // Later tests decide more often: the tests before them are those that let a packet come so far.
      const auto n = static_cast<std::uint32_t>(trace.branches.size());
      flip(next, trace, trace.branches[std::max(random.below(n), random.below(n))], random);
    }
  }
  return next;
}

}  // namespace weir::oracle
