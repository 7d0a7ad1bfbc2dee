// weir_bench: what compiling and running filters costs, beside libpcap in the same run. `./dev bench` runs it.
// The difference of what valgrind's callgrind counts of two runs with --compile, divided by that of their --times, is what one
// compilation takes; callgrind_annotate --inclusive=yes says where.
#include "bench.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/core.h>

#include "conformance.hpp"
#include "known_files.hpp"
#include "lists.hpp"
#include "plot.hpp"
#include "resolver.hpp"
#include "settings.hpp"

namespace weir::bench {
namespace {

using Row = std::array<Compiled, engine_count>;

struct Bench {
  TrafficModel model;
  double seconds;
  std::uint64_t packets;
};

Row compile_all(const Bench& b, const oracle::Setting& setting, const std::string& filter, double steady) {
  Row row;
  for (std::size_t e = 0; e < engine_count; ++e) row[e] = compile(static_cast<Engine>(e), setting, filter, b.seconds + steady, steady);
  return row;
}

std::string duration(double seconds) {
  if (seconds < 1e-3) return fmt::format("{:.1f} us", seconds * 1e6);
  return seconds < 1 ? fmt::format("{:.2f} ms", seconds * 1e3) : fmt::format("{:.1f} s", seconds);
}

std::string time_of(const Compiled& c, double most) { return c.ended ? duration(c.seconds) : fmt::format(">{:.0f} s", most); }

std::string length_of(const Compiled& c) {
  return c.program ? fmt::format("{}", c.program->instructions.size()) : c.ended ? "too long" : "-";
}

std::string memory_of(const Compiled& c) {
  return !c.ended ? "-" : c.kilobytes < 10'000 ? fmt::format("{} kB", c.kilobytes) : fmt::format("{} MB", c.kilobytes / 1000);
}

void print_columns(const char* what, int width) {
  fmt::print("| {:<{}} ", what, width);
  for (const char* name : engine_names) fmt::print("| {:>10} ", name);
  fmt::print("|\n|{:-<{}}", "", width + 2);
  for (std::size_t e = 0; e < engine_count; ++e) fmt::print("|-----------:");
  fmt::print("|\n");
}

void print_title(const std::string& title) { fmt::print("\n### {}\n\n", title); }

template <class Cell>
void print_row(const std::string& what, int width, const Cell& cell) {
  fmt::print("| {:<{}} ", what, width);
  for (std::size_t e = 0; e < engine_count; ++e) fmt::print("| {:>10} ", cell(e));
  fmt::print("|\n");
}

/// What the programs of a row execute; filters[i] is what packets are aimed at.
std::vector<std::array<Executed, engine_count>> execute(const Bench& b, const oracle::Setting& setting, const std::vector<Row>& rows,
                                                        const std::vector<std::string>& aims) {
  Trace trace(b.model, setting, b.packets);
  std::vector<std::array<std::optional<std::size_t>, engine_count>> numbers(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t e = 0; e < engine_count; ++e)
      if (rows[i][e].program) numbers[i][e] = trace.add(*rows[i][e].program, aims[i]);
  const std::vector<Executed> results = trace.run();
  std::vector<std::array<Executed, engine_count>> executed(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t e = 0; e < engine_count; ++e)
      if (numbers[i][e]) executed[i][e] = results[*numbers[i][e]];
  return executed;
}

std::string executed_text(const Executed& e, std::uint64_t all) {
  return e.packets == 0 ? "-" : fmt::format("{:.2f}{}", e.average, e.packets < all ? "*" : "");
}

// ---- filters one by one

constexpr const char* usual_filters[] = {
    "tcp port 80",
    "host 10.0.0.1 and not port 22",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and not net 10.0.0.0/8",
    "tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)",
    "port 53 or port 80 or port 443",
    "ip6 host 2001:db8::1 or arp",
    "vlan and udp portrange 5060-5090",
    "geneve and tcp port 443",
    "ip6 protochain 58",
};

void bench_filters(const Bench& b) {
  std::vector<Row> rows;
  std::vector<std::string> filters;
  for (const char* filter : usual_filters) {
    filters.emplace_back(filter);
    rows.push_back(compile_all(b, {}, filter, 0.1));
  }
  const auto executed = execute(b, {}, rows, filters);
  constexpr int width = 77;
  print_title("Compile time");
  print_columns("filter", width);
  for (std::size_t i = 0; i < rows.size(); ++i) print_row(filters[i], width, [&](std::size_t e) { return time_of(rows[i][e], b.seconds); });
  print_title("Instructions");
  print_columns("filter", width);
  for (std::size_t i = 0; i < rows.size(); ++i) print_row(filters[i], width, [&](std::size_t e) { return length_of(rows[i][e]); });
  print_title(fmt::format("Instructions executed per packet, of {} packets", b.packets));
  print_columns("filter", width);
  for (std::size_t i = 0; i < rows.size(); ++i)
    print_row(filters[i], width, [&](std::size_t e) { return executed_text(executed[i][e], b.packets); });
}

// ---- filters by class: the themes of the corpus, and the wild list

struct Sum {
  std::size_t filters = 0;
  std::array<double, engine_count> seconds{};
  std::array<std::size_t, engine_count> instructions{};

