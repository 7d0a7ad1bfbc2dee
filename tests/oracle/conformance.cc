#include "conformance.hpp"

#include <algorithm>
#include <map>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "known_files.hpp"
#include "savefile.hpp"

namespace weir::oracle {
namespace {

using nlohmann::json;

Case case_of_line(const std::string& line) {
  const Written w = written_in(line);
  return {.setting = w.setting, .filter = w.filter};
}

struct Count {
  std::size_t good = 0, excused = 0, bad = 0, skipped = 0;

  void add(Outcome o) { ++(o == Outcome::Disagreed ? bad : o == Outcome::Excused ? excused : good); }
  void print(const char* what) const {
    fmt::print("{}: {} agree, {} excused, {} disagree, {} skipped (other link types)\n", what, good, excused, bad, skipped);
  }
};

class Conformance {
 public:
  Conformance(Examiner& examiner, std::filesystem::path directory, std::uint64_t seed, std::string pattern)
      : examiner_(examiner), directory_(std::move(directory)), random_(seed), pattern_(std::move(pattern)) {
    names_ = names_of_conformance(directory_, examiner.system());
  }

  void run() {
    accept();
    apply();
    reject();
    as_libpcap("wild.txt", true);
    refused_lines();
    as_libpcap("triggers.txt", false);
  }

 private:
  bool wanted(const std::string& name, const std::string& filter) const {
    return pattern_.empty() || name.find(pattern_) != std::string::npos || filter.find(pattern_) != std::string::npos;
  }

  void accept() {
    Count count;
    for (const std::string& line : lines_of(directory_ / "accept.jsonl")) {
      const json j = json::parse(line);
      Case c{.setting = setting_of(j), .filter = {}, .program = program_of(j["program"]), .names = names_.get()};
      for (const std::string& filter : strings(j, "filters")) {
        if (!wanted(j["name"], filter)) continue;
        c.filter = filter;
        if (comparable(c.setting.link_type)) count.add(examiner_.examine(c, random_));
        else ++count.skipped;
      }
    }
    count.print("accept.jsonl");
  }

  void apply() {
    Count count;
    for (const std::string& line : lines_of(directory_ / "apply.jsonl")) {
      const json j = json::parse(line);
      if (!wanted(j["name"], j["filter"])) continue;
      const auto capture = read_savefile(directory_ / "captures" / j["capture"].get<std::string>());
      if (!capture || !comparable(capture->link_type)) {
        ++count.skipped;
        continue;
      }
      Case c{.setting = setting_of(j), .filter = j["filter"], .names = names_.get()};
      c.setting.link_type = capture->link_type;
      count.add(verdicts(c, capture->packets, j["returns"].get<std::vector<std::uint32_t>>()));
    }
    count.print("apply.jsonl");
  }

  Outcome verdicts(const Case& c, const std::vector<Sample>& packets, const std::vector<std::uint32_t>& expected) {
    const auto ours = examiner_.compile_ours(c);
    if (!ours) {
      examiner_.report().fail(
          fmt::format("{}: `{}`: libpcap accepts, weir says: {}", c.setting.link_type, c.filter, ours.error().message),
          rerun_line(c.setting, c.filter, nullptr, 0));
      return Outcome::Disagreed;
    }
    for (std::size_t i = 0; i < expected.size() && i < packets.size(); ++i) {
      for (const EngineRow& row : engines) {
        if (sees_whole_packets_only(row.engine) && packets[i].bytes.size() != packets[i].length) continue;
        const std::uint32_t got = oracle::run(row.engine, *ours, packets[i].whole());
        // The table has what a savefile keeps: no more than the packet.
        if (std::min<std::size_t>(got, packets[i].bytes.size()) == std::min<std::size_t>(expected[i], packets[i].bytes.size())) continue;
        examiner_.report().fail(fmt::format("{}: `{}` on packet {}: {} returns {}, expected {}", c.setting.link_type, c.filter,
                                            i + 1, row.name, got, expected[i]),
                                rerun_line(c.setting, c.filter, &packets[i], packets[i].bytes.size()));
        return Outcome::Disagreed;
      }
    }
    return Outcome::Compared;
  }

