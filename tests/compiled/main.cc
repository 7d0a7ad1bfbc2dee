// weir_compiled: C code of filters, compiled by the system's compiler in batches, against the graphs that it was made of.
//
//   weir_compiled [--filters N] [--seed S] [--corpus] [--lists] [--every N] [--batch N] [--cc COMMAND]
//
// Of each filter the graph as it is lowered and the optimized one, both at every cut of packets that the oracle makes for it.
// --corpus takes every N-th filter of the corpus instead of generated ones, --lists long ones and a deep graph, of which nothing
// but compiling may fail. Exit status: 0 all agree, 1 not.
#include <stdlib.h>

#include <cstdio>
#include <map>

#include <fmt/core.h>

#include "batch.hpp"
#include "c/emit.hpp"
#include "explore.hpp"
#include "generate.hpp"
#include "known_files.hpp"
#include "packets.hpp"
#include "resolver.hpp"
#include "subject.hpp"

namespace weir::compiled {
namespace {

using oracle::Random;
using oracle::Sample;

struct Options {
  std::uint64_t filters = 1000, seed = 1, every = 1;
  std::size_t batch = 100;
  bool corpus = false, lists = false;
  std::string compiler = WEIR_COMPILED_CC;
};

/// A graph, and packets that get far in it.
struct Trial {
  std::string name;
  ir::Program graph;
  std::vector<Sample> samples;
};

class Runner {
 public:
  explicit Runner(const Options& options) : options_(options), names_(names::system_names()) {
    char folder[] = "/tmp/weir_compiled_XXXXXX";
    if (mkdtemp(folder)) folder_ = folder;
  }
  ~Runner() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  int finish() {
    run_batch();
    fmt::print("{} filters compiled of {}, {} graphs as C, {} verdicts ({} accepted), {} wrong\n", compiled_, asked_, graphs_,
               verdicts_, accepted_, wrong_);
    return wrong_ == 0 && verdicts_ > 0 ? 0 : 1;
  }

  void filter(const oracle::Setting& setting, const std::string& text, Random& random) {
    ++asked_;
    auto subject = oracle::compile(setting, text, *names_);
    if (!subject) return;
    ++compiled_;
    std::vector<Sample> samples = packets(setting, *subject, random);
    const std::string name = fmt::format("{}: `{}`", oracle::described(setting), text);
    add({name, std::move(subject->optimized), samples}, text);
    add({name + " (not optimized)", std::move(subject->graph), std::move(samples)}, text);
  }

  void add(Trial trial, const std::string& filter) {
    const auto text = c::emit(trial.graph, filter);
    if (!text) return complain(trial.name, text.error().message);
    ++graphs_;
    batch_.add(*text);
    trials_.push_back(std::move(trial));
    if (trials_.size() >= options_.batch) run_batch();
  }

 private:
  void complain(const std::string& name, const std::string& what) {
    if (++wrong_ <= 20) fmt::print("WRONG: {}: {}\n", name, what);
  }

  static std::vector<Sample> packets(const oracle::Setting& setting, const oracle::Subject& subject, Random& random) {
    constexpr std::size_t seeds = 4, most = 40;
    std::vector<Sample> samples;
    for (std::size_t n = 0; n < seeds; ++n) samples.push_back(oracle::realistic_packet(setting.link_type, random));
    oracle::explore(subject.optimized_code, samples, std::min<std::size_t>(20 + subject.optimized_code.instructions.size(), 200), random);
    if (samples.size() > most) samples.resize(most);
    for (std::size_t n = 0; n < seeds; ++n) samples.push_back(oracle::vary(subject.code, samples[random.below(samples.size())], random));
    return samples;
  }

  void run_batch() {
    if (trials_.empty()) return;
    Batch batch = std::exchange(batch_, {});
    const std::vector<Trial> trials = std::exchange(trials_, {});
    const auto functions = batch.load(options_.compiler, folder_);
    if (!functions) return complain(fmt::format("a batch that begins with {}", trials.front().name), functions.error());
    for (std::size_t n = 0; n < trials.size(); ++n) compare(trials[n], (*functions)[n]);
  }

  void compare(const Trial& trial, const Function& function) {
    Random random(trial.samples.size());
    for (const Sample& s : trial.samples) {
      const std::size_t some = s.bytes.empty() ? 0 : random.below(s.bytes.size());
      for (const std::size_t cut : {s.bytes.size(), some}) {
        const Packet packet = s.cut(cut);
        const std::uint32_t expected = ir::evaluate(trial.graph, packet), got = function(packet);
        ++verdicts_;
        accepted_ += expected != 0;
        if (got != expected)
          complain(trial.name, fmt::format("C returns {}, the graph {}, for {} of {} bytes", got, expected, cut, s.bytes.size()));
      }
    }
  }

