#include "cli/suggestion.hpp"

#include <algorithm>
#include <string_view>

#include "cli/tcpdump_options.hpp"

namespace weir::cli {
namespace {

/// Whether there is an option of this letter, alone or with its value behind it.
bool has_option(const std::vector<std::string>& arguments, std::string_view option) {
  return std::ranges::any_of(arguments, [&](const std::string& word) { return word.starts_with(option); });
}

std::string quoted(std::string_view word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,=%+@";
  if (!word.empty() && word.find_first_not_of(plain) == word.npos) return std::string(word);
  std::string result = "'";
  for (const char c : word) {
    if (c == '\'') result += "'\\''";
    else result += c;
  }
  return result + "'";
}

}  // namespace

std::string suggested_command(const std::vector<std::string>& given) {
  const auto arguments = without_needless_options(given);
  if (has_option(arguments, "-D")) return "weir list interfaces";
  std::string line = has_option(arguments, "-r")   ? "weir filter"
                     : has_option(arguments, "-i") ? "weir capture"
                                                   : "weir compile";
  for (const auto& word : arguments) line += " " + quoted(word);
  return line;
}

}  // namespace weir::cli
