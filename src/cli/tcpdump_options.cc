#include "cli/tcpdump_options.hpp"

#include <algorithm>
#include <iterator>

namespace weir::cli {
namespace {

constexpr std::string_view details = "weir prints a short line for each packet; to see more: -w - | tcpdump -r - and this option",
                           names = "leave it out: weir prints addresses and ports as numbers",
                           at_once = "leave it out: what has been captured is never held back while weir waits for more",
                           stamps = "weir prints the local time of day; for others: -w - | tcpdump -r - and this option",
                           one_file = "weir writes one file; to have several: -w - | tcpdump -r - -w FILE and this option";

struct Row {
  char letter;
  bool needless;  ///< weir does so anyway
  std::string_view advice;
};
/// tcpdump(8).
constexpr Row rows[] = {
    {'n', true, names},
    {'f', true, names},
    {'N', true, names},
    {'l', true, at_once},
    {'U', true, at_once},
    {'K', true, "leave it out: weir verifies no checksums"},
    {'Z', false, "leave it and the user out: weir stays the user who started it"},
    {'#', false, details}, {'A', false, details}, {'b', false, details}, {'e', false, details}, {'h', false, details},
    {'H', false, details}, {'q', false, details}, {'S', false, details}, {'u', false, details}, {'v', false, details},
    {'x', false, details}, {'X', false, details},
    {'t', false, stamps},
    {'C', false, one_file}, {'G', false, one_file}, {'W', false, one_file}, {'z', false, one_file},
    {'B', false, "leave it and the size out: the kernel has 32 megabytes for packets that wait"},
    {'D', false, "weir list interfaces"},
    {'L', false, "weir list interfaces shows the link type of each, weir list linktypes all that there are"},
    {'Q', false, "say inbound or outbound in the expression"},
    {'d', false, "weir compile -d prints the program"},
    {'i', false, "weir capture takes packets from an interface"},
    {'p', false, "leave it out: only weir capture changes the mode of an interface"},
    {'r', false, "weir filter reads savefiles"},
    {'V', false, "weir filter reads the savefiles that a file names"},
    {'s', false, "leave it and the length out: packets stay as long as they are in the file"},
    {'w', false, "weir filter and weir capture write packets"},
};

/// Those of tcpdump and of weir: what is behind the letter is no further option.
constexpr std::string_view with_value = "BCcEFGijmMQrsTVwWyzZ";

bool is_combined(std::string_view word) { return word.size() >= 2 && word[0] == '-' && word[1] != '-'; }

std::string_view letters(std::string_view word) {
  const auto end = word.find_first_of(with_value, 1);
  return word.substr(1, end == word.npos ? word.npos : end);
}

std::string without_needless_letters(const std::string& word) {
  std::string result = word;
  const auto is_needless = [](char c) { return std::ranges::any_of(rows, [&](const Row& r) { return r.needless && r.letter == c; }); };
  const auto options = letters(word).size();
  const auto end = result.begin() + 1 + static_cast<std::ptrdiff_t>(options);
  result.erase(std::remove_if(result.begin() + 1, end, is_needless), end);
  return result;
}

}  // namespace

std::optional<Foreign> first_foreign_option(const std::vector<std::string>& arguments,
                                            const std::function<bool(char)>& has_option) {
  for (const auto& word : arguments) {
    if (!is_combined(word)) continue;
    for (const char letter : letters(word)) {
      const auto row = std::ranges::find(rows, letter, &Row::letter);
      if (row != std::end(rows) && !has_option(letter)) return Foreign{letter, row->advice};
    }
  }
  return std::nullopt;
}

std::vector<std::string> without_needless_options(const std::vector<std::string>& arguments) {
  std::vector<std::string> result;
  for (const auto& word : arguments) {
    auto rest = is_combined(word) ? without_needless_letters(word) : word;
    if (rest != "-" || word == "-") result.push_back(std::move(rest));
  }
  return result;
}

}  // namespace weir::cli