  /// Filters that all engines compiled.
  void add(const Row& row) {
    if (!std::all_of(row.begin(), row.end(), [](const Compiled& c) { return c.program.has_value(); })) return;
    ++filters;
    for (std::size_t e = 0; e < engine_count; ++e) {
      seconds[e] += row[e].seconds;
      instructions[e] += row[e].program->instructions.size();
    }
  }
};

void bench_themes(const Bench& b, const std::string& corpus, const std::string& conformance) {
  std::vector<std::pair<std::string, Sum>> sums;
  const auto file = [&](const std::string& name, const std::filesystem::path& path) {
    Sum sum;
    for (const oracle::Case& c : oracle::filters_of_lines(path)) sum.add(compile_all(b, c.setting, c.filter, 0.002));
    sums.emplace_back(name, sum);
  };
  for (const auto& theme : oracle::themes(corpus + "/filters")) file(theme.stem(), theme);
  if (std::filesystem::exists(conformance + "/wild.txt")) file("as people write them", conformance + "/wild.txt");
  print_title("Compile time of a filter by class, on average (filters that all four compile)");
  print_columns("class, filters", 26);
  for (const auto& [name, sum] : sums)
    print_row(fmt::format("{}, {}", name, sum.filters), 26, [&](std::size_t e) {
      return duration(sum.seconds[e] / static_cast<double>(std::max<std::size_t>(1, sum.filters)));
    });
  print_title("Instructions by class, summed");
  print_columns("class, filters", 26);
  for (const auto& [name, sum] : sums)
    print_row(fmt::format("{}, {}", name, sum.filters), 26, [&](std::size_t e) { return fmt::format("{}", sum.instructions[e]); });
}

// ---- lists

constexpr std::size_t lengths[] = {10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10'000, 20'000, 50'000, 100'000};

/// What has taken too long will take longer still.
struct Patience {
  std::array<bool, engine_count> over{};
  Compiled compile(std::size_t e, const std::string& filter, double most) {
    if (over[e]) return {};
    Compiled c = bench::compile(static_cast<Engine>(e), {}, filter, most, std::min(0.05, most));
    over[e] = !c.ended;
    return c;
  }
};

void write(const std::string& path, const std::string& text) {
  std::ofstream out(path);
  (out << text).flush();
  fmt::print(stderr, "{} {}\n", out ? "wrote" : "weir_bench: cannot write", path);
}

/// What is measured of lists of one kind; the row of lengths[i] is the ith.
struct ListResults {
  std::vector<Row> rows;
  std::vector<std::array<Executed, engine_count>> executed;
};

ListResults measure(const Bench& b, const ListKind& kind, std::size_t longest) {
  ListResults r;
  std::vector<std::string> aims;
  Patience patience;
  for (const std::size_t n : lengths) {
    if (n > std::min(longest, kind.most)) break;
    const std::string filter = list_filter(kind, n);
    auto& row = r.rows.emplace_back();
    for (std::size_t e = 0; e < engine_count; ++e) row[e] = patience.compile(e, filter, b.seconds);
    aims.push_back(part_of_list(kind, n, 50));
  }
  r.executed = execute(b, {}, r.rows, aims);
  return r;
}

void print_tables(const Bench& b, const ListKind& kind, const ListResults& r) {
  const auto table = [&](const std::string& title, const auto& cell) {
    print_title(fmt::format("Lists of {}: {}", kind.name, title));
    print_columns("length", 8);
    for (std::size_t i = 0; i < r.rows.size(); ++i) print_row(fmt::format("{}", lengths[i]), 8, [&](std::size_t e) { return cell(i, e); });
  };
  table("compile time", [&](std::size_t i, std::size_t e) { return time_of(r.rows[i][e], b.seconds); });
  table("memory at the most", [&](std::size_t i, std::size_t e) { return memory_of(r.rows[i][e]); });
  table("instructions", [&](std::size_t i, std::size_t e) { return length_of(r.rows[i][e]); });
  table(fmt::format("instructions executed per packet, of {} packets (* of fewer)", b.packets),
        [&](std::size_t i, std::size_t e) { return executed_text(r.executed[i][e], b.packets); });
  std::fflush(stdout);
}

/// A line an engine; `value` is what to draw for lengths[i], if anything.
template <class Value>
Panel panel(const ListKind& kind, const ListResults& r, const Value& value) {
  Panel p{kind.name, {}};
  for (std::size_t e = 0; e < engine_count; ++e) {
    auto& series = p.series.emplace_back(Series{engine_names[e], {}});
    for (std::size_t i = 0; i < r.rows.size(); ++i)
      if (const std::optional<double> y = value(i, e)) series.points.emplace_back(static_cast<double>(lengths[i]), *y);
  }
  return p;
}

void bench_lists(const Bench& b, std::size_t longest, const std::string& plots) {
  std::vector<Panel> times, steps;
  for (const ListKind& kind : list_kinds()) {
    const ListResults r = measure(b, kind, longest);
    print_tables(b, kind, r);
    times.push_back(panel(kind, r, [&](std::size_t i, std::size_t e) {
      return r.rows[i][e].ended ? std::optional(r.rows[i][e].seconds * 1e3) : std::nullopt;
    }));
    steps.push_back(panel(kind, r, [&](std::size_t i, std::size_t e) {
      return r.executed[i][e].packets > 0 ? std::optional(r.executed[i][e].average) : std::nullopt;
    }));
  }
  if (plots.empty()) return;
  const auto some = [](const std::vector<Panel>& all) { return std::vector<Panel>{all[0], all[1], all[2]}; };
  write(plots + "/compile_time.svg", plot("Time to compile a list (-O: not optimized)", "length of the list", "milliseconds", some(times)));
  write(plots + "/executed.svg",
        plot("Instructions executed per packet (-O: not optimized)", "length of the list", "instructions", some(steps)));
}

// ---- what once made libpcap slow or crash

int bench_triggers(const Bench& b, const std::string& conformance) {
  if (!std::filesystem::exists(conformance + "/triggers.txt")) return 0;
  std::size_t count = 0, slow = 0, dead = 0;
  double slowest = 0;
  std::string which;
  for (const oracle::Case& c : oracle::filters_of_lines(conformance + "/triggers.txt")) {
    const Compiled done = compile(Engine::Weir, c.setting, c.filter, b.seconds, 0.01);
    ++count;
    dead += !done.ended;
    slow += done.seconds > 0.05;
    if (done.seconds > slowest) slowest = done.seconds, which = c.filter;
  }
  print_title("Filters that once made libpcap wrong, slow or crash");
  fmt::print("{} compiled by weir: {} above 50 ms, {} without an end; the slowest takes {}: `{}`\n", count, slow, dead,
             duration(slowest), which.substr(0, 60));
  return slow + dead == 0 ? 0 : 1;
}

/// In this process, so that a profiler sees it.
int compile_only(const Settings& s) {
  const auto engine = std::ranges::find(engine_names, s.at("engine"), [](const char* name) { return std::string(name); });
  if (engine == engine_names.end()) return fmt::print(stderr, "weir_bench: there is no engine `{}`\n", s.at("engine")), 2;
  oracle::keep_off_the_network();
  return compile_here(static_cast<Engine>(engine - engine_names.begin()), oracle::read_setting(s.at("linktype")), s.at("compile"),
                      s.count("times"))
             ? 0
             : 1;
}

/// Before minutes are spent for nothing.
std::string complaint(const Settings& s) {
  constexpr std::string_view parts[] = {"", "filters", "themes", "lists", "triggers"};
  if (std::ranges::count(parts, s.at("only")) == 0)
    return fmt::format("there is no part `{}`: --only takes filters, themes, lists or triggers", s.at("only"));
  if (s.has("plots") && !std::filesystem::is_directory(s.at("plots")))
    return fmt::format("--plots takes a folder that is there, not `{}`", s.at("plots"));
  return "";
}

int run(const Settings& s) {
  if (const auto wrong = complaint(s); !wrong.empty()) return fmt::print(stderr, "weir_bench: {}\n", wrong), 2;
  if (s.has("compile")) return compile_only(s);
  auto model = TrafficModel::read(s.at("model"));
  if (!model) return fmt::print(stderr, "weir_bench: {}\n", model.error()), 2;
  oracle::keep_off_the_network();
  const Bench b{std::move(*model), s.number("seconds"), s.count("packets")};
  const auto wanted = [&](const char* part) { return !s.has("only") || s.at("only") == part; };
  fmt::print(
      "# Benchmarks\n\nMade by `./dev bench`. Beside {}; -O: not optimized. Times are of one processor, the shortest of "
      "several.\n"
      "Packets are those of corpus/traffic/model.txt, a tenth of them aimed at the filter. `too long`: more than the 4096 "
      "instructions\n"
      "that a kernel takes.\n",
      oracle::libpcap_version());
  if (wanted("filters")) bench_filters(b);
  if (wanted("themes")) bench_themes(b, s.at("corpus"), s.at("conformance"));
  if (wanted("lists")) bench_lists(b, s.count("longest"), s.at("plots"));
  return wanted("triggers") ? bench_triggers(b, s.at("conformance")) : 0;
}

constexpr const char* usage =
    "weir_bench [--only filters|themes|lists|triggers] [--plots DIR] [--seconds S] [--packets N] [--longest N]\n"
    "           [--corpus DIR] [--conformance DIR] [--model FILE]\n"
    "  --seconds  how long one compilation may take (then `>S s` is printed)\n"
    "  --longest  the length of the longest list\n"
    "  --plots    writes compile_time.svg and executed.svg there\n"
    "weir_bench --compile FILTER [--engine libpcap|libpcap -O|weir|weir -O] [--linktype L] [--times N]\n"
    "  compiles a filter for Ethernet, or what the words of the corpus say (\"NULL savefile\"), and prints nothing\n";

Settings settings() {
  const char* elsewhere = std::getenv("WEIR_CONFORMANCE");
  return {"weir_bench", usage,
          {{"only", ""},
           {"plots", ""},
           {"seconds", "10"},
           {"packets", "1000000"},
           {"longest", "100000"},
           {"corpus", WEIR_BENCH_CORPUS},
           {"conformance", elsewhere ? elsewhere : WEIR_BENCH_CONFORMANCE},
           {"model", WEIR_BENCH_CORPUS "/traffic/model.txt"},
           {"compile", ""},
           {"engine", "weir"},
           {"linktype", "EN10MB"},
           {"times", "1"}}};
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  auto settings = weir::bench::settings();
  if (const auto status = settings.read(argc, argv)) return *status;
  return weir::bench::printed("weir_bench", [&] { return weir::bench::run(settings); });
}
