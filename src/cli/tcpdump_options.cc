#include "cli/tcpdump_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace weir::cli {
namespace {

constexpr std::string_view details = "weir prints a short line for each packet; to see more: -w - | tcpdump -r - and this option",
                           stamps = "weir prints the local time of day; for others: -w - | tcpdump -r - and this option",
                           one_file = "weir writes one file; to have several: -w - | tcpdump -r - -w FILE and this option",
                           same_user = "leave it and the user out: weir stays the user who started it",
                           kernel_stamps = "leave it and the type out: weir takes the time that the kernel gives a packet",
                           stamp_types = "there is no choice: weir takes the time that the kernel gives a packet",
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
  std::string_view advice;
};
/// tcpdump(8).
constexpr Row rows[] = {
    {"Z", same_user},
    {"relinquish-privileges", same_user},
    {"#", details}, {"number", details}, {"A", details}, {"b", details}, {"e", details}, {"h", details},
    {"H", details}, {"q", details}, {"S", details}, {"absolute-tcp-sequence-numbers", details}, {"T", details},
    {"u", details}, {"v", details}, {"x", details}, {"X", details}, {"E", details}, {"M", details},
    {"t", stamps},
    {"j", kernel_stamps}, {"time-stamp-type", kernel_stamps},
    {"J", stamp_types}, {"list-time-stamp-types", stamp_types},
    {"C", one_file}, {"G", one_file}, {"W", one_file}, {"z", one_file},
    {"B", buffer}, {"buffer-size", buffer},
    {"I", monitor_mode}, {"monitor-mode", monitor_mode},
    {"D", interfaces}, {"list-interfaces", interfaces},
    {"L", link_types}, {"list-data-link-types", link_types},
    {"Q", direction}, {"direction", direction},
    {"c", "weir filter and weir capture stop after so many packets"},
    {"d", "weir compile -d prints the program"},
    {"i", live}, {"interface", live},
    {"p", promiscuous}, {"no-promiscuous-mode", promiscuous},
    {"r", "weir filter reads savefiles"},
    {"V", "weir filter reads the savefiles that a file names"},
    {"s", whole}, {"snapshot-length", whole},
    {"w", "weir filter and weir capture write packets"},
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

bool has_any(const std::vector<std::string>& arguments, std::initializer_list<std::string_view> options) {
  const auto is_one = [&](std::string_view option) { return std::ranges::find(options, option) != options.end(); };
  return std::ranges::any_of(arguments, [&](const std::string& word) {
    if (is_long(word)) return is_one(long_name(word));
    return is_combined(word) && std::ranges::any_of(letters(word), [&](const char& letter) { return is_one({&letter, 1}); });
  });
}

}  // namespace weir::cli
