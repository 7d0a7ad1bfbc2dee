// weir_proofs: proves all stages of all filters to classic BPF, or to eBPF, or that our programs are what libpcap's are, or that libpcap's
// are what they are lifted to, or that the prover notices wrong programs.
//
//   weir_proofs [--libpcap | --lifted | --ebpf | --ebpf-maps | --ebpf-tables | --ebpf-functions | --mutants | --ebpf-mutants]
//               [--every N] [--from N] [--timeout SECONDS] [--within SECONDS] [--match TEXT] [--these FILE] [--slow SECONDS]
//   weir_proofs --programs [--ebpf | …]
//
// The second proves nothing, but prints a number for each program; where two states of weir print the same, what was proven of one is so of
// the other. --these: only the filters whose numbers stand in FILE, which is what begins a line of --programs.
//
// Every N-th filter, at most SECONDS a proof; what is not done within so many SECONDS is left out, and said. WEIR_CONFORMANCE says
// where the filters with known results are; without it they are looked for beside the repository. Exit status: 0 nothing is
// wrong, 1 something is. What is undecided is counted and named.
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include <fmt/core.h>

#include "differences.hpp"
#include "filters.hpp"
#include "mutants.hpp"
#include "reference.hpp"
#include "resolver.hpp"
#include "stages.hpp"

namespace weir::proofs {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::size_t every = 1, from = 0;
  double timeout = 10, within = 1e9, slow = 1e9;
  std::string match;
  std::optional<std::set<std::size_t>> these;
  bool programs = false, mutants = false, ebpf_mutants = false, libpcap = false, lifted = false;
  std::optional<EbpfForm> ebpf;
};

std::string hex(const std::vector<std::uint8_t>& bytes) {
  std::string text;
  for (const std::uint8_t b : bytes) text += fmt::format("{:02x}", b);
  return text;
}

