// What matching costs in our own process: libpcap's bpf_filter, our interpreter, native code one packet a call and in
// batches, and C written by hand, on the same packets in one run.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "match_counts.hpp"
#include "match_engines.hpp"
#include "native/emit.hpp"
#include "settings.hpp"

using namespace weir;
using namespace weir::bench;

namespace {

struct Arguments {
  double seconds;
  std::size_t hot, streaming, counted;
  std::string filter, model;
  bool counts;
};

constexpr const char* usage =
    "weir_match_bench [--seconds S] [--hot N] [--streaming N] [--filter NAME] [--model FILE]\n"
    "  nanoseconds, and what making the code costs\n"
    "weir_match_bench --counts [--packets N] [--filter NAME] [--model FILE]\n"
    "  instructions, by valgrind's callgrind\n";

Settings settings() {
  return {"weir_match_bench", usage,
          {{"seconds", "0.3"},
           {"hot", "2000"},
           {"streaming", "150000"},
           {"packets", "500"},
           {"filter", ""},
           {"model", WEIR_BENCH_CORPUS "/traffic/model.txt"}},
          {"counts"}};
}

Arguments arguments(const Settings& s) {
  return {s.number("seconds"), s.count("hot"), s.count("streaming"), s.count("packets"), s.at("filter"), s.at("model"), s.has("counts")};
}

/// What each engine took in each of several rounds; nothing where there is none.
using Rounds = std::vector<std::vector<double>>;

/// Nanoseconds a packet of the best run within a short time.
double best_within(double seconds, const Runner& engine, const Packets& packets) {
  using Clock = std::chrono::steady_clock;
  double best = 1e9;
  const auto begin = Clock::now();
  for (auto before = begin; std::chrono::duration<double>(before - begin).count() < seconds;) {
    engine.run(packets);
    const auto after = Clock::now();
    best = std::min(best, std::chrono::duration<double, std::nano>(after - before).count() / static_cast<double>(packets.ours.size()));
    before = after;
  }
  return best;
}

/// All engines in turn, round by round, forwards and backwards: who else uses the machine disturbs those of one round alike.
Rounds measure(const std::vector<Runner>& all, const Packets& packets, double seconds) {
  constexpr int rounds = 31;
  Rounds costs(all.size());
  for (int round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::size_t engine = round % 2 == 0 ? i : all.size() - 1 - i;
      if (all[engine].run) costs[engine].push_back(best_within(seconds / rounds, all[engine], packets));
    }
  return costs;
}

double best(const std::vector<double>& costs) { return costs.empty() ? std::nan("") : *std::ranges::min_element(costs); }

/// The median of what one took in the time of the other, round by round.
double ratio(const std::vector<double>& costs, const std::vector<double>& others) {
  if (costs.empty() || others.empty()) return std::nan("");
  std::vector<double> ratios(costs.size());
  std::ranges::transform(costs, others, ratios.begin(), std::divides<>());
  const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
  std::ranges::nth_element(ratios, middle);
  return *middle;
}

/// The best of compiling an expression or making its code, in microseconds.
double microseconds(const std::function<void()>& what) {
  using Clock = std::chrono::steady_clock;
  constexpr double most_seconds = 0.1;
  double best = 1e9;
  const auto start = Clock::now();
  for (auto before = start; best == 1e9 || std::chrono::duration<double>(before - start).count() < most_seconds;) {
    what();
    const auto after = Clock::now();
    best = std::min(best, std::chrono::duration<double, std::micro>(after - before).count());
    before = after;
  }
  return best;
}

struct Line {
  std::string name;
  Rounds costs;
};

std::string number(double x, int digits) { return std::isnan(x) ? "-" : fmt::format("{:.{}f}", x, digits); }

void print(const char* title, const std::vector<Line>& lines) {
  fmt::print("\n### {}\n\n|  |", title);
  for (const char* name : engine_names) fmt::print(" {} |", name);
  fmt::print(" native / hand | batch / hand batch | views / hand batch | bpf_filter / native |\n|---|");
  for (std::size_t i = 0; i < std::size(engine_names) + 4; ++i) fmt::print("--:|");
  fmt::print("\n");
  double log_sum = 0, counted = 0;
  for (const Line& r : lines) {
    fmt::print("| {} |", r.name);
    for (const auto& costs : r.costs) fmt::print(" {} |", number(best(costs), best(costs) < 100 ? 2 : 0));
    const double gain = ratio(r.costs[BpfFilter], r.costs[Native]);
    fmt::print(" {} | {} | {} | {} |\n", number(ratio(r.costs[Native], r.costs[Hand]), 2),
               number(ratio(r.costs[NativeBatch], r.costs[HandBatch]), 2),
               number(ratio(r.costs[NativeViews], r.costs[ViewsBatch]), 2), number(gain, 1));
    if (std::isnan(gain) || r.name.starts_with("1000")) continue;  // libpcap's optimizer does not come to an end there
    log_sum += std::log(gain);
    ++counted;
  }
  if (counted != 0) fmt::print("\nbpf_filter / native, geometric mean up to 100 hosts: {:.1f}\n", std::exp(log_sum / counted));
}

/// What making the code costs, and after how many packets it has paid.
std::string making(const Subject& s, const Rounds& hot) {
  const ir::Program& graph = s.filter().stages().ir;
  const double all = microseconds([&] { (void)weir::compile(s.row().filter); });
  const double one = microseconds([&] { (void)native::emit(graph); });
  const double many = microseconds([&] { (void)native::emit_batch<Packet>(graph); });
  return fmt::format("| {} | {:.0f} | {:.0f} | {} | {:.0f} | {:.0f} | {:.0f} |\n", s.row().name, all, one,
                     s.code().instructions().size(), many, one * 1000 / (best(hot[Interpreter]) - best(hot[Native])),
                     many * 1000 / (best(hot[Interpreter]) - best(hot[NativeBatch])));
}

int time_all(const Arguments& a, const TrafficModel& model) {
  std::vector<Line> hot, drawn, streaming;
  std::string made;
  for (const Row& row : match_rows(a.filter)) {
    const auto subject = Subject::of(row, model);
    if (!subject) return 1;
    const std::vector<Runner>& engines = subject->engines();
    const Packets few = subject->packets(a.hot);
    if (!subject->agree(few)) return 1;
    hot.push_back({row.name, measure(engines, few, a.seconds)});
    made += making(*subject, hot.back().costs);
    if (a.streaming == 0) continue;
    drawn.push_back({row.name, measure(engines, drawn_from(few, a.streaming), a.seconds)});
    const Packets many = subject->packets(a.streaming);
    if (!subject->agree(many)) return 1;
    streaming.push_back({row.name, measure(engines, many, a.seconds)});
  }
  print("Matching: nanoseconds a packet, packets hot in the cache", hot);
  if (a.streaming != 0) print("Matching: nanoseconds a packet, packets in the cache, drawn at random", drawn);
  if (a.streaming != 0) print("Matching: nanoseconds a packet, packets from memory", streaming);
  fmt::print(
      "\n### Matching: making the code\n\n|  | weir::compile, us | native code, us | bytes | batch code, us | packets until it "
      "pays | in batches |\n"
      "|---|--:|--:|--:|--:|--:|--:|\n{}",
      made);
  return 0;
}

/// Under callgrind: all that is to be counted.
int count_all(const Arguments& a, const TrafficModel& model) {
  for (const Row& row : match_rows(a.filter)) {
    const auto subject = Subject::of(row, model);
    if (!subject) return 1;
    const Packets packets = subject->packets(a.counted);
    if (!subject->agree(packets)) return 1;
    count(*subject, packets);
  }
  return 0;
}

int print_counts(const Arguments& a) {
  std::vector<std::string> again{
      std::filesystem::read_symlink("/proc/self/exe"), "--counts", "--packets", std::to_string(a.counted), "--model", a.model};
  if (!a.filter.empty()) again.insert(again.end(), {"--filter", a.filter});
  const Counts counts = counted(again);
  if (counts.empty()) return 1;
  std::vector<Line> lines;
  for (const Row& row : match_rows()) {
    Line line{row.name, {}};
    bool any = false;
    for (const char* engine : engine_names) {
      const auto known = counts.find({row.name, engine});
      any |= known != counts.end();
      line.costs.emplace_back();
      if (known != counts.end()) line.costs.back().push_back(known->second / static_cast<double>(a.counted));
    }
    if (any) lines.push_back(std::move(line));
  }
  print("Matching: instructions a packet", lines);
  return 0;
}

int run(const Arguments& a) {
  const auto model = TrafficModel::read(a.model);
  if (!model) return fmt::print(stderr, "weir_match_bench: {}\n", model.error()), 2;
  if (match_rows(a.filter).empty()) return fmt::print(stderr, "weir_match_bench: there is no filter `{}`\n", a.filter), 2;
  if (!a.counts) return time_all(a, *model);
  return is_counted() ? count_all(a, *model) : print_counts(a);
}

}  // namespace

int main(int argc, char** argv) {
  Settings s = settings();
  if (const auto status = s.read(argc, argv)) return *status;
  return printed("weir_match_bench", [&] { return run(arguments(s)); });
}
