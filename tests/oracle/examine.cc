#include "examine.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "explore.hpp"
#include "packets.hpp"
#include "repair.hpp"
#include "shrink.hpp"
#include "watch.hpp"

namespace weir::oracle {
namespace {

constexpr std::size_t seeds = 5;      ///< realistic packets to begin with
constexpr std::size_t variations = 8; ///< random neighbours of the packets found
constexpr std::size_t most_packets = 160;

/// Runs that are spent on a program: more when it has more ways.
std::size_t budget(const cbpf::Program& p) { return std::min<std::size_t>(20 + 2 * p.instructions.size(), 400); }

struct Made {
  std::vector<Sample> samples;
  Ways ways;  ///< of the guide
};

Made make_packets(const Case& c, const cbpf::Program& guide, const cbpf::Program& ours, Random& random) {
  Made made;
  for (std::size_t i = 0; i < seeds; ++i) made.samples.push_back(realistic_packet(c.setting.link_type, random));
  made.ways = explore(guide, made.samples, budget(guide), random);
  explore(ours, made.samples, budget(ours) / 4, random);
  for (std::size_t i = 0; i < variations; ++i) made.samples.push_back(vary(guide, made.samples[random.below(made.samples.size())], random));
  while (made.samples.size() > most_packets) {
    std::swap(made.samples[random.below(made.samples.size())], made.samples.back());
    made.samples.pop_back();
  }
  made.samples.insert(made.samples.end(), c.samples.begin(), c.samples.end());
  return made;
}

/// Where it is worth cutting: just before, inside and just behind the bytes that a run looks at.
std::vector<std::size_t> cuts(const Trial& trial, const Sample& sample, Random& random) {
  Trace trace;
  run(trial.guide(), sample.whole(), Tail::None, trace);
  std::vector<std::size_t> found;
  if (sample.bytes.empty()) return found;
  if (!trace.loads.empty()) {
    for (int i = 0; i < 2; ++i) {
      const Access& a = trace.loads[random.below(trace.loads.size())];
      found.push_back(a.at + random.below(a.size + 1));
    }
  }
  if (random.percent(20)) found.push_back(random.below(sample.bytes.size()));
  std::ranges::sort(found);
  found.erase(std::ranges::unique(found).begin(), found.end());
  std::erase_if(found, [&](std::size_t n) { return n >= sample.bytes.size(); });  // nothing is cut off
  return found;
}

/// Whether two messages are the same but for numbers and names.
bool alike(const std::string& a, const std::string& b) {
  const auto bare = [](const std::string& text) {
    std::string result;
    bool quoted = false;
    for (const char c : text) {
      if (c == '\'') quoted = !quoted;
      else if (!quoted && (c < '0' || c > '9')) result += c;
    }
    return result;
  };
  return bare(a) == bare(b);
}

}  // namespace

Examiner::Examiner(Differences& differences, Report& report) : differences_(differences), report_(report), system_(names::system_names()) {}

Result<Subject> Examiner::compile_ours(const Case& c) const { return compile(c.setting, c.filter, names_of(c)); }
Result<pred::Filter> Examiner::meaning(const Case& c) const { return oracle::meaning(c.setting, c.filter, names_of(c)); }

std::expected<cbpf::Program, std::string> Examiner::compile_theirs(const Case& c) {
  if (c.program) return *c.program;
  return reference_.compile(c.setting, c.filter);
}

Outcome Examiner::differ(Difference what, const Case& c, const std::string& message) {
  if (differences_.excuse(what, described(c.setting), c.filter, message) != nullptr) return Outcome::Excused;
  const auto still = [&](const std::string& text) {
    Case other = c;
    other.filter = text;
    const auto theirs = compile_theirs(other);
    const auto ours = compile_ours(other);
    if (theirs.has_value() == ours.has_value() || ours.has_value() != (what == Difference::Accept)) return false;
    if (!alike(ours ? theirs.error() : ours.error().message, message)) return false;
    return differences_.excuse(what, described(c.setting), text, ours ? theirs.error() : ours.error().message) == nullptr;
  };
  const std::string small = c.program ? c.filter : shrink_filter(c.filter, still);
  report_.fail(fmt::format("{}: `{}` (from `{}`): {}", c.setting.link_type, small, c.filter,
                           what == Difference::Accept ? "weir accepts, libpcap says: " + message
                                                      : "libpcap accepts, weir says: " + message),
               rerun_line(c.setting, small, nullptr, 0));
  return Outcome::Disagreed;
}

Outcome Examiner::examine(const Case& c, Random& random) {
  watch(rerun_line(c.setting, c.filter, nullptr, 0));
  Tally tally;
  const auto finish = [&](Outcome o) {
    ++tally.outcomes[static_cast<std::size_t>(o)];
    report_.count(c.setting, c.kinds, tally);
    return o;
  };
  const bool alone = !c.program && !reference_.available(c.setting, c.filter);
  const auto theirs = compile_theirs(c);
  const auto ours = compile_ours(c);
  if (!ours) return finish(theirs && !alone ? differ(Difference::Reject, c, ours.error().message) : Outcome::RefusedByBoth);
  Outcome outcome = alone ? Outcome::OursAlone : Outcome::Compared;
  if (!theirs && !alone) outcome = differ(Difference::Accept, c, theirs.error());
  if (outcome == Outcome::Disagreed) return finish(outcome);
  if (const auto wrong = defect(*ours)) {
    report_.fail(fmt::format("{}: `{}`: {}", c.setting.link_type, c.filter, *wrong), rerun_line(c.setting, c.filter, nullptr, 0));
    return finish(Outcome::Disagreed);
  }
  ask_anew(c);
  Trial trial(*ours, theirs ? &*theirs : nullptr);
  if (kernel_.trouble().empty()) {
    if (const auto wrong = trial.enter(kernel_)) {
      report_.fail(fmt::format("{}: `{}`: {}: {}", c.setting.link_type, c.filter, wrong->engine, wrong->expectation),
                   rerun_line(c.setting, c.filter, nullptr, 0));
      return finish(Outcome::Disagreed);
    }
  }
  if (uses_metadata(ours->optimized_code)) ++report_.metadata;
  if (!ours->lifted || !ours->lifted_again) ++report_.not_lifted;
  const Made made = make_packets(c, trial.guide(), ours->optimized_code, random);
  tally.ran = 1;
  tally.ways = made.ways.total;
  tally.ways_taken = made.ways.covered;
  if (!compare(c, trial, made.samples, random, tally)) return finish(Outcome::Disagreed);
  return finish(!applied_.empty() ? Outcome::Excused : outcome);
}

bool Examiner::compare(const Case& c, Trial& trial, const std::vector<Sample>& samples, Random& random, Tally& tally) {
  report_.packets += samples.size();
  for (const Sample& sample : samples) {
    if (!judge(c, trial, sample, sample.bytes.size(), tally)) return false;
    // The packet as the kernel can have it: nothing of it is cut off.
    Sample whole = sample;
    if (random.percent(25) && !sample.bytes.empty()) whole.bytes.resize(random.below(sample.bytes.size()) + 1);
    whole.length = static_cast<std::uint32_t>(whole.bytes.size());
    const bool is_another = whole.bytes.size() != sample.bytes.size() || whole.length != sample.length;
    if (is_another && !judge(c, trial, whole, whole.bytes.size(), tally)) return false;
    for (const std::size_t n : cuts(trial, sample, random)) {
      if (!judge(c, trial, sample, n, tally)) return false;
    }
  }
  return true;
}

bool Examiner::judge(const Case& c, Trial& trial, const Sample& sample, std::size_t n, Tally& tally) {
  const auto d = trial.judge(sample, n);
  ++report_.verdicts;
  if (n < sample.bytes.size()) ++report_.cut;
  if (d) return settle(c, trial, sample, n, *d);
  (trial.accepted ? tally.packet_accepted : tally.packet_rejected) = 1;
  if (trial.accepted) ++report_.accepted;
  if (trial.inexact) ++report_.inexact;
  if (trial.uncertain) ++report_.uncertain;
  return true;
}

bool Examiner::excused(const Case& c, Trial& trial) {
  const Differences::Row* row = differences_.excuse(Difference::Meaning, described(c.setting), asked_, "", applied_);
  if (row == nullptr) return false;
  applied_.push_back(row);
  const bool apart = row->instead == "apart";
  if (!row->instead.empty() && !apart) asked_ = differences_.amended(*row, asked_);
  const auto answer = c.program && apart ? *c.program : reference_.compile(c.setting, asked_);
  if (row->instead.empty() || !answer) {
    trial.set_reference(nullptr);
    return row->instead.empty();
  }
  amended_ = apart ? keep_offsets_apart(*answer) : *answer;
  trial.set_reference(&*amended_, apart);
  return true;
}

bool Examiner::excused_order(const Case& c) {
  return differences_.excuse(Difference::Order, described(c.setting), c.filter, "") != nullptr;
}

void Examiner::ask_anew(const Case& c) {
  asked_ = c.filter;
  applied_.clear();
}

bool Examiner::settle(const Case& c, Trial& trial, const Sample& sample, std::size_t n, const Disagreement& d) {
  if (d.only_order && excused_order(c)) return true;
  if (d.with_libpcap && excused(c, trial)) {
    if (const auto again = trial.judge(sample, n)) return settle(c, trial, sample, n, *again);
    return true;
  }
  Case small = c;
  const auto still = [&](const Case& other, const Sample& s) {
    const auto again = probe(other, s, n);
    return again && again->with_libpcap == d.with_libpcap && again->with_machine == d.with_machine;
  };
  if (!c.program) {
    small.filter = shrink_filter(c.filter, [&](const std::string& text) {
      Case other = c;
      other.filter = text;
      return still(other, sample);
    });
  }
  const Sample packet = shrink_packet(sample, n, [&](const Sample& s) { return still(small, s); });
  const auto last = probe(small, packet, n);
  const Disagreement& shown = last ? *last : d;
  report_.fail(fmt::format("{}: `{}` (from `{}`): {}: {}", c.setting.link_type, small.filter, c.filter, shown.engine, shown.expectation),
               last ? rerun_line(small.setting, small.filter, &packet, n) : rerun_line(c.setting, c.filter, &sample, n));
  return false;
}

std::optional<Disagreement> Examiner::probe(const Case& c, const Sample& sample, std::size_t n) {
  const bool alone = !c.program && !reference_.available(c.setting, c.filter);
  const auto theirs = compile_theirs(c);
  const auto ours = compile_ours(c);
  if (!ours) return std::nullopt;
  Trial trial(*ours, theirs && !alone ? &*theirs : nullptr);
  if (kernel_.trouble().empty())
    if (auto wrong = trial.enter(kernel_)) return wrong;
  ask_anew(c);
  auto wrong = trial.judge(sample, n);
  if (wrong && wrong->only_order && excused_order(c)) return std::nullopt;
  while (wrong && wrong->with_libpcap && excused(c, trial)) wrong = trial.judge(sample, n);
  return wrong;
}

bool Examiner::expect_refusal(const Case& c, const std::string& message) {
  watch(rerun_line(c.setting, c.filter, nullptr, 0));
  Tally tally;
  const auto ours = compile_ours(c);
  Outcome outcome = Outcome::RefusedByBoth;
  if (ours) outcome = differ(Difference::Accept, c, message);
  ++tally.outcomes[static_cast<std::size_t>(outcome)];
  report_.count(c.setting, c.kinds, tally);
  return outcome != Outcome::Disagreed;
}

void Examiner::explain(const Case& c, const Sample& sample, std::size_t n) {
  const auto theirs = compile_theirs(c);
  const auto ours = compile_ours(c);
  const Packet packet = sample.cut(n);
  if (theirs) {
    Trace trace;
    run(*theirs, packet, Tail::None, trace);
    fmt::print("libpcap: {}{}\n", trace.returned,
               trace.failed ? fmt::format(" (no {} bytes at {})", trace.failed->size, trace.failed->at) : "");
    for (const Tail tail : {Tail::Zeros, Tail::Ones, Tail::Noise}) {
      run(*theirs, tail == Tail::Noise ? packet : sample.whole(), tail, trace);
      fmt::print("libpcap, whole, tail {}: {}\n", static_cast<int>(tail), trace.returned);
    }
  } else {
    fmt::print("libpcap: {}\n", theirs.error());
  }
  if (!ours) fmt::print("weir: {}\n", ours.error().message);
  else
    for (const EngineRow& row : engines) fmt::print("{}: {}\n", row.name, run(row.engine, *ours, packet));
}

}  // namespace weir::oracle
