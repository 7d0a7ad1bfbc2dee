#include <algorithm>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "aimed.hpp"
#include "child.hpp"
#include "compare.hpp"
#include "known_files.hpp"
#include "optimize/optimize.hpp"
#include "trace.hpp"
#include "vm/cbpf.hpp"

namespace weir::bench {
namespace {

/// Programs for a live capture use the kernel's metadata, which only its machine knows.
vm::Machine machine(const oracle::Setting& s) { return s.linux_ext ? vm::Machine::Kernel : vm::Machine::Libpcap; }

std::string as_bytes(const cbpf::Program& p) {
  return {reinterpret_cast<const char*>(p.instructions.data()), p.instructions.size() * sizeof(cbpf::Instruction)};
}

cbpf::Program from_bytes(const std::string& bytes) {
  cbpf::Program p;
  p.instructions.resize(bytes.size() / sizeof(cbpf::Instruction));
  std::memcpy(p.instructions.data(), bytes.data(), bytes.size());
  return p;
}

/// The first letter tells a program from a message.
std::string optimized_by_libpcap(oracle::Reference& libpcap, const oracle::Case& c) {
  const auto program = libpcap.compile(c.setting, c.filter, true);
  return program ? "p" + as_bytes(*program) : "m" + program.error();
}

}  // namespace

std::vector<Entry> all_filters(const std::string& corpus, const std::string& conformance, const names::Names& names) {
  std::vector<Entry> all;
  for (const auto& theme : oracle::themes(corpus + "/filters"))
    for (auto& c : oracle::filters_of_lines(theme)) all.push_back({"corpus", std::move(c)});
  if (!std::filesystem::exists(conformance + "/wild.txt")) return all;
  for (auto& c : oracle::filters_of_lines(conformance + "/wild.txt")) all.push_back({"wild", std::move(c)});
  for (auto& k : oracle::known_filters(conformance, names)) all.push_back({"cases", std::move(k.c), k.optimized_length});
  return all;
}

std::size_t Row::terms() const {
  std::istringstream words(entry.c.filter);
  std::size_t ors = 1, ands = 1;
  for (std::string word; words >> word;) {
    ors += word == "or" || word == "||";
    ands += word == "and" || word == "&&";
  }
  return std::max(ors, ands);
}

bool Row::slower() const {
  if (!executed || !compared()) return false;
  for (std::size_t m = 0; m < mixes; ++m)
    if (ours.executed[m] > theirs.executed[m] + 1e-9) return true;
  return false;
}

bool Row::longer() const {
  if (!compared() || ours.length <= theirs.length) return false;
  // The tree of a set may be a third longer where it executes less.
  const bool less = executed && !slower() && ours.executed != theirs.executed;
  return !(terms() > 3 && less && 3 * ours.length <= 4 * theirs.length);
}

const std::vector<oracle::Sample>& Measure::passing(std::size_t mix, const oracle::Setting& s) {
  auto& packets = passing_[mix_names[mix] + (s.linux_ext ? " live " + s.link_type : " " + s.link_type)];
  if (!packets.empty()) return packets;
  oracle::Random random(oracle::derive(options_.seed, mix));
  const std::size_t count = options_.packets - options_.packets * models_[mix].aimed_percent() / 100;
  for (std::size_t i = 0; i < count; ++i) packets.push_back(packet(models_[mix], s, random));
  return packets;
}

std::vector<oracle::Sample> Measure::aimed(std::size_t mix, const oracle::Case& c, const cbpf::Program& meaning) const {
  oracle::Random random(oracle::derive(options_.seed, 100 + mix));
  return aimed_packets(models_[mix], c.setting, meaning, options_.packets * models_[mix].aimed_percent() / 100, random);
}

Programs Measure::compile(const oracle::Case& c) {
  Programs p;
  const auto ours = oracle::compile(c.setting, c.filter, c.names != nullptr ? *c.names : *names_);
  if (ours) p.ours = ours->program();
  if (ours && options_.floors) {
    p.graph = ours->optimized;
    p.plain = optimize::optimize(ours->graph);
  }
  compile_theirs(c, p);
  if (!ours) p.missing = "weir: " + ours.error().message;
  return p;
}

void Measure::compile_theirs(const oracle::Case& c, Programs& p) {
  if (c.program) p.meaning = c.program;
  else if (auto plain = libpcap_.compile(c.setting, c.filter)) p.meaning = std::move(*plain);
  else p.missing = "libpcap: " + plain.error();
  p.theirs.reset();
  if (!libpcap_.available(c.setting, c.filter)) p.missing = "libpcap: no right to open a live handle";
  if (c.names != nullptr || !p.meaning || !p.missing.empty()) return;
  const auto theirs = in_child([&] { return optimized_by_libpcap(libpcap_, c); }, options_.seconds);
  if (!theirs) p.missing = "libpcap's optimizer does not end in time";
  else if (theirs->text[0] == 'm') p.missing = "libpcap: " + theirs->text.substr(1);
  else p.theirs = from_bytes(theirs->text.substr(1));
}

namespace {

/// Whether a verdict that is not that of the meaning is one that a program may not give: it may accept where the meaning
/// only ran out of bytes (pred/filter.hpp, "refines").
bool is_wrong(bool got, bool expected, const cbpf::Program& meaning, const oracle::Sample& s) {
  if (got == expected) return false;
  oracle::Trace trace;
  oracle::run(meaning, s.whole(), oracle::Tail::None, trace);
  return !(got && trace.failed);
}

}  // namespace

void Measure::run(Row& row, const Programs& p, std::size_t mix) {
  const vm::Machine on = machine(row.entry.c.setting);
  std::uint64_t ours = 0, theirs = 0, packets = 0;
  const auto try_on = [&](const std::vector<oracle::Sample>& samples) {
    for (const oracle::Sample& s : samples) {
      std::uint64_t steps = 0;
      const bool expected = vm::run(*p.meaning, s.whole(), on) != 0;
      row.ours_wrong |= is_wrong(vm::run(*p.ours, s.whole(), on, &steps) != 0, expected, *p.meaning, s);
      ours += steps;
      row.theirs_wrong |= is_wrong(vm::run(*p.theirs, s.whole(), on, &steps) != 0, expected, *p.meaning, s);
      theirs += steps;
    }
    packets += samples.size();
  };
  try_on(passing(mix, row.entry.c.setting));
  try_on(aimed(mix, row.entry.c, *p.meaning));
  row.ours.executed[mix] = static_cast<double>(ours) / static_cast<double>(packets);
  row.theirs.executed[mix] = static_cast<double>(theirs) / static_cast<double>(packets);
}

void Measure::run(Row& row, const Programs& p) {
  row.missing = p.missing;
  row.ours_wrong = row.theirs_wrong = false;
  if (p.ours) row.ours.length = p.ours->instructions.size();
  if (p.theirs) row.theirs.length = p.theirs->instructions.size();
  else row.theirs.length = row.entry.optimized_length.value_or(0);
  row.executed = p.ours && p.theirs;
  for (std::size_t mix = 0; row.executed && mix < mixes; ++mix) run(row, p, mix);
  if (row.executed && p.graph) {
    find_floor(row, p);
    find_best(row, p);
  }
}

void Measure::find_floor(Row& row, const Programs& p) {
  Floor floor(*p.graph);
  row.floor.length = floor.length();
  for (std::size_t mix = 0; mix < mixes; ++mix) {
    const auto of_filter = aimed(mix, row.entry.c, *p.meaning);
    const auto& usual = passing(mix, row.entry.c.setting);
    std::size_t sum = 0;
    for (const auto* samples : {&usual, &of_filter})
      for (const oracle::Sample& s : *samples) sum += floor.executed(s.whole());
    row.floor.executed[mix] = static_cast<double>(sum) / static_cast<double>(usual.size() + of_filter.size());
  }
}

/// Trees that do no harm: what a share of the other mix more than libpcap's adds to the first, for the share that leaves most, is a
/// bound for all that have no more.
void Measure::find_best(Row& row, const Programs& p) {
  Tree tree(*p.plain);
  for (std::size_t mix = 0; mix < mixes; ++mix) {
    for (const oracle::Sample& s : passing(mix, row.entry.c.setting)) tree.add(s.whole(), mix);
    for (const oracle::Sample& s : aimed(mix, row.entry.c, *p.meaning)) tree.add(s.whole(), mix);
  }
  row.best = {row.ours.executed, row.ours.executed[0], false};
  const auto least = [&](double model, double other) {
    return tree.least({model, other}, model * row.ours.executed[0] + other * row.ours.executed[1]);
  };
  const auto model = least(1, 0), other = model ? least(0, 1) : std::nullopt;
  if (!model || !other) return;
  row.best = {{*model, *other}, *model, true};
  for (const double share : {0.5, 1.0, 2.0, 4.0, 8.0})
    if (const auto both = least(1, share)) row.best.without_harm = std::max(row.best.without_harm, *both - share * row.theirs.executed[1]);
}

void Measure::amend(Row& row, Programs& p) {
  const oracle::Case& c = row.entry.c;
  const auto* known = differences_.excuse(oracle::Difference::Meaning, oracle::described(c.setting), c.filter, "");
  if (known == nullptr) return;
  if (!known->instead.empty() && known->instead != "apart") {
    oracle::Case other = c;
    other.filter = differences_.amended(*known, c.filter);
    compile_theirs(other, p);
    run(row, p);
  }
  if (row.ours_wrong || row.theirs_wrong) row.difference = known->reason;
}

Row Measure::measure(const Entry& entry) {
  Row row;
  row.entry = entry;
  Programs p = compile(entry.c);
  run(row, p);
  if (row.ours_wrong || row.theirs_wrong) amend(row, p);
  return row;
}

}  // namespace weir::bench
