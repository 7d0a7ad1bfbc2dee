// Options that hands used to tcpdump type, and weir or the command has not.
#pragma once
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::cli {

/// The first of the options (letters single or combined, as in -vi, and long names) that the command lacks, and what to do about it.
struct Foreign {
  std::string option;  ///< -v, --number
  std::string_view advice;
};
std::optional<Foreign> first_foreign_option(const std::vector<std::string>& arguments,
                                            const std::function<bool(const std::string&)>& has_option);

/// Whether one of the options (letters, long names) is among the arguments.
bool has_any(const std::vector<std::string>& arguments, std::initializer_list<std::string_view> options);

/// What asks for what weir does anyway: numbers in place of names, each packet as it comes, no look at checksums.
constexpr const char* needless_options[] = {
    "-n", "-f", "-N", "-l", "-U,--packet-buffered", "--immediate-mode", "-K,--dont-verify-checksums"};

}  // namespace weir::cli
