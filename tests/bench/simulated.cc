// How many instructions a packet takes on AArch64, in VIXL's simulator: by our code, in a call and in a batch, and by C written by hand.
#include <algorithm>
#include <bit>
#include <chrono>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "match_engines.hpp"
#include "native/emit.hpp"
#include "object.hpp"
#include "settings.hpp"
#include "simulate/simulator.hpp"

namespace weir::bench {
namespace {

constexpr const char* usage =
    "weir_simulated_bench --hand OBJECT [--packets N] [--filter NAME] [--most RATIO] [--model FILE]\n"
    "  --hand  hand.c as a shared object for AArch64\n"
    "  --most  ends with status 1 where ours takes more than so many times the instructions, as it does where the two accept not as\n"
    "          many packets\n";

/// Instructions a packet, on average; and how many packets pass.
struct Count {
  double instructions = 0;
  std::size_t passed = 0;
};

Count count(const Packets& packets, auto run) {
  Count c;
  for (const Packet& p : packets.ours) {
    const simulate::Simulator::Ran ran = run(p);
    c.instructions += static_cast<double>(ran.instructions) / static_cast<double>(packets.ours.size());
    c.passed += ran.result != 0;
  }
  return c;
}

/// In a batch.
Count count_batch(const Packets& packets, const native::Encoded& loop, simulate::Simulator& simulator) {
  std::vector<std::uint64_t> verdicts((packets.ours.size() + 63) / 64);
  const auto ran = simulator.run_batch<Packet>(loop, packets.ours, verdicts.data());
  Count c{static_cast<double>(ran.instructions) / static_cast<double>(packets.ours.size())};
  for (const std::uint64_t word : verdicts) c.passed += static_cast<std::size_t>(std::popcount(word));
  return c;
}

/// The best of making the code, in microseconds.
double microseconds(const ir::Program& graph) {
  double best = 1e9;
  for (int i = 0; i < 50; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    (void)native::encode(graph, native::Cpu::AArch64);
    best = std::min(best, std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

/// What hand.c calls the function of a row.
std::string function_of(const Row& row) {
  if (row.hand == "http payload") return "http";
  if (row.hand == "three ports") return "ports";
  std::string name = row.hand;
  std::ranges::replace(name, ' ', '_');
  return name;
}

/// A line of the table; false where something is wrong with it.
bool compare(const Subject& subject, const Object& hand, const Settings& s, simulate::Simulator& simulator) {
  const Packets packets = subject.packets(s.count("packets"));
  const auto code = native::encode(subject.filter().stages().ir, native::Cpu::AArch64);
  const auto loop = native::encode_batch<Packet>(subject.filter().stages().ir, native::Cpu::AArch64);
  const std::uint8_t* function = hand.function(function_of(subject.row()));
  if (!code || !loop || function == nullptr) return false;
  const auto hosts = hosts_of(subject.row().hosts);
  const auto number = [](const void* p) { return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(p)); };
  const Count ours = count(packets, [&](const Packet& p) { return simulator.run(*code, p); });
  const Count theirs = count(packets, [&](const Packet& p) {
    return simulator.call(function, {number(p.bytes.data()), p.bytes.size(), number(hosts.get()), 0});
  });
  const Count batch = count_batch(packets, *loop, simulator);
  const double ratio = ours.instructions / theirs.instructions;
  fmt::print("| {} | {:.1f} | {:.1f} | {:.2f} | {:.1f} | {} | {} | {} | {:.0f} |\n", subject.row().name, ours.instructions,
             theirs.instructions, ratio, batch.instructions, ours.passed, theirs.passed, code->instructions().size(),
             microseconds(subject.filter().stages().ir));
  return ours.passed == theirs.passed && batch.passed == theirs.passed && ratio <= s.number("most");
}

int run(const Settings& s) {
  const auto model = TrafficModel::read(s.at("model"));
  const auto hand = Object::read(s.at("hand"));
  if (!model || !hand) {
    const std::string no_object = s.has("hand") ? s.at("hand") + " is no shared object for AArch64" : "--hand is missing";
    return fmt::print(stderr, "weir_simulated_bench: {}\n", model ? no_object : model.error()), 2;
  }
  const auto rows = match_rows(s.at("filter"));
  if (rows.empty()) return fmt::print(stderr, "weir_simulated_bench: there is no filter `{}`\n", s.at("filter")), 2;
  simulate::Simulator simulator;
  if (const std::uint8_t* table = hand->function("make_port_bits")) simulator.call(table, {});  // as loaders do, for it is a constructor
  bool right = true;
  fmt::print(
      "\n### Matching on AArch64: instructions a packet, counted in a simulator\n\n|  | native | hand | native/hand | batch | "
      "pass | pass by hand | bytes | made in µs |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n");
  for (const Row& row : rows) {
    const auto subject = Subject::of(row, *model);
    right = subject && compare(*subject, *hand, s, simulator) && right;
  }
  return right ? 0 : 1;
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  constexpr std::string_view name = "weir_simulated_bench";
  Settings settings(name, usage,
                    {{"hand", ""}, {"packets", "2000"}, {"filter", ""}, {"most", "1000"}, {"model", WEIR_BENCH_CORPUS "/traffic/model.txt"}});
  if (const auto status = settings.read(argc, argv)) return *status;
  return printed(name, [&] { return run(settings); });
}
