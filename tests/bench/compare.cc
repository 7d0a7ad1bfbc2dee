// weir_compare: our programs beside those of the installed libpcap's optimizer, on every known filter.
#include "compare.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fmt/core.h>

#include "known_files.hpp"
#include "resolver.hpp"
#include "settings.hpp"

namespace weir::bench {
namespace {

constexpr const char* usage =
    "weir_compare [--source corpus|wild|cases] [--match TEXT] [--linktype L] [--every N] [--worst N] [--all] [--floors]\n"
    "             [--exceptions FILE] [--packets N] [--seed S] [--seconds S] [--corpus DIR] [--conformance DIR] [--model FILE]\n"
    "             [--other FILE] [--differences FILE]\n"
    "  --floors      adds the least that any program can cost (floor.hpp), and what the best trees execute (tree.hpp)\n"
    "  --every       one filter in N, where each is slow, as under the sanitizers\n"
    "  --linktype    in the words of the corpus: \"EN10MB live\", \"NULL savefile\"\n"
    "  --exceptions  ends with status 1 where a filter is worse than libpcap's that the file does not list, or says less of, or\n"
    "                one is not worse that it lists for good\n"
    "weir_compare --filter F [--linktype L] [--program FILE] ...\n"
    "  both listings, with how often each instruction is executed per packet; FILE: a program to try in place of ours, as\n"
    "  `tcpdump -ddd` prints it\n";

Settings settings() {
  const char* elsewhere = std::getenv("WEIR_CONFORMANCE");
  return {"weir_compare", usage,
          {{"corpus", WEIR_BENCH_CORPUS},
           {"conformance", elsewhere ? elsewhere : WEIR_BENCH_CONFORMANCE},
           {"every", "1"},
           {"worst", "40"},
           {"packets", "3000"},
           {"seed", "1"},
           {"seconds", "2"},
           {"source", ""},
           {"match", ""},
           {"linktype", ""},
           {"filter", ""},
           {"program", ""},
           {"exceptions", ""},
           {"differences", WEIR_BENCH_DIFFERENCES},
           {"model", WEIR_BENCH_CORPUS "/traffic/model.txt"},
           {"other", WEIR_BENCH_CORPUS "/traffic/other.txt"}},
          {"all", "floors"}};
}

bool wanted(const Entry& e, const Settings& o) {
  const auto chosen = [&](const char* option, const std::string& value) { return !o.has(option) || o.at(option) == value; };
  return chosen("source", e.source) && chosen("linktype", oracle::described(e.c.setting)) &&
         e.c.filter.find(o.at("match")) != std::string::npos;
}

Result<cbpf::Program> read_program(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return cbpf::read_decimal(text.str());
}

/// Which libpcap the exceptions are about: that of Debian 12.
bool is_the_one_of_the_exceptions() { return oracle::libpcap_version().starts_with("libpcap version 1.10.3"); }

int compare_all(Measure& measure, const Settings& o, const std::shared_ptr<const names::Names>& system) {
  const auto names = oracle::names_of_conformance(o.at("conformance"), system);
  const std::size_t every = std::max<std::size_t>(o.count("every"), 1);
  std::vector<Row> rows;
  std::size_t seen = 0;
  for (const Entry& entry : all_filters(o.at("corpus"), o.at("conformance"), *names))
    if (wanted(entry, o) && seen++ % every == 0) rows.push_back(measure.measure(entry));
  if (o.has("all")) {
    print_all(rows, o.has("floors"));
    return 0;
  }
  print_totals(rows);
  if (o.has("floors")) {
    print_floors(rows);
    print_best(rows);
  }
  if (o.has("exceptions")) {
    const auto exceptions = read_exceptions(o.at("exceptions"));
    if (!exceptions) return fmt::print(stderr, "weir_compare: {}\n", exceptions.error()), 2;
    if (!is_the_one_of_the_exceptions()) return fmt::print("SKIPPED: the exceptions are about libpcap 1.10.3\n"), 0;
    return print_unexcused(rows, *exceptions) == 0 ? 0 : 1;
  }
  print_worst(rows, o.count("worst"));
  return 0;
}

int run(const Settings& o) {
  auto model = TrafficModel::read(o.at("model")), other = TrafficModel::read(o.at("other"));
  for (const auto* table : {&model, &other})
    if (!*table) return fmt::print(stderr, "weir_compare: {}\n", table->error()), 2;
  auto differences = oracle::Differences::read(o.at("differences"));
  if (!differences) return fmt::print(stderr, "weir_compare: {}\n", differences.error()), 2;
  oracle::keep_off_the_network();
  const std::shared_ptr<const names::Names> system = names::system_names();
  Measure measure({std::move(*model), std::move(*other)}, std::move(*differences), system,
                  {.packets = o.count("packets"),
                   .seed = o.count("seed"),
                   .seconds = o.number("seconds"),
                   .floors = o.has("floors")});
  if (!o.has("filter")) return compare_all(measure, o, system);
  oracle::Case c{.setting = oracle::read_setting(o.has("linktype") ? o.at("linktype") : "EN10MB"), .filter = o.at("filter")};
  std::optional<cbpf::Program> instead;
  if (o.has("program")) {
    auto program = read_program(o.at("program"));
    if (!program) return fmt::print(stderr, "weir_compare: {}\n", program.error().message), 2;
    instead = std::move(*program);
  }
  print_listing(measure, c, instead);
  return 0;
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  auto settings = weir::bench::settings();
  if (const auto status = settings.read(argc, argv)) return *status;
  return weir::bench::printed("weir_compare", [&] { return weir::bench::run(settings); });
}
