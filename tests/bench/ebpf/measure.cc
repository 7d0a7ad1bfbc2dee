#include "measure.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>

#include <bpf/bpf.h>
#include <fmt/core.h>

#include "attach/options.hpp"
#include "vm/ebpf.hpp"

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;

/// By our clock, for the kernel's gives whole nanoseconds; but not where a run begins with changes of the kernel's code, which take longer than all runs (XDP).
double once(int program, const Bytes& data) {
  constexpr int times = 10'000;
  auto options = attach::no_options<bpf_test_run_opts>();
  options.data_in = data.data();
  options.data_size_in = static_cast<std::uint32_t>(data.size());
  options.repeat = times;
  const auto start = Clock::now();
  if (bpf_prog_test_run_opts(program, &options) != 0) return 1e9;
  const double passed = std::chrono::duration<double, std::nano>(Clock::now() - start).count() / times;
  return passed < 1.2 * options.duration + 2 ? passed : options.duration;
}

}  // namespace

void measure(std::vector<Timed*> all, double seconds) {
  const auto end = Clock::now() + std::chrono::duration<double>(seconds * static_cast<double>(all.size()));
  do {
    for (Timed* t : all) t->times.push_back(once(t->program, *t->packet));
  } while (Clock::now() < end);
  for (Timed* t : all) {
    std::vector<double> best = t->times;
    std::ranges::sort(best);
    best.resize((best.size() + 1) / 2);
    t->nanoseconds = std::accumulate(best.begin(), best.end(), 0.0) / static_cast<double>(best.size());
  }
}

Bytes framed(const Bytes& packet) {
  constexpr std::size_t header = 14;
  Bytes all(header + packet.size());
  all[12] = 0x88, all[13] = 0xb5;  // an EtherType for experiments (IEEE 802): the kernel looks no further
  std::ranges::copy(packet, all.begin() + header);
  return all;
}

std::uint64_t executed(const ebpf::Program& p, const Bytes& data) {
  vm::EbpfMachine machine(p);
  Packet packet{data, static_cast<std::uint32_t>(data.size()), {}};
  const auto result = machine.run(packet);
  if (result.fault) fmt::print("fault: {} at {}\n", result.fault->reason, result.fault->instruction);
  return result.steps;
}

ebpf::Program empty_program(ebpf::Hook hook) {
  ebpf::Program p;
  p.hook = hook;
  p.instructions = {{.code = ebpf::op::ALU | ebpf::op::MOV | ebpf::op::K, .imm = 0}, {.code = ebpf::op::JMP | ebpf::op::EXIT}};
  return p;
}

}  // namespace weir::bench