  void reject() {
    Count count;
    for (const std::string& line : lines_of(directory_ / "reject.jsonl")) {
      const json j = json::parse(line);
      if (!wanted(j["name"], j["filter"])) continue;
      const Case c{.setting = setting_of(j), .filter = j["filter"], .names = names_.get()};
      if (!comparable(c.setting.link_type)) ++count.skipped;
      else count.add(refused(c, j["message"]));
    }
    count.print("reject.jsonl");
  }

  /// What libpcap's optimizer finds to match nothing is a filter like any other: its message depends on how clever that is.
  Outcome refused(const Case& c, const std::string& message) {
    if (message.find("rejects all packets") != std::string::npos) return examiner_.examine(c, random_);
    return examiner_.expect_refusal(c, message) ? Outcome::RefusedByBoth : Outcome::Disagreed;
  }

  /// Filters that the installed libpcap is asked about; `all`: it accepts every one of them.
  void as_libpcap(const char* file, bool all) {
    Count count;
    for (const std::string& line : lines_of(directory_ / file)) {
      const Case c = case_of_line(line);
      if (!wanted("", c.filter)) continue;
      if (!comparable(c.setting.link_type)) {
        ++count.skipped;
        continue;
      }
      const Outcome o = examiner_.examine(c, random_);
      if (all && o == Outcome::RefusedByBoth) fmt::print("NOTE: {}: both refuse `{}`\n", file, c.filter);
      count.add(o);
    }
    count.print(file);
  }

  void refused_lines() {
    Count count;
    for (const std::string& line : lines_of(directory_ / "wild_rejected.txt")) {
      const std::size_t comment = line.find("\t#");
      const Case c = case_of_line(line.substr(0, comment));
      if (!wanted("", c.filter)) continue;
      if (!comparable(c.setting.link_type)) ++count.skipped;
      else count.add(refused(c, comment == std::string::npos ? "" : line.substr(comment + 2)));
    }
    count.print("wild_rejected.txt");
  }

