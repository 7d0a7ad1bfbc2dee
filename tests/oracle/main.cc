// weir_oracle: all engines and libpcap against each other.
//
//   weir_oracle [--filters N] [--seed S] [--linktype L] [--conformance DIR] [--corpus DIR] [--captured N]
//               [--only differences|conformance|corpus|generated|sweep] [--every N] [--match TEXT]
//   weir_oracle --lines FILE
//   weir_oracle --linktype L --filter F [--snaplen N] [--netmask M] [--linux-ext] [--savefile native|swapped]
//               [--packet HEX [--length N] [--cut N] [--meta PROTOCOL,TYPE,INDEX,TAG,PRESENT,TPID]]
//
// The environment variable WEIR_CONFORMANCE says where the filters with known results are; without it they are looked
// for beside the repository. The second form takes filters as corpus/filters has them, or what is none: what fuzzers found
// (tests/fuzz/as_lines.py). The third runs one filter again: what a failure of the others prints. Exit status: 0 all agree, 1 not.
#include <chrono>
#include <cstdlib>
#include <map>

#include <fmt/core.h>

#include "conformance.hpp"
#include "resolver.hpp"
#include "sweep.hpp"

namespace weir::oracle {
namespace {

struct Options {
  std::map<std::string, std::string> values;

  bool has(const char* name) const { return values.contains(name); }
  std::string text(const char* name, const std::string& otherwise = "") const { return has(name) ? values.at(name) : otherwise; }
  std::uint64_t number(const char* name, std::uint64_t otherwise) const {
    return has(name) ? std::stoull(values.at(name), nullptr, 0) : otherwise;
  }
};

std::optional<Options> parse_options(int argc, char** argv) {
  static constexpr std::string_view with_value[] = {
      "filters", "seed",    "linktype", "conformance", "corpus", "captured", "only", "match",       "lines", "filter",
      "snaplen", "netmask", "savefile", "packet",      "length", "cut",      "meta", "differences", "every"};
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const std::string name(word.substr(0, 2) == "--" ? word.substr(2) : "");
    if (name == "linux-ext") {
      o.values[name] = "yes";
    } else if (std::find(std::begin(with_value), std::end(with_value), name) != std::end(with_value) && i + 1 < argc) {
      o.values[name] = argv[++i];
    } else {
      fmt::print(stderr, "weir_oracle: what is `{}`?\n", word);
      return std::nullopt;
    }
  }
  return o;
}

Case case_of(const Options& o) {
  Case c;
  c.setting.link_type = o.text("linktype", "EN10MB");
  c.setting.snaplen = static_cast<std::uint32_t>(o.number("snaplen", 262144));
  if (o.has("netmask")) c.setting.netmask = static_cast<std::uint32_t>(o.number("netmask", 0));
  c.setting.linux_ext = o.has("linux-ext");
  if (o.has("savefile")) c.setting.savefile = o.text("savefile") == "native" ? Savefile::Native : Savefile::Swapped;
  c.filter = o.text("filter");
  return c;
}

Sample sample_of(const Options& o) {
  Sample s;
  s.bytes = from_hex(o.text("packet"));
  s.length = static_cast<std::uint32_t>(o.number("length", s.bytes.size()));
  std::uint32_t* fields[] = {&s.meta.protocol, &s.meta.packet_type,      &s.meta.interface_index,
                             &s.meta.vlan_tag, &s.meta.vlan_tag_present, &s.meta.vlan_protocol};
  std::size_t at = 0;
  const std::string meta = o.text("meta");
  for (std::uint32_t* field : fields) {
    if (at >= meta.size()) break;
    *field = static_cast<std::uint32_t>(std::stoul(meta.substr(at)));
    at = std::min(meta.find(',', at), meta.size() - 1) + 1;
  }
  return s;
}

bool run_one(Examiner& examiner, const Options& o) {
  const Case c = case_of(o);
  if (!o.has("packet")) {
    Random random(o.number("seed", 1));
    return examiner.examine(c, random) != Outcome::Disagreed;
  }
  const Sample s = sample_of(o);
  const auto n = static_cast<std::size_t>(o.number("cut", s.bytes.size()));
  examiner.explain(c, s, n);
  const auto wrong = examiner.probe(c, s, n);
  if (wrong) fmt::print("DISAGREEMENT: {}: {}\n", wrong->engine, wrong->expectation);
  return !wrong;
}

/// Those that most captures have are tried more often.
std::string_view any_link_type(Random& random) {
  static constexpr std::string_view usual[] = {"EN10MB", "EN10MB", "EN10MB", "EN10MB", "EN10MB", "RAW", "IPV4", "IPV6", "NULL", "LOOP",
                                               "LINUX_SLL", "LINUX_SLL2", "PPP", "IEEE802_11_RADIO", "IEEE802_11"};
  if (random.percent(60)) return usual[random.below(std::size(usual))];
  return link_types()[random.below(link_types().size())];
}

void run_generated(Examiner& examiner, const Options& o) {
  const std::uint64_t seed = o.number("seed", 1), filters = o.number("filters", 5000);
  for (std::uint64_t i = 0; i < filters; ++i) {
    Random random(derive(seed, i));
    const std::string link_type = o.has("linktype") ? o.text("linktype") : std::string(any_link_type(random));
    for (const Generated& g : {generate(link_type, random), generate_words(link_type, random)})
      examiner.examine({.setting = g.setting, .filter = g.filter, .kinds = g.kinds}, random);
  }
}

/// Each row must still be true of its example.
void run_differences(Examiner& examiner, Differences& differences) {
  Random random(1);
  for (const auto& row : differences.rows()) {
    const Case c{.setting = read_setting(row.example_link_type), .filter = row.example};
    for (int tries = 0; tries < 100 && row.used == 0; ++tries) examiner.examine(c, random);
  }
  for (const auto& row : differences.rows())
    if (row.used == 0)
      examiner.report().fail(fmt::format("differences.tsv:{}: the row excuses nothing: {}", row.line, row.reason),
                             rerun_line(read_setting(row.example_link_type), row.example, nullptr, 0));
}

/// A machine on which a part cannot run says so; in CI that is a failure.
void skip(Report& report, const std::string& what) {
  const char* ci = std::getenv("CI");
  fmt::print("SKIPPED: {}\n", what);
  if (ci != nullptr && std::string_view(ci) == "true") report.fail("skipped in CI: " + what, "");
}

void run_all(Examiner& examiner, Differences& differences, const Options& o) {
  const std::string only = o.text("only");
  const auto wanted = [&](const char* part) { return only.empty() || only == part; };
  if (!examiner.kernel().trouble().empty()) skip(examiner.report(), "the running kernel: " + examiner.kernel().trouble());
  if (!examiner.reference().available({.linux_ext = true}, "vlan"))
    fmt::print("SKIPPED: libpcap on VLAN tags in the metadata: no right to open a live handle\n");
  if (wanted("differences")) run_differences(examiner, differences);
  if (wanted("conformance")) {
    const char* elsewhere = std::getenv("WEIR_CONFORMANCE");
    const std::string directory = elsewhere != nullptr ? elsewhere : o.text("conformance", WEIR_ORACLE_CONFORMANCE);
    if (std::filesystem::exists(directory + "/accept.jsonl")) run_conformance(examiner, directory, o.number("seed", 1), o.text("match"));
    else fmt::print("SKIPPED: conformance: nothing at {}\n", directory);
  }
  if (wanted("corpus")) run_corpus(examiner, o.text("corpus", WEIR_ORACLE_CORPUS), o.number("captured", 300), o.number("seed", 1));
  if (wanted("generated")) run_generated(examiner, o);
  if (wanted("sweep")) run_sweep(examiner, o.number("every", 200), o.number("seed", 1), o.number("seed", 1));
}

int run_main(const Options& o) {
  auto differences = Differences::read(o.text("differences", WEIR_ORACLE_DIFFERENCES));
  if (!differences) {
    fmt::print(stderr, "{}\n", differences.error());
    return 2;
  }
  Report report;
  Examiner examiner(*differences, report);
  keep_off_the_network();
  if (o.has("filter")) return run_one(examiner, o) ? 0 : 1;
  fmt::print("{}; seed {}\n", libpcap_version(), o.number("seed", 1));
  const auto start = std::chrono::steady_clock::now();
  if (o.has("lines")) run_lines(examiner, o.text("lines"), o.number("seed", 1));
  else run_all(examiner, *differences, o);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  report.check_rare();
  report.print();
  fmt::print("kernel: {} programs, {} packets; {} filters need metadata and stay out of it\n{:.1f} s, {} disagreements\n",
             examiner.kernel().programs, examiner.kernel().packets, report.metadata, took.count(), report.failures);
  return report.failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace weir::oracle

int main(int argc, char** argv) {
  const auto options = weir::oracle::parse_options(argc, argv);
  return options ? weir::oracle::run_main(*options) : 2;
}
