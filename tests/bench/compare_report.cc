#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fmt/core.h>

#include "compare.hpp"

namespace weir::bench {
namespace {

/// Sums and ratios over many filters.
class Total {
 public:
  void add(double ours, double theirs) {
    ours_ += ours;
    theirs_ += theirs;
    logarithms_ += std::log(ours / theirs);
    ++count_;
  }
  std::string text(int digits) const {
    if (count_ == 0) return fmt::format("{:>31}", "-");
    return fmt::format("{:>10.{}f}{:>10.{}f} {:>5.3f} {:>4.3f}", theirs_, digits, ours_, digits, ours_ / theirs_,
                       std::exp(logarithms_ / count_));
  }

 private:
  double ours_ = 0, theirs_ = 0, logarithms_ = 0;
  int count_ = 0;
};

void print_total(const char* name, const std::vector<const Row*>& rows) {
  Total length;
  std::array<Total, mixes> executed;
  std::size_t compared = 0, longer = 0, slower = 0, wrong = 0;
  for (const Row* row : rows) {
    wrong += !row->difference.empty() || (row->compared() && row->theirs_wrong);
    if (!row->compared()) continue;
    ++compared;
    longer += row->longer();
    slower += row->slower();
    length.add(static_cast<double>(row->ours.length), static_cast<double>(row->theirs.length));
    if (row->executed)
      for (std::size_t m = 0; m < mixes; ++m) executed[m].add(row->ours.executed[m], row->theirs.executed[m]);
  }
  fmt::print("{:<22}{:>6}{:>9}  {}{:>7}  {}  {}{:>7}{:>7}\n", name, rows.size(), compared, length.text(0), longer,
             executed[0].text(1), executed[1].text(1), slower, wrong);
}

std::string shortened(const std::string& text, std::size_t most) {
  return text.size() <= most ? text : text.substr(0, most - 1) + "…";
}

/// How much worse at the worst.
double excess(const Row& row) {
  double worst = row.longer() ? static_cast<double>(row.ours.length) / static_cast<double>(row.theirs.length) : 0;
  for (std::size_t m = 0; row.executed && m < mixes; ++m) worst = std::max(worst, row.ours.executed[m] / row.theirs.executed[m]);
  return worst;
}

std::string figures(const Row& row) {
  return fmt::format("{}\t{}\t{:.3f}\t{:.3f}\t{:.3f}\t{:.3f}", row.theirs.length, row.ours.length, row.theirs.executed[0],
                     row.ours.executed[0], row.theirs.executed[1], row.ours.executed[1]);
}

std::string marks(const Row& row) {
  std::string text;
  if (row.longer()) text += "longer ";
  if (row.slower()) text += "slower ";
  if (row.theirs_wrong) text += "theirs-wrong ";
  if (row.ours_wrong) text += "ours-differs ";
  if (!row.difference.empty()) text += "[" + row.difference + "] ";
  if (!row.missing.empty()) text += "(" + row.missing + ")";
  return text;
}

/// On one line and in two columns, whatever blanks the filter has.
std::string key(const Row& row) {
  std::string filter = row.entry.c.filter;
  std::replace_if(filter.begin(), filter.end(), [](char c) { return c == '\t' || c == '\n'; }, ' ');
  return oracle::described(row.entry.c.setting) + "\t" + filter;
}

}  // namespace

void print_totals(const std::vector<Row>& rows) {
  fmt::print(
      "{:<22}{:>6}{:>9}  {:<31}{:>7}  {:<31}  {:<31}{:>7}{:>7}\n{:<37}  {:>10}{:>10} {:>5} {:>5}{:>7}  {:>10}{:>10} {:>5} {:>5}  "
      "{:>10}{:>10} {:>5} {:>5}{:>7}{:>7}\n",
      "", "", "com-", "      instructions", "", "      executed, model", "      executed, other", "", "theirs",
      "                       all    pared", "libpcap", "weir", "sum", "mean", "longer", "libpcap", "weir", "sum", "mean",
      "libpcap", "weir", "sum", "mean", "slower", "wrong");
  const auto some = [&](const char* name, const auto& wanted) {
    std::vector<const Row*> chosen;
    for (const Row& row : rows)
      if (wanted(row)) chosen.push_back(&row);
    if (!chosen.empty()) print_total(name, chosen);
  };
  for (const char* source : {"corpus", "wild", "cases"}) some(source, [&](const Row& r) { return r.entry.source == source; });
  some("lists of 20 and more", [](const Row& r) { return r.terms() >= 20; });
  some("all", [](const Row&) { return true; });
}

void print_floors(const std::vector<Row>& rows) {
  fmt::print("\nthe least that is possible: sums, and parts of libpcap's\n{:<8}{:>32}{:>34}{:>34}\n", "", "instructions",
             "executed, model", "executed, other");
  for (const char* source : {"corpus", "wild", "cases"}) {
    std::array<std::array<double, 3>, 1 + mixes> sums{};
    for (const Row& row : rows) {
      if (row.entry.source != source || !row.compared() || row.floor.length == 0) continue;
      const Cost* const costs[] = {&row.theirs, &row.ours, &row.floor};
      for (std::size_t who = 0; who < 3; ++who) {
        sums[0][who] += static_cast<double>(costs[who]->length);
        for (std::size_t m = 0; m < mixes; ++m) sums[1 + m][who] += costs[who]->executed[m];
      }
    }
    if (sums[0][0] == 0) continue;
    fmt::print("{:<8}", source);
    for (const auto& [theirs, ours, least] : sums) fmt::print("  {:>8.0f} weir {:.3f} least {:.3f}", theirs, ours / theirs, least / theirs);
    fmt::print("\n");
  }
}

void print_best(const std::vector<Row>& rows) {
  fmt::print(
      "\nthe best trees: parts of what libpcap's programs execute; without harm: in the first mix, where the other gets no worse "
      "than libpcap's\n");
  for (const char* source : {"corpus", "wild", "cases"}) {
    std::array<double, mixes> theirs{}, best{};
    double without_harm = 0;
    std::size_t count = 0, missing = 0;
    for (const Row& row : rows) {
      if (row.entry.source != source || !row.compared() || !row.executed) continue;
      ++count;
      missing += !row.best.found;
      without_harm += row.best.without_harm;
      for (std::size_t m = 0; m < mixes; ++m) {
        theirs[m] += row.theirs.executed[m];
        best[m] += row.best.executed[m];
      }
    }
    if (count == 0) continue;
    fmt::print("{:<8}  {} filters", source, count);
    for (std::size_t m = 0; m < mixes; ++m) fmt::print(", {} {:.3f}", mix_names[m], best[m] / theirs[m]);
    fmt::print(", without harm {:.3f}; {} have too many fields: ours stands for them\n", without_harm / theirs[0], missing);
  }
}

void print_worst(const std::vector<Row>& rows, std::size_t most) {
  std::vector<const Row*> bad;
  for (const Row& row : rows)
    if (row.longer() || row.slower()) bad.push_back(&row);
  std::sort(bad.begin(), bad.end(), [](const Row* a, const Row* b) { return std::pair(-excess(*a), a) < std::pair(-excess(*b), b); });
  fmt::print("\nworse: {} filters; libpcap→weir: instructions, executed in model, in other\n", bad.size());
  if (bad.size() > most) bad.resize(most);
  for (const Row* row : bad)
    fmt::print("{:>4}→{:<4} {:>7.2f}→{:<7.2f} {:>7.2f}→{:<7.2f} {:<7}{:<10} {}{}{}\n", row->theirs.length, row->ours.length,
               row->theirs.executed[0], row->ours.executed[0], row->theirs.executed[1], row->ours.executed[1], row->entry.source,
               oracle::described(row->entry.c.setting), shortened(row->entry.c.filter, 110),
               row->theirs_wrong ? "  [libpcap's is wrong]" : "", row->ours_wrong ? "  [verdicts differ]" : "");
}

void print_all(const std::vector<Row>& rows, bool with_best) {
  fmt::print("source\tlink type\tfilter\tlength libpcap\tlength weir\tmodel libpcap\tmodel weir\tother libpcap\tother weir\t{}marks\n",
             with_best ? "model best\tother best\tmodel without harm\t" : "");
  for (const Row& row : rows) {
    const auto best = with_best && row.best.found ? fmt::format("{:.3f}\t{:.3f}\t{:.3f}\t", row.best.executed[0],
                                                                row.best.executed[1], row.best.without_harm)
                      : with_best                 ? "\t\t\t"
                                                  : "";
    fmt::print("{}\t{}\t{}\t{}{}\n", row.entry.source, key(row), figures(row), best, marks(row));
  }
}

std::expected<Exceptions, std::string> read_exceptions(const std::string& path) {
  std::ifstream in(path);
  if (!in) return std::unexpected(path + ": cannot be read");
  Exceptions all;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream columns(line);
    Exception e;
    std::string link_type, filter, figure;
    std::getline(std::getline(columns, link_type, '\t'), filter, '\t');
    for (double* to : {&e.theirs_length, &e.length, &e.theirs_executed[0], &e.executed[0], &e.theirs_executed[1], &e.executed[1]})
      if (std::getline(columns, figure, '\t')) *to = std::strtod(figure.c_str(), nullptr);
    if (!std::getline(columns, e.reason) || e.reason.empty()) return std::unexpected(path + ": no reason: " + line);
    all.emplace(link_type + "\t" + filter, e);
  }
  return all;
}

std::size_t print_unexcused(const std::vector<Row>& rows, const Exceptions& exceptions) {
  std::size_t count = 0;
  for (const Row& row : rows) {
    if (!row.compared()) continue;
    const auto found = exceptions.find(key(row));
    const bool worse = row.longer() || row.slower();
    const auto notes = [&](const char* what) { fmt::print("{}: {}\t{}\t{}\n", what, key(row), figures(row), marks(row)); };
    const auto says = [&](const char* what) {
      notes(what);
      ++count;
    };
    if (found == exceptions.end()) {
      if (worse) says("WORSE");
    } else if (!worse) {
      found->second.open() ? notes("mended, the row can go") : says("AN EXCEPTION THAT IS NONE ANY MORE");
    } else if (!found->second.covers(row)) {
      says("WORSE THAN ITS EXCEPTION SAYS");
    }
  }
  return count;
}

/// A percent more is not worth a word: packets are drawn, and a libpcap may ask in another order.
bool Exception::covers(const Row& row) const {
  bool within = static_cast<double>(row.ours.length) <= length;
  for (std::size_t m = 0; row.executed && m < mixes; ++m) within = within && row.ours.executed[m] <= executed[m] * 1.01 + 0.001;
  return within;
}

}  // namespace weir::bench
