#include "facts.hpp"

#include <algorithm>
#include <cctype>
#include <regex>
#include <utility>

namespace weir::messages {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

std::vector<std::string> found(const std::string& text, const std::regex& shape) {
  std::vector<std::string> all;
  for (std::sregex_iterator i(text.begin(), text.end(), shape), end; i != end; ++i) {
    const std::smatch& m = *i;
    for (std::size_t group = 1; group < m.size(); ++group)
      if (m[group].matched) all.push_back(m[group]);
  }
  return all;
}

}  // namespace

std::vector<std::string> quoted(const std::string& message) {
  // In quotes, or a number: an address is one, too.
  static const std::regex shape(R"~('([^']+)'|"([^"]+)"|\b([0-9][0-9A-Za-z.:]*(?:::[0-9.]+)?)\b|\b([0-9a-f]{1,4}::[0-9a-f:.]+))~");
  return found(message, shape);
}

std::vector<std::string> facts(const std::string& message) {
  static const std::regex name(R"(\b([A-Za-z0-9_-]*[A-Z][A-Za-z0-9_-]*|link-layer)\b)");
  std::vector<std::string> all = quoted(message);
  const std::string rest = std::regex_replace(message, std::regex(R"~('[^']+'|"[^"]+")~"), "''");
  for (std::string& word : found(rest, name)) all.push_back(std::move(word));
  // A sentence begins with a capital that its first word may not have.
  if (all.size() && message.starts_with("Mask ")) std::ranges::replace(all, std::string("Mask"), std::string("mask"));
  return all;
}

bool tells(std::string_view words, std::string_view fact) {
  for (auto at = words.find(fact); at != words.npos; at = words.find(fact, at + 1)) {
    const bool begins = at == 0 || !is_word(fact.front()) || !is_word(words[at - 1]);
    const auto end = at + fact.size();
    const bool ends = end == words.size() || !is_word(fact.back()) || !is_word(words[end]);
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace weir::messages