/// On one line.
std::string described(const Subject& s) {
  std::string filter = s.filter.substr(0, 300);
  std::ranges::replace_if(filter, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return fmt::format("{} ({}): `{}`", s.source, oracle::described(s.setting), filter);
}

std::string described(const prove::Counterexample& p) {
  return fmt::format("{} returns {} and {} for {} of {} bytes: {}{}", p.machine == vm::Machine::Kernel ? "the kernel" : "libpcap",
                     p.first, p.second, p.bytes.size(), p.length, hex(p.bytes).substr(0, 400),
                     p.first_whole ? " (the first ran on all of it)" : "");
}

struct Counts {
  std::size_t proven = 0, different = 0, undecided = 0, faults = 0;
  double seconds = 0, longest = 0;

  void add(const prove::Answer& a) {
    seconds += a.seconds;
    longest = std::max(longest, a.seconds);
    if (std::holds_alternative<prove::Proven>(a.is)) ++proven;
    else if (std::holds_alternative<prove::Counterexample>(a.is)) ++different;
    else if (std::get<prove::Undecided>(a.is).own_fault) ++faults;
    else ++undecided;
  }
};

class Runner {
 public:
  Runner(const Options& options, oracle::Differences& differences) : options_(options), differences_(differences) {}

  int run(const std::vector<Subject>& subjects) {
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.within));
    std::size_t left_out = 0;
    for (std::size_t i = options_.from; i < subjects.size(); i += options_.every) {
      if (options_.these && !options_.these->contains(i)) continue;
      if (!options_.match.empty() && subjects[i].filter.find(options_.match) == std::string::npos) continue;
      if (Clock::now() > end) {
        ++left_out;
        continue;
      }
      ++filters_;
      if (options_.programs)
        fmt::print("{} {:016x} {}\n", i, options_.ebpf ? digest(subjects[i], *options_.ebpf) : digest(subjects[i]),
                   described(subjects[i]));
      else if (options_.mutants) mutants(subjects[i], i);
      else if (options_.ebpf_mutants) ebpf_mutants(subjects[i], i);
      else if (options_.ebpf) ebpf(subjects[i]);
      else if (options_.libpcap) against_libpcap(subjects[i]);
      else if (options_.lifted) lifted(subjects[i]);
      else stages(subjects[i]);
    }
    if (!options_.programs) print(left_out);
    return wrong_ == 0 ? 0 : 1;
  }

 private:
  void stages(const Subject& s) {
    const auto done = prove_stages(s, options_.timeout, [&](const std::string& stage, const prove::Answer& a) { hear(s, stage, a); });
    if (!done) ++not_compiled_;
  }

  void ebpf(const Subject& s) {
    const auto done = prove_ebpf(s, *options_.ebpf, options_.timeout,
                                 [&](const std::string& stage, const prove::Answer& a) { hear(s, stage, a); });
    if (!done) ++not_compiled_;
  }

  /// What must be proven.
  void hear(const Subject& s, const std::string& stage, const prove::Answer& a) {
    counts_[stage].add(a);
    if (a.seconds > options_.slow) fmt::print("slow: {:.1f} s: {}: {}\n", a.seconds, stage, described(s));
    if (const auto* undecided = std::get_if<prove::Undecided>(&a.is)) {
      fmt::print("{}: {}: {}: {}\n", undecided->own_fault ? "WRONG" : "undecided", stage, described(s), undecided->why);
      wrong_ += undecided->own_fault;
    } else if (const auto* packet = std::get_if<prove::Counterexample>(&a.is)) {
      fmt::print("WRONG: {}: {}\n  {}\n", stage, described(s), described(*packet));
      ++wrong_;
    }
  }

  /// Where libpcap means something else, that has to be a known difference.
  void against_libpcap(const Subject& s) {
    auto program = s.reference;
    if (!program && reference_.available(s.setting, s.filter)) {
      if (auto compiled = reference_.compile(s.setting, s.filter)) program = *std::move(compiled);
    }
    if (!program || !compile(s)) {
      ++not_compiled_;
      return;
    }
    const prove::Answer a = prove_against_libpcap(s, *program, options_.timeout);
    const bool differs = std::holds_alternative<prove::Counterexample>(a.is);
    const auto excused = [&](oracle::Difference what) {
      return differences_.excuse(what, oracle::described(s.setting), s.filter, "") != nullptr;
    };
    if (differs && (excused(oracle::Difference::Meaning) || excused(oracle::Difference::Order))) ++excused_;
    else hear(s, "libpcap's to ours", a);
  }

  /// libpcap's programs, with its optimizer and without, as what they are lifted to. Its reads of scratch words that nothing has
  /// written mean 0.
  void lifted(const Subject& s) {
    const auto question = question_for(s.setting, prove::Agreement::Exact, options_.timeout);
    for (const bool optimized : {false, true}) {
      std::optional<cbpf::Program> program;
      if (reference_.available(s.setting, s.filter))
        if (auto compiled = reference_.compile(s.setting, s.filter, optimized)) program = *std::move(compiled);
      if (!program && !optimized) program = s.reference;
      const std::string whose = optimized ? "libpcap's optimized" : "libpcap's";
      if (!program) ++not_compiled_;
      else prove_lifted(whose, *program, question, [&](const std::string& stage, const prove::Answer& a) { hear(s, stage, a); });
    }
  }

  /// A mutant is either told apart, by a packet that the engines confirm, or proven to be no different; then packets that are
  /// near to what the filters of the program accept must not tell it apart, either.
  void mutants(const Subject& s, std::size_t number) {
    const auto compiled = compile(s);
    if (!compiled || !compiled->optimized_code) {
      ++not_compiled_;
      return;
    }
    std::mt19937 random(static_cast<std::uint32_t>(number));
    const cbpf::Program& right = *compiled->optimized_code;
    const auto question = question_for(s.setting, prove::Agreement::Exact, options_.timeout);
    for (const Mutant& mutant : mutants_of(right, 2, random)) {
      const prove::Answer a = prove::prove(&right, &mutant.program, question);
      counts_["mutants"].add(a);
      remember(a);
      if (std::holds_alternative<prove::Proven>(a.is) && told_apart(right, mutant.program, question, random)) {
        fmt::print("WRONG: proven, but not so: {}: {}\n", mutant.what, described(s));
        ++wrong_;
      }
      if (const auto* undecided = std::get_if<prove::Undecided>(&a.is)) {
        fmt::print("{}: {}: {}: {}\n", undecided->own_fault ? "WRONG" : "undecided", mutant.what, described(s), undecided->why);
        wrong_ += undecided->own_fault;
      }
    }
  }

  /// As mutants(). What proofs do not understand of them counts as undecided, without a word.
  void ebpf_mutants(const Subject& s, std::size_t number) {
    const auto compiled = compile(s);
    const std::size_t turn = number / std::max<std::size_t>(options_.every, 1);
    const ebpf::Hook hook = proven_hooks[turn % std::size(proven_hooks)];
    static constexpr EbpfForm forms[] = {EbpfForm::Plain, EbpfForm::Tables, EbpfForm::Functions};
    const EbpfForm form = forms[turn / std::size(proven_hooks) % std::size(forms)];
    const auto right = compiled ? ebpf::emit(compiled->optimized, options_of(form, hook))
                                : Result<ebpf::Program>(fail(Code::Unsupported, {}, ""));
    if (!right) {
      ++not_compiled_;
      return;
    }
    std::mt19937 random(static_cast<std::uint32_t>(number));
    auto question = question_for(s.setting, prove::Agreement::Exact, options_.timeout);
    question.kept_bytes = is_socket(hook);
    for (const EbpfMutant& mutant : mutants_of(*right, 2, random)) {
      const prove::Answer a = prove::prove(&*right, &mutant.program, question);
      counts_["ebpf mutants"].add(a);
      remember(a);
      const auto* undecided = std::get_if<prove::Undecided>(&a.is);
      const bool is_wrong = (undecided && undecided->own_fault) ||
                            (std::holds_alternative<prove::Proven>(a.is) && told_apart(*right, mutant.program, random));
      if (!is_wrong) continue;
      fmt::print("WRONG: {}: {}, {}: {}\n", undecided ? undecided->why : "proven, but not so", ebpf::to_string(hook), mutant.what,
                 described(s));
      ++wrong_;
    }
  }

  /// Packets that told programs apart are near to what filters accept.
  void remember(const prove::Answer& a) {
    if (const auto* packet = std::get_if<prove::Counterexample>(&a.is)) seen_.push_back(*packet);
    if (seen_.size() > 400) seen_.erase(seen_.begin(), seen_.begin() + 200);
  }

  bool told_apart(const ebpf::Program& a, const ebpf::Program& b, std::mt19937& random) {
    for (const prove::Counterexample& from : seen_) {
      auto bytes = from.bytes;
      for (std::size_t n = 0; !bytes.empty() && n < random() % 3; ++n) bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
      const Packet packet{.bytes = bytes, .length = static_cast<std::uint32_t>(bytes.size()), .meta = from.meta};
      const auto linear = static_cast<std::uint32_t>(random() % 2 ? bytes.size() : random() % (bytes.size() + 1));
      ++replayed_;
      if (prove::run(&a, packet, vm::Machine::Kernel, linear) != prove::run(&b, packet, vm::Machine::Kernel, linear)) return true;
    }
    return false;
  }

  /// Packets that told others apart, with some bytes changed and cut anywhere.
  bool told_apart(const cbpf::Program& a, const cbpf::Program& b, const prove::Question& question, std::mt19937& random) {
    for (const prove::Counterexample& from : seen_) {
      for (int tries = 0; tries < 8; ++tries) {
        auto bytes = from.bytes;
        for (std::size_t n = 0; !bytes.empty() && n < random() % 3; ++n)
          bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
        if (tries % 4 == 0) bytes.resize(random() % 128);
        const Packet packet{
            .bytes = bytes, .length = random() % 2 ? from.length : static_cast<std::uint32_t>(bytes.size()), .meta = from.meta};
        ++replayed_;
        if (question.libpcap && vm::run(a, packet, vm::Machine::Libpcap) != vm::run(b, packet, vm::Machine::Libpcap)) return true;
        if (question.kernel && vm::run(a, packet, vm::Machine::Kernel) != vm::run(b, packet, vm::Machine::Kernel)) return true;
      }
    }
    return false;
  }

  void print(std::size_t left_out) const {
    fmt::print("{} filters, {} of them do not compile; {} left out for lack of time\n", filters_, not_compiled_, left_out);
    Counts all;
    for (const auto& [stage, c] : counts_) {
      fmt::print("  {:<24} {:>6} proven, {:>6} different, {:>4} undecided; {:.1f} s, the longest {:.2f} s\n", stage, c.proven,
                 c.different, c.undecided, c.seconds, c.longest);
      all.proven += c.proven;
      all.undecided += c.undecided;
    }
    if (options_.mutants || options_.ebpf_mutants) fmt::print("  those proven equal agree on {} packets\n", replayed_);
    if (options_.libpcap) fmt::print("  {} differ as it is known that they do\n", excused_);
    fmt::print("{} proven, {} undecided, {} wrong\n", all.proven, all.undecided, wrong_);
  }

  const Options& options_;
  oracle::Differences& differences_;
  oracle::Reference reference_;
  std::map<std::string, Counts> counts_;
  std::vector<prove::Counterexample> seen_;
  std::size_t filters_ = 0, not_compiled_ = 0, wrong_ = 0, replayed_ = 0, excused_ = 0;
};

