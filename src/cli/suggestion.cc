#include "cli/suggestion.hpp"

#include <string_view>

#include "cli/tcpdump_options.hpp"

namespace weir::cli {
namespace {

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

std::string suggested_command(const std::vector<std::string>& arguments) {
  if (has_any(arguments, {"D", "list-interfaces", "L", "list-data-link-types"})) return "weir list interfaces";
  std::string line = has_any(arguments, {"r", "V"})           ? "weir filter"
                     : has_any(arguments, {"i", "interface"}) ? "weir capture"
                                                              : "weir compile";
  for (const auto& word : arguments) line += " " + quoted(word);
  return line;
}

}  // namespace weir::cli
