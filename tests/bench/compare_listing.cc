#include <algorithm>

#include <fmt/core.h>

#include "compare.hpp"
#include "trace.hpp"
#include "vm/cbpf.hpp"

namespace weir::bench {
namespace {

namespace op = cbpf::op;

/// How often each instruction was executed.
class Profile {
 public:
  explicit Profile(const cbpf::Program& p) : program_(p), executed_(p.instructions.size()) {}

  /// The machine counts steps, the trace knows which way each branch went: together, the way through the program.
  void add(const oracle::Sample& s, vm::Machine machine) {
    std::uint64_t steps = 0;
    vm::run(program_, s.whole(), machine, &steps);
    oracle::run(program_, s.whole(), oracle::Tail::None, trace_);
    total_ += steps;
    ++packets_;
    std::size_t branch = 0;
    for (std::uint64_t pc = 0; steps > 0 && pc < executed_.size(); --steps, ++pc) {
      ++executed_[pc];
      const cbpf::Instruction& i = program_.instructions[pc];
      if ((i.code & 7) != op::JMP) continue;
      if ((i.code & 0xf0) == op::JA) pc += static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(i.k)});
      else if (branch < trace_.branches.size()) pc += trace_.branches[branch++].taken ? i.jt : i.jf;
    }
  }

  double share(std::size_t pc) const { return static_cast<double>(executed_[pc]) / static_cast<double>(packets_); }
  double average() const { return static_cast<double>(total_) / static_cast<double>(packets_); }

 private:
  const cbpf::Program& program_;
  std::vector<std::uint64_t> executed_;
  std::uint64_t total_ = 0, packets_ = 0;
  oracle::Trace trace_;
};

std::string line(const cbpf::Program& p, const Profile& profile, std::size_t pc) {
  if (pc >= p.instructions.size()) return "";
  const cbpf::Instruction& i = p.instructions[pc];
  std::string text = cbpf::to_string(i);
  std::replace(text.begin(), text.end(), '\t', ' ');
  const bool conditional = (i.code & 7) == op::JMP && (i.code & 0xf0) != op::JA;
  const std::string ways = conditional ? fmt::format("{:>4} {:<4}", pc + 1 + i.jt, pc + 1 + i.jf) : "";
  return fmt::format("{:>6.3f} {:>4} {:<28} {:<9}", profile.share(pc), pc, text, ways);
}

}  // namespace

void print_listing(Measure& measure, const oracle::Case& c, const std::optional<cbpf::Program>& instead) {
  Programs p = measure.compile(c);
  if (instead) p.ours = instead;
  if (!p.missing.empty()) fmt::print("{}\n", p.missing);
  if (!p.ours || !p.meaning) return;
  const cbpf::Program& theirs = p.theirs ? *p.theirs : *p.meaning;
  for (std::size_t mix = 0; mix < mixes; ++mix) {
    Profile left(theirs), right(*p.ours);
    const auto add = [&](const std::vector<oracle::Sample>& samples) {
      for (const oracle::Sample& s : samples)
        for (Profile* profile : {&left, &right}) profile->add(s, c.setting.linux_ext ? vm::Machine::Kernel : vm::Machine::Libpcap);
    };
    add(measure.passing(mix, c.setting));
    add(measure.aimed(mix, c, *p.meaning));
    fmt::print("\n{}: executed on average: {} {:.3f}, weir {:.3f}\n", mix_names[mix],
               p.theirs ? "libpcap" : "libpcap, not optimized", left.average(), right.average());
    for (std::size_t pc = 0; pc < std::max(theirs.instructions.size(), p.ours->instructions.size()); ++pc)
      fmt::print("{:<52}|{}\n", line(theirs, left, pc), line(*p.ours, right, pc));
  }
}

}  // namespace weir::bench
