// weir_ebpf_kernel: programs for all hooks through the kernel's verifier, and packets through them.
//
//   weir_ebpf_kernel [--every N] [--match TEXT] [--hook NAME] [--threshold N] [--tables N] [--functions yes] [--packets N]
//     [--seed S]                        filters of the corpus and the conformance cases
//   weir_ebpf_kernel --generated N [--seed S]   generated filters
//   weir_ebpf_kernel --graphs N [--seed S]      random graphs
//
// Exit status: 0 all is well, 1 not, 77 the kernel lets nobody load programs here.
#include <cstdlib>
#include <map>
#include <string>

#include <fmt/core.h>

#include "../unit/ir/random_program.hpp"
#include "../unit/native/guarded.hpp"
#include "explore.hpp"
#include "filters.hpp"
#include "generate.hpp"
#include "kernel_program.hpp"
#include "packets.hpp"
#include "resolver.hpp"
#include "subject.hpp"
#include "verdicts.hpp"

namespace weir::ebpf_tests {
namespace {

using Options = std::map<std::string, std::string>;

std::size_t number(const Options& o, const char* name, std::size_t otherwise) {
  return o.contains(name) ? std::stoull(o.at(name)) : otherwise;
}

struct Campaign {
  std::map<ebpf::Hook, Tally> tallies;
  std::size_t failures = 0;

