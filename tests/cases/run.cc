// weir_cases [--bless] FILE…: runs case files (read.hpp) through the public library. Exit status: 0 all hold, 1 not.
#include <algorithm>
#include <fstream>
#include <sstream>

#include <fmt/core.h>

#include "read.hpp"
#include "weir/weir.hpp"

namespace weir::cases {
namespace {

/// One case at work: what is wrong is printed, or with `bless` written into its lines.
class Runner {
 public:
  Runner(const std::string& path, const File& file, bool bless) : path_(path), file_(file), bless_(bless) {}

  void run(Case& c) {
    options_ = {};
    for (const Line& line : c.lines) set_option(line);
    const auto compiled = compile(c.filter.rest, options_);
    for (std::size_t i = 0; i < c.lines.size(); ++i) check(c, i, compiled);
    const bool wants_error = std::any_of(c.lines.begin(), c.lines.end(), [](const Line& l) { return l.word == "error"; });
    if (!compiled && !wants_error) wrong(c.filter, "refused: " + compiled.error().message);
  }

  std::size_t failures = 0;

 private:
  void set_option(const Line& line) {
    if (line.word == "link") options_.link_type = line.rest;
    if (line.word == "snaplen") options_.snaplen = static_cast<std::uint32_t>(std::stoul(line.rest, nullptr, 0));
    if (line.word == "netmask") options_.netmask = static_cast<std::uint32_t>(std::stoul(line.rest, nullptr, 0));
    if (line.word == "live") options_.linux_ext = true;
    if (line.word == "savefile") options_.savefile = line.rest == "native" ? Options::Savefile::Native : Options::Savefile::Swapped;
  }

  void wrong(const Line& line, const std::string& what) {
    ++failures;
    fmt::print("{}:{}: {} {}: {}\n", path_, line.number, line.word, line.rest, what);
  }

  /// A line that should have another text.
  void differs(Line& line, const std::string& now) {
    if (line.rest == now) return;
    if (bless_) line.rest = now;
    else wrong(line, "is now: " + now);
  }

  void check(Case& c, std::size_t i, const Result<Filter>& compiled) {
    Line& line = c.lines[i];
    const std::string& w = line.word;
    if (w == "error" || w == "at" || w == "hint") return check_error(c, line, compiled);
    if (!compiled) return;
    if (w == "same" || w == "other") return check_meaning(line, *compiled);
    if (w == "accept" || w == "reject") return check_verdict(line, *compiled);
    if (w == "warning") return differs(line, compiled->warnings().empty() ? "none" : compiled->warnings().front().message);
    if (w == "dump") return check_dump(c, i, *compiled);
    for (const char* known : {"link", "snaplen", "netmask", "live", "savefile", "|", ""})
      if (w == known) return;
    if (w[0] != '#') wrong(line, "what is this?");
  }

  void check_error(Case& c, Line& line, const Result<Filter>& compiled) {
    if (compiled) return wrong(line, "it compiles");
    const Diagnostic& d = compiled.error();
    if (line.word == "error") differs(line, d.message);
    else if (line.word == "hint") differs(line, d.hint);
    else differs(line, c.filter.rest.substr(d.span.begin, d.span.end - d.span.begin));
  }

  void check_meaning(const Line& line, const Filter& filter) {
    const auto other = compile(line.rest, options_);
    if (!other) return wrong(line, "refused: " + other.error().message);
    const bool same = filter.dump(Emit::Pred).value() == other->dump(Emit::Pred).value();
    if (same != (line.word == "same"))
      wrong(line, same ? "it means the same"
                       : "it means\n" + other->dump(Emit::Pred).value() + "and the filter\n" + filter.dump(Emit::Pred).value());
  }

  void check_verdict(Line& line, const Filter& filter) {
    std::istringstream words(line.rest);
    std::string name, word;
    words >> name;
    const auto found = file_.packets.find(name);
    if (found == file_.packets.end()) return wrong(line, "no packet of that name");
    std::vector<std::uint8_t> bytes = found->second;
    auto length = static_cast<std::uint32_t>(bytes.size());
    for (std::size_t n = 0; words >> word >> n;) {
      if (word == "cut" && n <= bytes.size()) bytes.resize(n);
      else if (word == "length") length = static_cast<std::uint32_t>(n);
      else return wrong(line, "`cut N`, `length N`");
    }
    const std::string now = filter.match({bytes, length}) ? "accept" : "reject";
    if (now == line.word) return;
    if (bless_) line.word = now;
    else wrong(line, "now: " + now);
  }

  void check_dump(Case& c, std::size_t i, const Filter& filter) {
    static const std::map<std::string, Emit> forms = {
        {"pred", Emit::Pred}, {"ir", Emit::Ir}, {"listing", Emit::Listing}, {"ast", Emit::Ast}};
    const auto form = forms.find(c.lines[i].rest);
    if (form == forms.end()) return wrong(c.lines[i], "no such dump");
    const auto text = filter.dump(form->second);
    std::vector<Line> now;
    std::istringstream in(text ? *text : text.error().message);
    for (std::string line; std::getline(in, line);) now.push_back({"    ", "|", line, 0});
    auto begin = c.lines.begin() + static_cast<std::ptrdiff_t>(i) + 1;
    auto end = begin;
    while (end != c.lines.end() && end->word == "|") ++end;
    const bool same = std::equal(begin, end, now.begin(), now.end(), [](const Line& a, const Line& b) { return a.rest == b.rest; });
    if (same) return;
    if (!bless_) return wrong(c.lines[i], "is now\n" + (text ? *text : text.error().message));
    c.lines.insert(c.lines.erase(begin, end), now.begin(), now.end());
  }

  const std::string& path_;
  const File& file_;
  bool bless_;
  Options options_;
};

int run_file(const std::string& path, bool bless) {
  auto file = read(path);
  if (!file) {
    fmt::print("{}\n", file.error());
    return 1;
  }
  const File given = *file;
  Runner runner(path, given, bless);
  for (Case& c : file->cases) runner.run(c);
  if (bless && to_string(*file) != to_string(given)) std::ofstream(path) << to_string(*file);
  fmt::print("{}: {} cases, {} wrong\n", path, file->cases.size(), runner.failures);
  return runner.failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace weir::cases

int main(int argc, char** argv) {
  bool bless = false;
  int status = 0;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--bless") bless = true;
    else status |= weir::cases::run_file(argv[i], bless);
  }
  return status;
}