bool* mode_of(Options& o, std::string_view word) {
  if (word == "--programs") return &o.programs;
  if (word == "--mutants") return &o.mutants;
  if (word == "--ebpf-mutants") return &o.ebpf_mutants;
  if (word == "--lifted") return &o.lifted;
  if (word == "--libpcap") return &o.libpcap;
  return nullptr;
}

std::optional<EbpfForm> form_of(std::string_view word) {
  if (word == "--ebpf") return EbpfForm::Plain;
  if (word == "--ebpf-maps") return EbpfForm::Maps;
  if (word == "--ebpf-tables") return EbpfForm::Tables;
  if (word == "--ebpf-functions") return EbpfForm::Functions;
  return std::nullopt;
}

/// What begins the lines; nothing where there is no such file.
std::optional<std::set<std::size_t>> numbers_in(const char* file) {
  std::ifstream in(file);
  if (!in) return std::nullopt;
  std::set<std::size_t> numbers;
  for (std::string line; std::getline(in, line);) numbers.insert(std::stoul(line));
  return numbers;
}

std::optional<Options> parse_options(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (bool* mode = mode_of(o, word)) {
      *mode = true;
      continue;
    }
    if (const auto form = form_of(word)) {
      o.ebpf = form;
      continue;
    }
    if (!value) return std::nullopt;
    if (word == "--every") o.every = std::stoul(value);
    else if (word == "--from") o.from = std::stoul(value);
    else if (word == "--timeout") o.timeout = std::stod(value);
    else if (word == "--within") o.within = std::stod(value);
    else if (word == "--slow") o.slow = std::stod(value);
    else if (word == "--match") o.match = value;
    else if (word != "--these" || !(o.these = numbers_in(value))) return std::nullopt;
    ++i;
  }
  return o.every == 0 ? std::nullopt : std::optional(o);
}

