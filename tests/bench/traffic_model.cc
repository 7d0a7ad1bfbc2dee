#include "traffic_model.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>

#include <fmt/format.h>

namespace weir::bench {
namespace {

struct SectionRow {
  const char* name;
  std::vector<std::string> words;
};

const std::array<SectionRow, section_count>& sections() {
  static const std::array<SectionRow, section_count> all = {{
#define WEIR_SECTION(name, text, ...) {text, {__VA_ARGS__}},
#include "traffic_sections.def"
#undef WEIR_SECTION
  }};
  return all;
}

std::optional<Prefix> read_prefix(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const bool v6 = text.find(':') != std::string::npos;
  Prefix p{std::vector<std::uint8_t>(v6 ? 16 : 4), static_cast<std::uint32_t>(std::strtoul(text.c_str() + slash + 1, nullptr, 10))};
  if (inet_pton(v6 ? AF_INET6 : AF_INET, text.substr(0, slash).c_str(), p.bytes.data()) != 1) return std::nullopt;
  return p.length <= 8 * p.bytes.size() ? std::optional(p) : std::nullopt;
}

std::optional<std::uint32_t> read_number(const std::string& text) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(text.c_str(), &end, 0);
  if (*end != '\0' || text.empty() || value >= first_word) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

}  // namespace

std::expected<void, std::string> TrafficModel::add(const std::string& line) {
  std::istringstream in(line);
  std::string name, text;
  std::uint32_t weight = 0;
  if (!(in >> name >> text >> weight)) return std::unexpected("a row is SECTION VALUE WEIGHT");
  const auto section = std::find_if(sections().begin(), sections().end(), [&](const SectionRow& s) { return s.name == name; });
  if (section == sections().end()) return std::unexpected("no section " + name);
  const auto at = static_cast<std::size_t>(section - sections().begin());
  std::optional<std::uint32_t> value;
  const auto found = std::find(section->words.begin(), section->words.end(), text);
  if (found != section->words.end()) {
    value = word(static_cast<std::uint32_t>(found - section->words.begin()));
  } else if (const auto p = read_prefix(text)) {
    value = static_cast<std::uint32_t>(prefixes_.size());
    prefixes_.push_back(*p);
  } else {
    value = read_number(text);
  }
  if (!value) return std::unexpected("no value " + text);
  rows_[at].push_back({*value, weight});
  sums_[at] += weight;
  return {};
}

std::expected<TrafficModel, std::string> TrafficModel::read(const std::string& path) {
  std::ifstream in(path);
  if (!in) return std::unexpected(path + ": cannot be read");
  TrafficModel model;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    if (const auto added = model.add(line); !added) return std::unexpected(fmt::format("{}:{}: {}", path, number, added.error()));
  }
  for (std::size_t i = 0; i < section_count; ++i)
    if (model.sums_[i] == 0) return std::unexpected(fmt::format("{}: nothing says how often {}", path, sections()[i].name));
  return model;
}

std::uint32_t TrafficModel::draw(Section section, oracle::Random& random) const {
  const auto& rows = rows_[static_cast<std::size_t>(section)];
  std::uint32_t at = random.below(sums_[static_cast<std::size_t>(section)]);
  for (const Row& row : rows) {
    if (at < row.weight) return row.value;
    at -= row.weight;
  }
  return rows.back().value;
}

std::uint32_t TrafficModel::draw(Section section, std::initializer_list<std::uint32_t> allowed, oracle::Random& random) const {
  for (int tries = 0; tries < 1000; ++tries) {
    const std::uint32_t value = draw(section, random);
    if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return value;
  }
  return *allowed.begin();  // the table has none of them, or hardly any
}

}  // namespace weir::bench
