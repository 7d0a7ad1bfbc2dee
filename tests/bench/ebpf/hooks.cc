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

Result<ebpf::Program> program_for(const Row& row, ebpf::Hook hook) {
  return ebpf::emit(compile(row.filter)->stages().ir, {.hook = hook, .table_threshold = ebpf::usual_table_threshold});
}

/// Milliseconds that it takes to make a filter's program and to load it.
double loading_time(const Row& row, ebpf::Hook hook) {
  const auto filter = compile(row.filter);
  const auto start = Clock::now();
  const auto program = ebpf::emit(filter->stages().ir, {.hook = hook, .table_threshold = ebpf::usual_table_threshold});
  const auto loaded = attach::Loaded::load(*program, {});
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::vector<int> descriptors(const std::vector<const bpf_program*>& programs) {
  std::vector<int> all;
  for (const bpf_program* p : programs) all.push_back(bpf_program__fd(p));
  return all;
}

void print_row(const Row& row, ebpf::Hook hook, const Options& o, const std::vector<const bpf_program*>& hand) {
  const auto program = program_for(row, hook);
  const Copies copies(program);
  if (!copies) return fmt::print("{}: {}\n", row.name, copies.problem());
  const Copies nothing(empty_program(hook));
  Timed empty(nothing, row.matching), ours(copies, row.matching), theirs(descriptors(hand), row.matching);
  measure({&empty, &ours, &theirs}, o.seconds);
  const auto steps = executed(*program, row.matching), hand_steps = executed(Hand::program(hand.front(), hook), row.matching);
  fmt::print("| {} | {:.1f} | {:.1f} | {} | {:.1f} | {:.1f} | {} | {} | {:.2f} | {:.1f} |\n", row.name, ours.nanoseconds(),
             theirs.nanoseconds(), to_string(quartiles(ratios(ours.rounds, theirs.rounds))),
             quartiles(less(ours.rounds, empty.rounds)).median, quartiles(less(theirs.rounds, empty.rounds)).median, steps,
             hand_steps, static_cast<double>(steps) / static_cast<double>(hand_steps), loading_time(row, hook));
}

/// A long list, of a map, beside a short one by comparisons.
void print_long_list(const Row& few, const Row& many, ebpf::Hook hook, const Options& o) {
  const Copies short_list(program_for(few, hook), 4), long_list(program_for(many, hook), 4);
  if (!short_list || !long_list) return fmt::print("{}: {}\n", many.name, (short_list ? long_list : short_list).problem());
  Timed a(short_list, few.matching), b(long_list, many.matching);
  measure({&a, &b}, o.seconds);
  fmt::print("\n{}: {:.1f} ns, {:.1f} for {}, {} times that; made and loaded in {:.1f} ms.\n", many.name, b.nanoseconds(),
             a.nanoseconds(), few.name, to_string(quartiles(ratios(b.rounds, a.rounds))), loading_time(many, hook));
}

/// TCP over IPv6 behind so many headers.
Bytes behind_headers(std::size_t headers) {
  constexpr std::size_t next_at = 20, first_at = 54, bytes = 8;
  constexpr std::uint8_t hop_by_hop = 0, destination = 60, tcp = 6;
  Bytes all = packet_over_ip6(tcp, 1000, 80);
  if (headers == 0) return all;
  all[next_at] = hop_by_hop;
  Bytes between(headers * bytes);
  for (std::size_t i = 0; i < headers; ++i) between[i * bytes] = i + 1 < headers ? destination : tcp;
  all.insert(all.begin() + first_at, between.begin(), between.end());
  return all;
}

}  // namespace

void measure_loops(const Options& o) {
  constexpr auto hook = ebpf::Hook::TcIngress;
  const Hand hand;
  const auto in_a_loop = hand.find("tc_chain_in_a_loop"), unrolled = hand.find("tc_chain_unrolled");
  if (in_a_loop.empty()) return fmt::print("SKIPPED: no C by hand\n");
  const Copies nothing(empty_program(hook)), copies(ebpf::emit(compile("ip6 protochain 6")->stages().ir, {.hook = hook}));
  if (!copies) return fmt::print("{}\n", copies.problem());
  fmt::print(
      "\n### eBPF in the kernel, loops, hook {}\n\nNanoseconds more than an empty program for `ip6 protochain 6`, by how many "
      "headers are stepped over: in C by hand with a loop, the same unrolled, and weir's program, which is unrolled.\n\n"
      "| headers | loop | unrolled | weir | loop / unrolled |\n|--:|--:|--:|--:|--:|\n",
      to_string(hook));
  for (std::size_t headers = 0; headers <= 6; ++headers) {
    const Bytes packet = behind_headers(headers);
    Timed empty(nothing, packet), ours(copies, packet), a(descriptors(in_a_loop), packet), b(descriptors(unrolled), packet);
    measure({&empty, &ours, &a, &b}, o.seconds);
    const auto more = [&](const Timed& t) { return less(t.rounds, empty.rounds); };
    fmt::print("| {} | {:.1f} | {:.1f} | {:.1f} | {} |\n", headers, quartiles(more(a)).median, quartiles(more(b)).median,
               quartiles(more(ours)).median, to_string(quartiles(ratios(more(a), more(b)))));
  }
}

void measure_hook(ebpf::Hook hook, const char* prefix, const Options& o) {
  const Hand hand;
  if (const auto nothing = attach::Loaded::load(empty_program(hook), {}); !nothing)
    return fmt::print("SKIPPED: {}\n", nothing.error().message);
  fmt::print(
      "\n### eBPF in the kernel, hook {}\n\nNanoseconds a run by BPF_PROG_TEST_RUN, of the ratio the median of all rounds and in "
      "brackets the quartiles; nanoseconds more than an empty program; and executed instructions.\n\n"
      "| | weir, ns | C by hand, ns | ratio | weir, more | C, more | weir instr. | C by hand | ratio | made and loaded, ms "
      "|\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
      to_string(hook));
  const std::vector<Row> all = rows();
  for (const Row& row : all) {
    const auto programs = hand.find(prefix + row.by_hand);
    if (!programs.empty() && (o.only.empty() || o.only == to_string(hook) || o.only == row.name)) print_row(row, hook, o, programs);
  }
  if (o.only.empty() || o.only == to_string(hook)) print_long_list(*std::ranges::find(all, "100 hosts", &Row::name), all.back(), hook, o);
}

}  // namespace weir::bench
