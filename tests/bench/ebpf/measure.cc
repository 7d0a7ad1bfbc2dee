#include "measure.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <numeric>

#include <bpf/bpf.h>
#include <fmt/core.h>

#include "attach/options.hpp"
#include "vm/ebpf.hpp"

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;

bool is_xdp(int program) {
  bpf_prog_info info = {};
  auto size = static_cast<std::uint32_t>(sizeof info);
  return bpf_obj_get_info_by_fd(program, &info, &size) == 0 && info.type == BPF_PROG_TYPE_XDP;
}

/// Runs of XDP begin and end with changes of the kernel's code (kernel/bpf/dispatcher.c), which take as long as a hundred thousand of them.
constexpr int usual_repeats = 500, xdp_repeats = 10'000;

/// By our clock, for the kernel's gives whole nanoseconds, rounded down; but not for XDP: the mean over the copies is finer there.
double once(int program, const Bytes& data, int repeats) {
  auto options = attach::no_options<bpf_test_run_opts>();
  options.data_in = data.data();
  options.data_size_in = static_cast<std::uint32_t>(data.size());
  options.repeat = repeats;
  const auto start = Clock::now();
  if (bpf_prog_test_run_opts(program, &options) != 0) return 1e9;
  const double passed = std::chrono::duration<double, std::nano>(Clock::now() - start).count() / repeats;
  return repeats == xdp_repeats ? options.duration + 0.5 : passed;
}

/// A program of so many instructions, to lie between others.
ebpf::Program filling(std::size_t instructions) {
  ebpf::Program p = empty_program(ebpf::Hook::Socket);
  p.instructions.insert(p.instructions.begin(), instructions, p.instructions.front());
  return p;
}

/// The mean of the middle half.
double middle(std::vector<double> of) {
  std::ranges::sort(of);
  const auto quarter = static_cast<std::ptrdiff_t>(of.size() / 4);
  return std::accumulate(of.begin() + quarter, of.end() - quarter, 0.0) /
         static_cast<double>(of.size() - 2 * static_cast<std::size_t>(quarter));
}

std::vector<double> by_rounds(const std::vector<double>& a, const std::vector<double>& b, const auto& what) {
  std::vector<double> all;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) all.push_back(what(a[i], b[i]));
  return all;
}

}  // namespace

Copies::Copies(const Result<ebpf::Program>& program, std::size_t count) {
  constexpr std::uint32_t spread = 2654435761;  // 2^32 by the golden ratio
  if (!program) {
    problem_ = program.error().message;
    return;
  }
  for (std::uint32_t i = 0; i < count && problem_.empty(); ++i) {
    if (auto between = attach::Loaded::load(filling(20 + (i * spread >> 22)), {})) between_.push_back(std::move(*between));
    auto one = attach::Loaded::load(*program, {});
    if (one) copies_.push_back(std::move(*one));
    else problem_ = one.error().message;
  }
}

std::vector<int> Copies::descriptors() const {
  std::vector<int> all;
  for (const attach::Loaded& copy : copies_) all.push_back(copy.descriptor());
  return all;
}

Timed::Timed(std::vector<int> copies, const Bytes& data)
    : programs(std::move(copies)), packet(&data), repeats(is_xdp(programs.front()) ? xdp_repeats : usual_repeats) {}

double Timed::nanoseconds() const { return quartiles(rounds).median; }

void measure(const std::vector<Timed*>& all, double seconds) {
  const auto end = Clock::now() + std::chrono::duration<double>(seconds * static_cast<double>(all.size()));
  std::size_t copies = 0;
  for (const Timed* t : all) copies = std::max(copies, t->programs.size());
  for (std::size_t round = 0; Clock::now() < end || round == 0; ++round) {
    std::vector<std::vector<double>> times(all.size());
    for (std::size_t copy = 0; copy < copies; ++copy)
      for (std::size_t i = 0; i < all.size(); ++i) {
        const std::size_t which = (i + round + copy) % all.size();
        times[which].push_back(once(all[which]->programs[copy % all[which]->programs.size()], *all[which]->packet, all[which]->repeats));
      }
    for (std::size_t i = 0; i < all.size(); ++i) all[i]->rounds.push_back(middle(times[i]));
  }
}

Quartiles quartiles(std::vector<double> of) {
  std::ranges::sort(of);
  return {of[of.size() / 4], of[of.size() / 2], of[of.size() * 3 / 4]};
}

std::string to_string(const Quartiles& q) { return fmt::format("{:.2f} ({:.2f}–{:.2f})", q.median, q.low, q.high); }

std::vector<double> less(const std::vector<double>& a, const std::vector<double>& b) { return by_rounds(a, b, std::minus()); }
std::vector<double> more(const std::vector<double>& a, const std::vector<double>& b) { return by_rounds(a, b, std::plus()); }
std::vector<double> ratios(const std::vector<double>& a, const std::vector<double>& b) { return by_rounds(a, b, std::divides()); }

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
