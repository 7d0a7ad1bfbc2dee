#include "differences.hpp"

#include <algorithm>
#include <fstream>

namespace weir::oracle {
namespace {

std::vector<std::string> columns_of(const std::string& line) {
  std::vector<std::string> columns(1);
  for (const char c : line) {
    if (c == '\t') columns.emplace_back();
    else columns.back() += c;
  }
  return columns;
}

std::optional<Difference> difference(const std::string& word) {
  if (word == "accept") return Difference::Accept;
  if (word == "reject") return Difference::Reject;
  if (word == "meaning") return Difference::Meaning;
  if (word == "order") return Difference::Order;
  return std::nullopt;
}

}  // namespace

std::expected<Differences, std::string> Differences::read(const std::string& path) {
  std::ifstream in(path);
  if (!in) return std::unexpected("cannot read " + path);
  Differences result;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    const auto c = columns_of(line);
    const auto what = difference(c[0]);
    if (c.size() != 8 || !what) return std::unexpected(path + ":" + std::to_string(number) + ": not a row of eight columns");
    try {
      result.patterns_.push_back({std::regex(c[1]), std::regex(c[2]), std::regex(c[3])});
    } catch (const std::regex_error& e) {
      return std::unexpected(path + ":" + std::to_string(number) + ": " + e.what());
    }
    result.rows_.push_back({*what, c[1], c[2], c[3], c[4], c[5], c[6], c[7], number, 0});
  }
  return result;
}

const Differences::Row* Differences::excuse(Difference what, std::string_view link_type, const std::string& filter,
                                            const std::string& message, const std::vector<const Row*>& but) {
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    Row& row = rows_[i];
    if (std::find(but.begin(), but.end(), &row) != but.end()) continue;
    if (row.what != what || !std::regex_match(link_type.begin(), link_type.end(), patterns_[i].link_types)) continue;
    if (!std::regex_search(filter, patterns_[i].filter) || !std::regex_search(message, patterns_[i].message)) continue;
    ++row.used;
    return &row;
  }
  return nullptr;
}

std::string Differences::amended(const Row& row, const std::string& filter) const {
  return std::regex_replace(filter, patterns_[static_cast<std::size_t>(&row - rows_.data())].filter, row.instead);
}

}  // namespace weir::oracle
