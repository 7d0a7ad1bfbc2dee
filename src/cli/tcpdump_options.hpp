// Options that hands used to tcpdump type, and weir or the command has not.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::cli {

/// The first of the options (letters single or combined, as in -ni, and long names) that the command lacks, and what to do about it.
struct Foreign {
  std::string option;  ///< -n, --immediate-mode
  std::string_view advice;
};
std::optional<Foreign> first_foreign_option(const std::vector<std::string>& arguments,
                                            const std::function<bool(const std::string&)>& has_option);

/// The arguments without the letters that ask for what weir always does.
std::vector<std::string> without_needless_options(const std::vector<std::string>& arguments);

}  // namespace weir::cli
