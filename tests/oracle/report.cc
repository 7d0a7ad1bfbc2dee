#include "report.hpp"

#include <numeric>

#include <fmt/core.h>

namespace weir::oracle {
namespace {

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

void add(Tally& to, const Tally& one) {
  for (std::size_t i = 0; i < outcome_count; ++i) to.outcomes[i] += one.outcomes[i];
  to.ran += one.ran;
  to.packet_accepted += one.packet_accepted;
  to.packet_rejected += one.packet_rejected;
  to.ways += one.ways;
  to.ways_taken += one.ways_taken;
}

std::uint64_t of(const Tally& t, Outcome o) { return t.outcomes[static_cast<std::size_t>(o)]; }

void print_row(std::string_view name, const Tally& t) {
  if (t.filters() == 0) return;
  fmt::print("  {:<27}{:>8}{:>9.1f}%{:>8.1f}%{:>7.1f}%{:>8.1f}%{:>10.1f}%{:>9.1f}%{:>8.1f}%\n", name, t.filters(),
             percent(of(t, Outcome::Compared), t.filters()), percent(of(t, Outcome::RefusedByBoth), t.filters()),
             percent(of(t, Outcome::OursAlone), t.filters()), percent(of(t, Outcome::Excused), t.filters()),
             percent(t.packet_accepted, t.ran), percent(t.packet_rejected, t.ran), percent(t.ways_taken, t.ways));
}

void print_head(std::string_view what) {
  fmt::print("\n  {:<27}{:>8}{:>10}{:>9}{:>8}{:>9}{:>11}{:>10}{:>9}\n", what, "filters", "compared", "refused", "alone",
             "excused", "accepting", "rejecting", "ways");
}

}  // namespace

std::uint64_t Tally::filters() const { return std::accumulate(outcomes.begin(), outcomes.end(), std::uint64_t{0}); }

void Report::count(const Setting& setting, Kinds kinds, const Tally& one) {
  add(all, one);
  for (std::size_t i = 0; i < kind_count; ++i)
    if (kinds.test(i)) add(by_kind[i], one);
  add(by_link_type[setting.link_type], one);
}

void Report::fail(const std::string& what, const std::string& rerun) {
  if (failures++ < shown) fmt::print("DISAGREEMENT: {}\n  {}\n", what, rerun);
  else if (failures == shown + 1) fmt::print("(more disagreements are counted, not shown)\n");
}

void Report::check_rare() {
  constexpr std::uint64_t rare = 1000;  // one of so many; geneve, asked for twice and more, is not generated more often
  const std::uint64_t filters = all.filters();
  if (not_lifted * rare <= filters + rare) return;
  fail(fmt::format("{} of {} filters have programs that are too large to lift", not_lifted, filters), "src/lift/lift.cc");
}

void Report::print() const {
  print_head("link type");
  for (const auto& [name, tally] : by_link_type) print_row(name, tally);
  print_head("filters with");
  for (std::size_t i = 0; i < kind_count; ++i) print_row(words(static_cast<Kind>(i)), by_kind[i]);
  print_row("all", all);
  fmt::print(
      "\n  compared: with libpcap; alone: our engines among themselves; accepting, rejecting: filters with a packet that\n"
      "  passes, that does not; ways: of the ways out of the tests in libpcap's programs, those that a packet took\n\n");
  fmt::print("packets {}, verdicts {}: accepted {:.1f} %, rejected {:.1f} %, on cut packets {:.1f} %\n", packets, verdicts,
             percent(accepted, verdicts), percent(verdicts - accepted, verdicts), percent(cut, verdicts));
  fmt::print("allowed differences on cut packets {}, protochain beyond the limit {}, programs too large to lift {}\n", inexact, uncertain,
             not_lifted);
}

std::string to_hex(const std::vector<std::uint8_t>& bytes) {
  std::string text;
  for (const std::uint8_t b : bytes) text += fmt::format("{:02x}", b);
  return text;
}

std::vector<std::uint8_t> from_hex(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  std::string pair;
  for (const char c : text) {
    if (std::string_view("0123456789abcdefABCDEF").find(c) == std::string_view::npos) continue;
    pair += c;
    if (pair.size() < 2) continue;
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(pair, nullptr, 16)));
    pair.clear();
  }
  return bytes;
}

std::string rerun_line(const Setting& s, const std::string& filter, const Sample* sample, std::size_t n) {
  std::string line = fmt::format("weir_oracle --linktype {} --snaplen {}", s.link_type, s.snaplen);
  if (s.netmask) line += fmt::format(" --netmask {:#x}", *s.netmask);
  if (s.linux_ext) line += " --linux-ext";
  if (s.savefile != Savefile::None) line += s.savefile == Savefile::Native ? " --savefile native" : " --savefile swapped";
  line += fmt::format(" --filter '{}'", filter);
  if (sample == nullptr) return line;
  line += fmt::format(" --packet {} --length {} --cut {}", to_hex(sample->bytes), sample->length, n);
  const Metadata& m = sample->meta;
  if (s.linux_ext && m != Metadata{})
    line += fmt::format(" --meta {},{},{},{},{},{}", m.protocol, m.packet_type, m.interface_index, m.vlan_tag, m.vlan_tag_present,
                        m.vlan_protocol);
  return line;
}

}  // namespace weir::oracle
