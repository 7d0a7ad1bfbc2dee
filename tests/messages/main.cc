// weir_messages: what weir says of filters that have to be refused, beside what libpcap says.
//
//   weir_messages [--print]     --print: all messages as they are shown to people
//
// Whatever a hint advises has to compile; filters that people get wrong are in wrong.txt.
//
// Every number, name and limit in libpcap's message must be in ours (message or hint), and the place must be that of
// the words at fault. Exceptions, each with its reason: exceptions.tsv. Exit status: 0 all is well, 1 not.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "facts.hpp"
#include "names/names.hpp"
#include "place.hpp"
#include "weir/weir.hpp"

namespace weir::messages {
namespace {

using nlohmann::json;

struct Case {
  std::string link_type = "EN10MB";
  std::string filter;
  std::string message;  ///< libpcap's
};

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) lines.push_back(line);
  if (lines.empty()) {
    fmt::print(stderr, "weir_messages: nothing in {}\n", path.string());
    std::exit(1);
  }
  return lines;
}

std::vector<Case> cases_of(const std::filesystem::path& directory) {
  std::vector<Case> cases;
  for (const std::string& line : lines_of(directory / "reject.jsonl")) {
    const json j = json::parse(line);
    cases.push_back({j["linktype"], j["filter"], j["message"]});
  }
  for (const std::string& line : lines_of(directory / "wild_rejected.txt")) {
    const auto mark = line.find("\t# ");
    cases.push_back({.filter = line.substr(0, mark), .message = mark == line.npos ? "" : line.substr(mark + 3)});
  }
  return cases;
}

/// Link type, filter, what is not as it should be, and why that is right: tab separated.
class Exceptions {
 public:
  explicit Exceptions(const std::filesystem::path& path) {
    for (const std::string& line : lines_of(path)) {
      if (line.front() == '#') continue;
      std::vector<std::string> fields(1);
      for (const char c : line)
        if (c == '\t') fields.emplace_back();
        else fields.back() += c;
      if (fields.size() != 4 || fields[3].empty()) {
        fmt::print(stderr, "weir_messages: four columns are needed: {}\n", line);
        std::exit(1);
      }
      rows_.insert({fields[0], fields[1], fields[2]});
    }
  }

  bool excuse(const Case& c, const std::string& what) {
    for (const std::string& link_type : {c.link_type, std::string("*")}) {
      const Row row{link_type, c.filter, what};
      if (!rows_.contains(row)) continue;
      used_.insert(row);
      return true;
    }
    return false;
  }

  std::vector<std::string> unused() const {
    std::vector<std::string> all;
    for (const Row& row : rows_)
      if (!used_.contains(row)) all.push_back(fmt::format("{} `{}` {}", row[0], row[1], row[2]));
    return all;
  }

 private:
  using Row = std::array<std::string, 3>;
  std::set<Row> rows_, used_;
};

std::shared_ptr<const names::Names> names_of(const std::filesystem::path& directory) {
  const json tables = json::parse(std::ifstream(directory / "names.json"));
  const auto strings = [&](const char* key) {
    return tables.contains(key) ? tables[key].get<std::vector<std::string>>() : std::vector<std::string>();
  };
  return names::fixed_names({.hosts = strings("hosts"), .ethers = strings("ethers"), .networks = strings("networks"),
                             .services = strings("services"), .protocols = strings("protocols")}, names::system_names());
}

/// "missing X", "place", "accepted": what is not as it should be, with more about it.
std::vector<std::pair<std::string, std::string>> faults(const Case& c, const Diagnostic& d) {
  std::vector<std::pair<std::string, std::string>> all;
  const std::string ours = d.message + "\n" + d.hint;
  if (c.message.find("syntax error") == c.message.npos)
    for (const std::string& fact : facts(c.message))
      if (!tells(ours, fact)) all.emplace_back("missing " + fact, "");
  if (const std::string why = wrong_place(c.filter, d.span, c.message); !why.empty()) all.emplace_back("place", why);
  return all;
}

struct Count {
  int checked = 0, excused = 0, failed = 0, skipped = 0;
};

void check(const Case& c, const std::shared_ptr<const names::Names>& names, Exceptions& exceptions, bool print, Count& count) {
  // What libpcap's optimizer notices is no error here: the filter compiles, with a warning.
  if (c.message == "expression rejects all packets") {
    ++count.skipped;
    return;
  }
  ++count.checked;
  Options options;
  options.link_type = c.link_type;
  options.names = names;
  const auto filter = compile(c.filter, options);
  if (filter) {
    if (exceptions.excuse(c, "accepted")) {
      ++count.excused;
      return;
    }
    ++count.failed;
    fmt::print("FAIL {} `{}` is accepted; libpcap: {}\n", c.link_type, c.filter, c.message);
    return;
  }
  if (print) fmt::print("{}:\nlibpcap: {}\nweir: {}\n", c.link_type, c.message, render(c.filter, filter.error()));
  bool excused = false, failed = false;
  for (const auto& [what, why] : faults(c, filter.error())) {
    if (exceptions.excuse(c, what)) {
      excused = true;
      continue;
    }
    failed = true;
    fmt::print("FAIL {} `{}`: {}{}{}\nlibpcap: {}\nweir: {}", c.link_type, c.filter, what, why.empty() ? "" : ": ", why, c.message,
               render(c.filter, filter.error()));
  }
  count.excused += excused && !failed;
  count.failed += failed;
}