  void fail(const std::string& what) {
    fmt::print("FAILED: {}\n", what);
    ++failures;
  }
  void print() const {
    for (const auto& [hook, t] : tallies) {
      fmt::print(
          "{:12} {} programs loaded, {} instructions, {} in the longest; {} graphs ask what the hook does not know, {} too "
          "large, {} for hook socket instead; {} verdicts ({} of packets in parts, {} "
          "accepted), {} packets not taken\n",
          to_string(hook), t.loaded, t.instructions, t.longest, t.unsupported, t.too_large, t.instead, t.verdicts, t.in_parts,
          t.accepted, t.not_taken);
    }
  }
};

std::vector<ebpf::Hook> wanted_hooks(const Options& o) {
  if (!o.contains("hook")) return {std::begin(hooks), std::end(hooks)};
  return {*ebpf::find_hook(o.at("hook"))};
}

/// A filter's graphs, as written and optimized, on packets that take its program's ways.
void try_filter(const proofs::Subject& subject, const Options& o, Campaign& campaign) {
  const auto compiled = oracle::compile(subject.setting, subject.filter, *subject.names);
  if (!compiled) return;
  oracle::Random random(number(o, "seed", 1));
  std::vector<oracle::Sample> samples;
  for (int i = 0; i < 4; ++i) samples.push_back(oracle::realistic_packet(subject.setting.link_type, random));
  oracle::explore(compiled->code, samples, 400, random);
  if (samples.size() > number(o, "packets", 24)) samples.resize(number(o, "packets", 24));
  std::vector<oracle::Sample> cut;
  for (const oracle::Sample& s : samples)
    if (s.bytes.size() > 15)
      cut.push_back(
          {.bytes = {s.bytes.begin(), s.bytes.begin() + 14 + random.below(static_cast<std::uint32_t>(s.bytes.size()) - 14)}});
  samples.insert(samples.end(), cut.begin(), cut.end());
  for (const ebpf::Hook hook : wanted_hooks(o)) {
    ebpf::EmitOptions options{.hook = hook};
    if (o.contains("threshold")) options.map_threshold = number(o, "threshold", 1);
    if (o.contains("tables")) options.table_threshold = number(o, "tables", 1);
    options.loads_in_functions = o.contains("functions");
    for (const ir::Program* graph : {&compiled->graph, &compiled->gathered_optimized})
      if (const auto wrong = compare(*graph, options, samples, campaign.tallies[hook]))
        return campaign.fail(fmt::format("{} ({}): `{}`, {}: {}", subject.source, oracle::described(subject.setting),
                                         subject.filter.substr(0, 300), graph == &compiled->graph ? "as written" : "optimized",
                                         *wrong));
  }
}

void run_filters(const Options& o, Campaign& campaign) {
  const char* elsewhere = std::getenv("WEIR_CONFORMANCE");
  std::vector<proofs::Subject> all = proofs::corpus(WEIR_EBPF_CORPUS);
  const std::vector<proofs::Subject> known = proofs::conformance(elsewhere != nullptr ? elsewhere : WEIR_EBPF_CONFORMANCE);
  if (known.empty()) fmt::print("SKIPPED: conformance: nothing there\n");
  all.insert(all.end(), known.begin(), known.end());
  for (std::size_t i = 0; i < all.size(); i += number(o, "every", 1))
    if (!o.contains("match") || all[i].filter.contains(o.at("match"))) try_filter(all[i], o, campaign);
  for (const auto& [hook, tally] : campaign.tallies)
    if (tally.instead != 0)
      campaign.fail(fmt::format("hook {}: the verifier takes {} programs of known filters for hook socket only", to_string(hook),
                                tally.instead));
}

void run_generated(const Options& o, Campaign& campaign) {
  static constexpr const char* link_types[] = {"EN10MB", "EN10MB", "EN10MB", "RAW", "LINUX_SLL", "IEEE802_11_RADIO"};
  const std::shared_ptr<const names::Names> names = names::system_names();
  for (std::uint64_t i = 0; i < number(o, "generated", 100); ++i) {
    oracle::Random random(oracle::derive(number(o, "seed", 1), i));
    const auto made = oracle::generate(link_types[i % std::size(link_types)], random);
    proofs::Subject subject;
    subject.setting = made.setting;
    subject.filter = made.filter;
    subject.source = fmt::format("generated {}", i);
    subject.names = names;
    try_filter(subject, o, campaign);
  }
}

void run_graphs(const Options& o, Campaign& campaign) {
  oracle::Random random(number(o, "seed", 1));
  for (std::uint32_t seed = 0; seed < number(o, "graphs", 100); ++seed) {
    const auto first = static_cast<std::uint32_t>(number(o, "seed", 1)) * 100'000;
    ir::RandomProgram maker(first + seed);
    const ir::Program graph = ir::Guarded(maker.make(3 + seed % 14)).make();
    if (graph.node_count() > 1000) continue;  // guards of values inside values multiply
    std::vector<oracle::Sample> samples(6);
    for (oracle::Sample& s : samples) {
      s.bytes.resize(14 + random.below(60));
      for (auto& b : s.bytes) b = static_cast<std::uint8_t>(random.percent(33) ? random.below(256) : random.below(12));
    }
    for (const ebpf::Hook hook : wanted_hooks(o))
      if (const auto wrong = compare(graph, {.hook = hook}, samples, campaign.tallies[hook])) {
        campaign.fail(fmt::format("seed {}: {}\n{}", first + seed, *wrong, ir::to_string(graph)));
        break;
      }
  }
}

int run_main(const Options& o) {
  if (const std::string why = trouble(); !why.empty()) {
    const char* ci = std::getenv("CI");
    fmt::print("SKIPPED: the kernel loads no programs here: {}\n", why);
    return ci != nullptr && std::string_view(ci) == "true" ? 1 : 77;
  }
  oracle::keep_off_the_network();
  Campaign campaign;
  if (o.contains("graphs")) run_graphs(o, campaign);
  else if (o.contains("generated")) run_generated(o, campaign);
  else run_filters(o, campaign);
  campaign.print();
  fmt::print("{} failures\n", campaign.failures);
  return campaign.failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace weir::ebpf_tests

int main(int argc, char** argv) {
  weir::ebpf_tests::Options options;
  for (int i = 1; i + 1 < argc; i += 2) options[std::string(argv[i]).substr(2)] = argv[i + 1];
  return weir::ebpf_tests::run_main(options);
}