int run_main(const Options& options) {
  oracle::keep_off_the_network();
  std::vector<Subject> subjects = corpus(WEIR_PROOFS_CORPUS);
  const char* elsewhere = std::getenv("WEIR_CONFORMANCE");
  const std::string folder = elsewhere ? elsewhere : WEIR_PROOFS_CONFORMANCE;
  auto known = conformance(folder);
  if (known.empty()) fmt::print("SKIPPED: conformance: nothing at {}\n", folder);
  std::ranges::move(known, std::back_inserter(subjects));
  auto differences = oracle::Differences::read(WEIR_PROOFS_DIFFERENCES);
  if (!differences) {
    fmt::print(stderr, "{}\n", differences.error());
    return 2;
  }
  return Runner(options, *differences).run(subjects);
}

/// Z3 takes and gives back some megabytes for each proof. To return them to the kernel every time is more than half of the work.
void keep_memory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
}

}  // namespace
}  // namespace weir::proofs

int main(int argc, char** argv) {
  const auto options = weir::proofs::parse_options(argc, argv);
  if (!options) {
    fmt::print(stderr, "weir_proofs: wrong use; see tests/prove/main.cc\n");
    return 2;
  }
  weir::proofs::keep_memory();
  return weir::proofs::run_main(*options);
}