/// What a hint puts between quotes and is more than a word: an expression that its reader will try.
std::vector<std::string> advised(const std::string& hint) {
  std::vector<std::string> phrases;
  for (auto open = hint.find('\''); open != hint.npos;) {
    const auto close = hint.find('\'', open + 1);
    if (close == hint.npos) break;
    const std::string phrase = hint.substr(open + 1, close - open - 1);
    if (phrase.find_first_of(" [") != phrase.npos) phrases.push_back(phrase);
    open = hint.find('\'', close + 1);
  }
  return phrases;
}

/// Whether it compiles as it stands, or as a part of a condition (`tcp[tcpflags]`, `!= 0`, `dst port`), on some link type, in a live
/// capture: a hint may be about another one than that of the filter.
bool works(const std::string& phrase, const std::string& link_type, const std::shared_ptr<const names::Names>& names) {
  Options options;
  options.names = names;
  options.linux_ext = true;
  for (const std::string& on : {link_type, std::string("EN10MB"), std::string("IEEE802_11_RADIO"), std::string("ARCNET")}) {
    options.link_type = on;
    for (const std::string& text : {phrase, phrase + " = 1", "link[0] " + phrase, phrase + " 80", phrase + " 00:11:22:33:44:55"})
      if (compile(text, options)) return true;
  }
  return false;
}

/// Knows every name: advice is about the words around them.
struct EveryName : names::Names {
  Result<names::Addresses> host(const std::string&) const override { return names::Addresses{{0x0a000001}, {}}; }
  Result<std::optional<names::Mac>> ether(const std::string&) const override { return names::Mac{0, 1, 2, 3, 4, 5}; }
  Result<std::optional<std::uint32_t>> network(const std::string&) const override { return 0x0a000000u; }
  Result<names::Ports> port(const std::string&) const override { return names::Ports{80, 80}; }
  Result<std::optional<std::uint32_t>> protocol(const std::string&) const override { return 6u; }
};

void check_advice(const std::string& link_type, const std::string& filter, const std::shared_ptr<const names::Names>& names,
                  bool print, Count& count) {
  Options options;
  options.names = names;
  options.link_type = link_type;
  const auto refused = compile(filter, options);
  if (refused) return;
  if (print) fmt::print("{}: {}", link_type, render(filter, refused.error()));
  for (const std::string& phrase : advised(refused.error().hint)) {
    ++count.checked;
    if (works(phrase, link_type, std::make_shared<EveryName>())) continue;
    ++count.failed;
    fmt::print("FAIL {} `{}`: what is advised does not compile: {}\n{}", link_type, filter, phrase, render(filter, refused.error()));
  }
}

int check_all_advice(const std::vector<Case>& cases, const std::shared_ptr<const names::Names>& names, bool print) {
  Count count;
  for (const Case& c : cases) check_advice(c.link_type, c.filter, names, false, count);
  // Here no name is known but those of the tables, and nobody is asked: a hint must not depend on the network.
  for (const std::string& line : lines_of(WEIR_MESSAGES_WRONG))
    if (line.front() != '#') check_advice("EN10MB", line, std::shared_ptr<const names::Names>(names::fixed_names({})), print, count);
  fmt::print("{} pieces of advice, {} failed\n", count.checked, count.failed);
  return count.failed;
}

int run(const std::filesystem::path& directory, bool print) {
  if (!std::filesystem::exists(directory)) {
    fmt::print("SKIPPED: no filters with known results in {}\n", directory.string());
    return 0;
  }
  Exceptions exceptions(WEIR_MESSAGES_EXCEPTIONS);
  const auto names = names_of(directory);
  Count count;
  const std::vector<Case> cases = cases_of(directory);
  for (const Case& c : cases) check(c, names, exceptions, print, count);
  for (const std::string& row : exceptions.unused()) {
    fmt::print("FAIL: the exception {} excuses nothing\n", row);
    ++count.failed;
  }
  fmt::print("{} messages: {} excused, {} failed; {} skipped (filters that match nothing)\n", count.checked, count.excused,
             count.failed, count.skipped);
  return count.failed + check_all_advice(cases, names, print) == 0 ? 0 : 1;
}

}  // namespace
}  // namespace weir::messages

int main(int argc, char** argv) {
  const char* directory = std::getenv("WEIR_CONFORMANCE");
  return weir::messages::run(directory ? directory : WEIR_MESSAGES_CONFORMANCE, argc > 1 && std::string(argv[1]) == "--print");
}