  const Options& options_;
  std::shared_ptr<const names::Names> names_;
  std::filesystem::path folder_;
  Batch batch_;
  std::vector<Trial> trials_;
  std::uint64_t asked_ = 0, compiled_ = 0, graphs_ = 0, verdicts_ = 0, accepted_ = 0, wrong_ = 0;
};

// ---- Which filters ----

void generated(Runner& runner, const Options& options) {
  for (std::uint64_t n = 0; n < options.filters; ++n) {
    Random random(oracle::derive(options.seed, n));
    const auto& types = oracle::link_types();
    const std::string link_type = random.percent(40) ? "EN10MB" : std::string(types[random.below(types.size())]);
    const oracle::Generated g = oracle::generate(link_type, random);
    runner.filter(g.setting, g.filter, random);
  }
}

void corpus(Runner& runner, const Options& options) {
  std::uint64_t n = 0;
  Random random(options.seed);
  for (const auto& theme : oracle::themes(WEIR_COMPILED_CORPUS))
    for (const std::string& line : oracle::lines_of(theme)) {
      if (line.starts_with('#') || n++ % options.every != 0) continue;
      const oracle::Written w = oracle::written_in(line);
      runner.filter(w.setting, w.filter, random);
    }
}

Sample packet_of(std::uint32_t word) {
  Sample s;
  for (int shift = 24; shift >= 0; shift -= 8) s.bytes.push_back(static_cast<std::uint8_t>(word >> shift));
  s.length = 4;
  return s;
}

/// Sets of 100 000 numbers and of ranges; and many tests, one below the other.
void lists(Runner& runner) {
  constexpr std::uint32_t count = 100'000, deepest = 3000;  // gcc takes a minute for 20 000
  Random random(1);
  for (const std::uint32_t width : {0u, 5u}) {
    Trial t{fmt::format("a set of {} ranges", count), {}, {}};
    std::vector<Interval> parts;
    for (std::uint32_t n = 0; n < count; ++n) parts.push_back({n * 40'000 + 7, n * 40'000 + 7 + width});
    for (int n = 0; n < 2000; ++n) t.samples.push_back(packet_of(random.below(count) * 40'000 + 5 + random.below(10)));
    const auto word = t.graph.load(4, ir::no_value, 0);
    t.graph.root = t.graph.guard(4, ir::no_value, 0, t.graph.member(word, Set::join(parts), t.graph.ret(1), t.graph.ret(0u)));
    runner.add(std::move(t), "");
  }
  Trial deep{"a deep graph", {}, {}};
  ir::Program& g = deep.graph;
  ir::NodeId next = g.ret(0u);
  const auto word = g.load(4, ir::no_value, 0);
  for (std::uint32_t n = 0; n < deepest; ++n)
    next = g.test(n % 3 ? Relation::Equal : Relation::Greater, g.binary(Arith::Xor, word, g.constant(n)), g.constant(0xfffffff0),
                  g.ret(n + 1), next);
  g.root = g.guard(4, ir::no_value, 0, next);
  for (int n = 0; n < 200; ++n) deep.samples.push_back(packet_of(random.percent(50) ? ~random.below(deepest) : random.word()));
  runner.add(std::move(deep), "");
}

std::optional<Options> parse_options(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (word == "--corpus" || word == "--lists") {
      (word == "--corpus" ? o.corpus : o.lists) = true;
      continue;
    }
    if (!value) return std::nullopt;
    if (word == "--filters") o.filters = std::stoull(value);
    else if (word == "--seed") o.seed = std::stoull(value);
    else if (word == "--every") o.every = std::max(1ull, std::stoull(value));
    else if (word == "--batch") o.batch = std::stoull(value);
    else if (word == "--cc") o.compiler = value;
    else return std::nullopt;
    ++i;
  }
  return o;
}

int run_main(const Options& options) {
  oracle::keep_off_the_network();
  Runner runner(options);
  if (options.lists) lists(runner);
  else if (options.corpus) corpus(runner, options);
  else generated(runner, options);
  return runner.finish();
}

}  // namespace
}  // namespace weir::compiled

int main(int argc, char** argv) {
  const auto options = weir::compiled::parse_options(argc, argv);
  if (!options) {
    std::fputs("weir_compiled: wrong use; see tests/compiled/main.cc\n", stderr);
    return 2;
  }
  return weir::compiled::run_main(*options);
}
