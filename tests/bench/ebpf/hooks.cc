#include "hooks.hpp"

#include <chrono>
#include <cstring>

#include <fmt/core.h>

#include "ebpf/emit.hpp"
#include "weir/stages.hpp"

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;

/// hand.bpf.o in the kernel.
class Hand {
 public:
  Hand() : object_(bpf_object__open_file(WEIR_HAND_OBJECT, nullptr), bpf_object__close) {
    if (object_ == nullptr || bpf_object__load(object_.get()) != 0) object_ = nullptr;
  }
  bpf_program* find(const std::string& name) const { return object_ ? bpf_object__find_program_by_name(object_.get(), name.c_str()) : nullptr; }

  static ebpf::Program program(const bpf_program* p, ebpf::Hook hook) {
    ebpf::Program all;
    all.hook = hook;
    all.instructions.resize(bpf_program__insn_cnt(p));
    std::memcpy(static_cast<void*>(all.instructions.data()), bpf_program__insns(p), all.instructions.size() * sizeof(ebpf::Instruction));
    return all;
  }

 private:
  std::unique_ptr<bpf_object, void (*)(bpf_object*)> object_;
};

void print_row(const Row& row, ebpf::Hook hook, const Options& o, const bpf_program* hand) {
  const auto filter = compile(row.filter);
  ebpf::EmitOptions options;
  options.hook = hook;
  const auto start = Clock::now();
  const auto program = ebpf::emit(filter->stages().ir, options);
  if (!program) return fmt::print("{}: {}\n", row.name, program.error().message);
  const auto loaded = attach::Loaded::load(*program, {});
  const double load = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  if (!loaded) return fmt::print("{}: {}\n", row.name, loaded.error().message);
  Timed ours{loaded->descriptor(), &row.matching}, theirs{hand ? bpf_program__fd(hand) : -1, &row.matching};
  std::vector<Timed*> both{&ours};
  if (hand) both.push_back(&theirs);
  measure(both, o.seconds);
  const auto steps = executed(*program, row.matching);
  if (!hand) return fmt::print("| {} | {:.1f} | | | {} | | | {:.1f} |\n", row.name, ours.nanoseconds, steps, load);
  const auto hand_steps = executed(Hand::program(hand, hook), row.matching);
  fmt::print("| {} | {:.1f} | {:.1f} | {:.2f} | {} | {} | {:.2f} | {:.1f} |\n", row.name, ours.nanoseconds, theirs.nanoseconds, ours.nanoseconds / theirs.nanoseconds,
             steps, hand_steps, static_cast<double>(steps) / static_cast<double>(hand_steps), load);
}

}  // namespace

void measure_hook(ebpf::Hook hook, const char* prefix, const Options& o) {
  const Hand hand;
  const auto nothing = attach::Loaded::load(empty_program(hook), {});
  if (!nothing) return fmt::print("SKIPPED: {}\n", nothing.error().message);
  const auto all = rows();
  Timed empty{nothing->descriptor(), &all[0].matching};
  measure({&empty}, o.seconds);
  fmt::print("\n### eBPF in the kernel, hook {}\n\nNanoseconds a run by BPF_PROG_TEST_RUN, of which an empty program takes {:.1f}, and executed instructions.\n\n"
             "| | weir, ns | C by hand, ns | ratio | weir instr. | C by hand | ratio | made and loaded, ms |\n|---|--:|--:|--:|--:|--:|--:|--:|\n",
             to_string(hook), empty.nanoseconds);
  for (const Row& row : all)
    if (o.only.empty() || o.only == row.name) print_row(row, hook, o, hand.find(prefix + row.by_hand));
}

}  // namespace weir::bench
