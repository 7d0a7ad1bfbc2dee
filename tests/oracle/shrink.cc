#include "shrink.hpp"

#include <cctype>

namespace weir::oracle {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == ':' || c == '_' || c == '\\' || c == '$';
}

/// Words (`a-b` is one) and single signs; spaces go with what follows.
std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  bool in_word = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool hyphen = c == '-' && in_word && i + 1 < text.size() && is_word(text[i + 1]);
    const bool word = is_word(c) || hyphen;
    const bool after_space = !parts.empty() && parts.back() == " ";
    if (parts.empty() || (!(word && in_word) && !after_space)) parts.emplace_back();
    parts.back() += c;
    in_word = word;
  }
  return parts;
}

std::string without(const std::vector<std::string>& parts, std::size_t begin, std::size_t end) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (i < begin || i >= end) text += parts[i];
  return text;
}

/// A pair of parentheses around parts [begin, end), both left out.
std::string unwrapped(const std::vector<std::string>& parts, std::size_t begin, std::size_t end) {
  std::vector<std::string> inner = parts;
  inner.erase(inner.begin() + static_cast<std::ptrdiff_t>(end) - 1);
  inner.erase(inner.begin() + static_cast<std::ptrdiff_t>(begin));
  return without(inner, 0, 0);
}

}  // namespace

std::string shrink_filter(const std::string& filter, const std::function<bool(const std::string&)>& fails, int budget) {
  std::string best = filter;
  for (bool smaller = true; smaller;) {
    smaller = false;
    const auto parts = split(best);
    for (std::size_t size = parts.size() - (parts.empty() ? 0 : 1); size > 0 && !smaller; --size) {
      for (std::size_t at = 0; at + size <= parts.size() && !smaller; ++at) {
        for (const std::string& candidate : {without(parts, at, at + size), size > 1 ? unwrapped(parts, at, at + size) : std::string()}) {
          if (candidate.empty() || candidate.size() >= best.size()) continue;
          if (budget-- <= 0) return best;
          if (!fails(candidate)) continue;
          best = candidate;
          smaller = true;
          break;
        }
      }
    }
  }
  return best;
}

Sample shrink_packet(const Sample& sample, std::size_t n, const std::function<bool(const Sample&)>& fails, int budget) {
  Sample best = sample;
  const auto attempt = [&](const Sample& s) {
    if (budget-- > 0 && fails(s)) best = s;
  };
  Sample captured = best;
  if (captured.bytes.size() > n) captured.bytes.resize(n);
  attempt(captured);
  Sample plain = best;
  plain.meta = {};
  attempt(plain);
  for (std::size_t block = best.bytes.size(); block > 0; block /= 2) {
    for (std::size_t at = 0; at < best.bytes.size() && budget > 0; at += block) {
      Sample s = best;
      bool changed = false;
      for (std::size_t i = at; i < at + block && i < s.bytes.size(); ++i) {
        changed |= s.bytes[i] != 0;
        s.bytes[i] = 0;
      }
      if (changed) attempt(s);
    }
  }
  return best;
}

}  // namespace weir::oracle
