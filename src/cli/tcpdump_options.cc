#include "cli/tcpdump_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace weir::cli {
namespace {

constexpr std::string_view details = "weir prints a short line for each packet; to see more: -w - | tcpdump -r - and this option",
                           names = "leave it out: weir prints addresses and ports as numbers",
                           at_once = "leave it out: what has been captured is never held back while weir waits for more",
                           stamps = "weir prints the local time of day; for others: -w - | tcpdump -r - and this option",
                           one_file = "weir writes one file; to have several: -w - | tcpdump -r - -w FILE and this option",
                           checksums = "leave it out: weir verifies no checksums",
                           same_user = "leave it and the user out: weir stays the user who started it",
                           kernel_stamps = "leave it out: weir takes the time that the kernel gives a packet",
                           buffer = "leave it and the size out: the kernel has 32 megabytes for packets that wait",
                           monitor_mode = "put the interface into monitor mode before, with iw(8)",
                           interfaces = "weir list interfaces",
                           link_types = "weir list interfaces shows the link type of each, weir list linktypes all that there are",
                           direction = "say inbound or outbound in the expression",
                           live = "weir capture takes packets from an interface",
                           promiscuous = "leave it out: only weir capture changes the mode of an interface",
                           whole = "leave it and the length out: packets stay as long as they are in the file";

struct Row {
  std::string_view option;  ///< its letter, or its long name
  bool needless;  ///< weir does so anyway
  std::string_view advice;
};
/// tcpdump(8).
constexpr Row rows[] = {
    {"n", true, names},
    {"f", true, names},
    {"N", true, names},
    {"l", true, at_once},
    {"U", true, at_once},
    {"packet-buffered", true, at_once},
    {"immediate-mode", true, at_once},
    {"K", true, checksums},
    {"dont-verify-checksums", true, checksums},
    {"Z", false, same_user},
    {"relinquish-privileges", false, same_user},
    {"#", false, details}, {"number", false, details}, {"A", false, details}, {"b", false, details}, {"e", false, details}, {"h", false, details},
    {"H", false, details}, {"q", false, details}, {"S", false, details}, {"absolute-tcp-sequence-numbers", false, details}, {"T", false, details},
    {"u", false, details}, {"v", false, details}, {"x", false, details}, {"X", false, details}, {"E", false, details}, {"M", false, details},
    {"t", false, stamps},
    {"j", false, kernel_stamps}, {"time-stamp-type", false, kernel_stamps},
    {"J", false, kernel_stamps}, {"list-time-stamp-types", false, kernel_stamps},
    {"C", false, one_file}, {"G", false, one_file}, {"W", false, one_file}, {"z", false, one_file},
    {"B", false, buffer}, {"buffer-size", false, buffer},
    {"I", false, monitor_mode}, {"monitor-mode", false, monitor_mode},
    {"D", false, interfaces}, {"list-interfaces", false, interfaces},
    {"L", false, link_types}, {"list-data-link-types", false, link_types},
    {"Q", false, direction}, {"direction", false, direction},
    {"c", false, "weir filter and weir capture stop after so many packets"},
    {"d", false, "weir compile -d prints the program"},
    {"i", false, live}, {"interface", false, live},
    {"p", false, promiscuous}, {"no-promiscuous-mode", false, promiscuous},
    {"r", false, "weir filter reads savefiles"},
    {"V", false, "weir filter reads the savefiles that a file names"},
    {"s", false, whole}, {"snapshot-length", false, whole},
    {"w", false, "weir filter and weir capture write packets"},
};

const Row* find(std::string_view option) {
  const auto row = std::ranges::find(rows, option, &Row::option);
  return row == std::end(rows) ? nullptr : row;
}

/// Those of tcpdump and of weir: what is behind the letter is no further option.
constexpr std::string_view with_value = "BCcEFGijmMQrsTVwWyzZ";

bool is_combined(std::string_view word) { return word.size() >= 2 && word[0] == '-' && word[1] != '-'; }
bool is_long(std::string_view word) { return word.size() > 2 && word.starts_with("--"); }
std::string_view long_name(std::string_view word) { return word.substr(2, word.find('=') - 2); }

std::string_view letters(std::string_view word) {
  const auto end = word.find_first_of(with_value, 1);
  return word.substr(1, end == word.npos ? word.npos : end);
}

bool is_needless(std::string_view option) {
  const Row* row = find(option);
  return row && row->needless;
}

std::string without_needless_letters(const std::string& word) {
  std::string result = word;
  const auto options = letters(word).size();
  const auto end = result.begin() + 1 + static_cast<std::ptrdiff_t>(options);
  result.erase(std::remove_if(result.begin() + 1, end, [](const char& c) { return is_needless({&c, 1}); }), end);
  return result;
}

}  // namespace

std::optional<Foreign> first_foreign_option(const std::vector<std::string>& arguments,
                                            const std::function<bool(const std::string&)>& has_option) {
  for (const auto& word : arguments) {
    if (is_long(word)) {
      const std::string option = fmt::format("--{}", long_name(word));
      if (const Row* row = find(long_name(word)); row && !has_option(option)) return Foreign{option, row->advice};
    }
    if (!is_combined(word)) continue;
    for (const char& letter : letters(word)) {
      const std::string option{'-', letter};
      if (const Row* row = find({&letter, 1}); row && !has_option(option)) return Foreign{option, row->advice};
    }
  }
  return std::nullopt;
}

std::vector<std::string> without_needless_options(const std::vector<std::string>& arguments) {
  std::vector<std::string> result;
  for (const auto& word : arguments) {
    if (is_long(word) && is_needless(long_name(word))) continue;
    auto rest = is_combined(word) ? without_needless_letters(word) : word;
    if (rest != "-" || word == "-") result.push_back(std::move(rest));
  }
  return result;
}

}  // namespace weir::cli