  Examiner& examiner_;
  std::filesystem::path directory_;
  Random random_;
  std::string pattern_;
  std::unique_ptr<names::Names> names_;
};

std::vector<std::filesystem::path> files_in(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(directory))
    for (const auto& entry : std::filesystem::directory_iterator(directory)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// The filters of our own, each with the captures of its link type.
class Corpus {
 public:
  Corpus(Examiner& examiner, const std::filesystem::path& directory, std::size_t captured, std::uint64_t seed)
      : examiner_(examiner), directory_(directory), random_(seed) {
    for (const auto& path : files_in(directory / "packets")) {
      const auto capture = read_savefile(path, 1000);
      if (!capture) continue;
      const auto& packets = capture->packets;
      const auto few = static_cast<std::ptrdiff_t>(std::min(captured, packets.size()));
      auto& all = packets_[capture->link_type];
      auto& tried = tried_[capture->link_type];
      all.insert(all.end(), packets.begin(), packets.end());
      tried.insert(tried.end(), packets.begin(), packets.begin() + few);
    }
  }

  void run() {
    for (const auto& path : files_in(directory_ / "filters"))
      if (path.extension() == ".txt") theme(path);
    count_.print("corpus");
    all_.print("corpus, on its captures");
  }

 private:
  /// What the captures make of filters: a filter that accepts all or nothing of them is not much tried by them.
  struct Verdicts {
    std::size_t filters = 0, accepting = 0, rejecting = 0, both = 0;

    void add(bool accepts, bool rejects) {
      ++filters;
      accepting += accepts;
      rejecting += rejects;
      both += accepts && rejects;
    }
    void print(const std::string& what) const {
      fmt::print("{}: {} filters, {} accept a packet, {} reject one, {} both\n", what, filters, accepting, rejecting, both);
    }
  };

  void theme(const std::filesystem::path& path) {
    const std::string name = path.stem();
    const bool refused = name.starts_with("refused");
    Verdicts verdicts;
    for (const std::string& line : lines_of(path)) {
      if (line[0] == '#') continue;
      const Case c = case_of_line(line);
      if (refused) count_.add(refusal(c));
      else accept(c, verdicts, name == "contradictions");
    }
    if (!refused) verdicts.print("  " + name);
  }

  /// Both must refuse, each of its own accord.
  Outcome refusal(const Case& c) {
    const Outcome o = examiner_.examine(c, random_);
    if (o == Outcome::RefusedByBoth || o == Outcome::Disagreed) return o;
    return wrong(c, "is accepted, or refused by one only");
  }

  void accept(Case c, Verdicts& verdicts, bool contradicts) {
    c.samples = tried_[c.setting.link_type];
    Outcome o = examiner_.examine(c, random_);
    if (o == Outcome::RefusedByBoth) o = wrong(c, "is refused by both");
    count_.add(o);
    const auto ours = examiner_.meaning(c);
    if (!ours) return;
    const auto passes = [&](const Sample& s) { return pred::evaluate(*ours, s.whole()) != 0; };
    const auto& packets = packets_[c.setting.link_type];
    const bool accepts = std::any_of(packets.begin(), packets.end(), passes);
    const bool rejects = !std::all_of(packets.begin(), packets.end(), passes);
    if (accepts == contradicts)
      fmt::print("NOTE: {} of the captures for {} passes `{}`\n", accepts ? "some" : "none", described(c.setting), c.filter);
    verdicts.add(accepts, rejects);
    all_.add(accepts, rejects);
  }

  Outcome wrong(const Case& c, const char* what) {
    examiner_.report().fail(fmt::format("{}: `{}` {}", described(c.setting), c.filter, what), rerun_line(c.setting, c.filter, nullptr, 0));
    return Outcome::Disagreed;
  }

  Examiner& examiner_;
  std::filesystem::path directory_;
  Random random_;
  std::map<std::string, std::vector<Sample>> packets_;  ///< all captures, by link type
  std::map<std::string, std::vector<Sample>> tried_;    ///< those of them that all engines see
  Count count_;
  Verdicts all_;
};

}  // namespace

std::vector<Known> known_filters(const std::filesystem::path& directory, const names::Names& names) {
  std::vector<Known> known;
  for (const std::string& line : lines_of(directory / "accept.jsonl")) {
    const json j = json::parse(line);
    if (!comparable(setting_of(j).link_type)) continue;
    Known k{.c = {.setting = setting_of(j), .filter = {}, .program = program_of(j["program"])}, .optimized_length = {}};
    if (!j["names"].empty()) k.c.names = &names;
    if (!j["optimized_length"].is_null()) k.optimized_length = j["optimized_length"].get<std::size_t>();
    for (const std::string& filter : strings(j, "filters")) {
      k.c.filter = filter;
      known.push_back(k);
    }
  }
  for (const std::string& line : lines_of(directory / "apply.jsonl")) {
    const json j = json::parse(line);
    const auto capture = read_savefile(directory / "captures" / j["capture"].get<std::string>(), 1);
    if (!capture || !comparable(capture->link_type)) continue;
    Known k{.c = {.setting = setting_of(j), .filter = j["filter"]}, .optimized_length = {}};
    k.c.setting.link_type = capture->link_type;
    known.push_back(k);
  }
  return known;
}

std::vector<Case> filters_of_lines(const std::filesystem::path& file) {
  std::vector<Case> filters;
  for (const std::string& line : lines_of(file))
    if (line[0] != '#') filters.push_back(case_of_line(line));
  std::erase_if(filters, [](const Case& c) { return !comparable(c.setting.link_type); });
  return filters;
}

void run_conformance(Examiner& examiner, const std::filesystem::path& directory, std::uint64_t seed, const std::string& pattern) {
  Conformance(examiner, directory, seed, pattern).run();
}

void run_corpus(Examiner& examiner, const std::filesystem::path& directory, std::size_t captured, std::uint64_t seed) {
  Corpus(examiner, directory, captured, seed).run();
}

void run_lines(Examiner& examiner, const std::filesystem::path& file, std::uint64_t seed) {
  Count count;
  Random random(seed);
  for (const std::string& line : lines_of(file)) {
    const Case c = case_of_line(line);
    if (comparable(c.setting.link_type)) count.add(examiner.examine(c, random));
    else ++count.skipped;
  }
  count.print("lines");
}

}  // namespace weir::oracle
