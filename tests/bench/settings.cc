#include "settings.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

#include <fmt/core.h>

namespace weir::bench {
namespace {

/// One that is not below 0.
std::optional<double> number_of(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const bool is_number = !text.empty() && *end == '\0' && std::isfinite(number) && number >= 0;
  return is_number ? std::optional(number) : std::nullopt;
}

}  // namespace

Settings::Settings(std::string_view program, std::string_view usage, std::map<std::string, std::string> at_first, std::vector<std::string> flags)
    : program_(program), usage_(usage), values_(std::move(at_first)), flags_(std::move(flags)) {
  for (const std::string& flag : flags_) values_[flag];
}

std::optional<int> Settings::read(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i], name = word.starts_with("--") ? word.substr(2) : "";
    if (name == "help") return printed(program_, [&] { return fmt::print("{}", usage_), 0; });
    const bool is_flag = std::ranges::count(flags_, name) != 0;
    const auto value = is_flag ? std::optional<std::string>("yes") : i + 1 < argc ? std::optional<std::string>(argv[++i]) : std::nullopt;
    if (!values_.contains(name)) return fmt::print(stderr, "{}: what is `{}`? --help says what there is\n", program_, word), 2;
    if (const auto wrong = complaint(name, value)) return fmt::print(stderr, "{}: {}\n", program_, *wrong), 2;
    values_[name] = *value;
  }
  return std::nullopt;
}

std::optional<std::string> Settings::complaint(const std::string& name, const std::optional<std::string>& value) const {
  if (!value) return fmt::format("--{} takes a value", name);
  if (number_of(at(name)) && !number_of(*value)) return fmt::format("--{} takes a number, not `{}`", name, *value);
  return std::nullopt;
}

double Settings::number(const std::string& name) const { return number_of(at(name)).value_or(0); }

int printed(std::string_view program, const std::function<int()>& run) {
  try {
    const int status = run();
    if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return status;
    fmt::print(stderr, "{}: standard output cannot be written: {}\n", program, std::strerror(errno));
  } catch (const std::system_error& error) {  // of fmt::print
    fmt::print(stderr, "{}: standard output cannot be written: {}\n", program, error.what());
  }
  return 1;
}

}  // namespace weir::bench
