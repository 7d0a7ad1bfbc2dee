#include "hooks.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include <fmt/core.h>

#include "ebpf/emit.hpp"
#include "weir/stages.hpp"

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;

/// hand.bpf.o in the kernel, as often as our programs.
class Hand {
 public:
  Hand() {
    for (std::size_t i = 0; i < usual_copies; ++i) {
      objects_.emplace_back(bpf_object__open_file(WEIR_HAND_OBJECT, nullptr), bpf_object__close);
      if (objects_.back() != nullptr && bpf_object__load(objects_.back().get()) == 0) continue;
      objects_.clear();
      break;
    }
  }
  std::vector<const bpf_program*> find(const std::string& name) const {
    std::vector<const bpf_program*> all;
    for (const auto& object : objects_)
      if (const auto* p = bpf_object__find_program_by_name(object.get(), name.c_str())) all.push_back(p);
    return all;
  }

  static ebpf::Program program(const bpf_program* p, ebpf::Hook hook) {
    ebpf::Program all;
    all.hook = hook;
    all.instructions.resize(bpf_program__insn_cnt(p));
    std::memcpy(static_cast<void*>(all.instructions.data()), bpf_program__insns(p), all.instructions.size() * sizeof(ebpf::Instruction));
    return all;
  }

 private:
  std::vector<std::unique_ptr<bpf_object, void (*)(bpf_object*)>> objects_;
};

Result<ebpf::Program> program_for(const Row& row, ebpf::Hook hook) { return ebpf::emit(compile(row.filter)->stages().ir, {.hook = hook}); }

/// Milliseconds that it takes to make a filter's program and to load it.
double loading_time(const Row& row, ebpf::Hook hook) {
  const auto filter = compile(row.filter);
  const auto start = Clock::now();
  const auto program = ebpf::emit(filter->stages().ir, {.hook = hook});
  const auto loaded = attach::Loaded::load(*program, {});
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

void print_row(const Row& row, ebpf::Hook hook, const Options& o, const std::vector<const bpf_program*>& hand) {
  const auto program = program_for(row, hook);
  const Copies copies(program);
  if (!copies) return fmt::print("{}: {}\n", row.name, copies.problem());
  std::vector<int> hands;
  for (const bpf_program* p : hand) hands.push_back(bpf_program__fd(p));
  const Copies nothing(empty_program(hook));
  Timed empty(nothing, row.matching), ours(copies, row.matching), theirs(std::move(hands), row.matching);
  measure({&empty, &ours, &theirs}, o.seconds);
  const auto steps = executed(*program, row.matching), hand_steps = executed(Hand::program(hand.front(), hook), row.matching);
  fmt::print("| {} | {:.1f} | {:.1f} | {} | {:.1f} | {:.1f} | {} | {} | {:.2f} | {:.1f} |\n", row.name, ours.nanoseconds(), theirs.nanoseconds(), to_string(quartiles(ratios(ours.rounds, theirs.rounds))),
             quartiles(less(ours.rounds, empty.rounds)).median, quartiles(less(theirs.rounds, empty.rounds)).median, steps, hand_steps, static_cast<double>(steps) / static_cast<double>(hand_steps), loading_time(row, hook));
}

/// A long list, of a map, beside a short one by comparisons.
void print_long_list(const Row& few, const Row& many, ebpf::Hook hook, const Options& o) {
  const Copies short_list(program_for(few, hook), 4), long_list(program_for(many, hook), 4);
  if (!short_list || !long_list) return fmt::print("{}: {}\n", many.name, (short_list ? long_list : short_list).problem());
  Timed a(short_list, few.matching), b(long_list, many.matching);
  measure({&a, &b}, o.seconds);
  fmt::print("\n{}: {:.1f} ns, {:.1f} for {}, {} times that; made and loaded in {:.1f} ms.\n", many.name, b.nanoseconds(), a.nanoseconds(), few.name, to_string(quartiles(ratios(b.rounds, a.rounds))), loading_time(many, hook));
}

}  // namespace

void measure_hook(ebpf::Hook hook, const char* prefix, const Options& o) {
  const Hand hand;
  if (const auto nothing = attach::Loaded::load(empty_program(hook), {}); !nothing) return fmt::print("SKIPPED: {}\n", nothing.error().message);
  fmt::print("\n### eBPF in the kernel, hook {}\n\nNanoseconds a run by BPF_PROG_TEST_RUN, of the ratio the median of all rounds and in brackets the quartiles; nanoseconds more than an empty program; and executed instructions.\n\n"
             "| | weir, ns | C by hand, ns | ratio | weir, more | C, more | weir instr. | C by hand | ratio | made and loaded, ms |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
             to_string(hook));
  const std::vector<Row> all = rows();
  for (const Row& row : all) {
    const auto programs = hand.find(prefix + row.by_hand);
    if (!programs.empty() && (o.only.empty() || o.only == to_string(hook) || o.only == row.name)) print_row(row, hook, o, programs);
  }
  if (o.only.empty() || o.only == to_string(hook)) print_long_list(*std::ranges::find(all, "100 hosts", &Row::name), all.back(), hook, o);
}

}  // namespace weir::bench
