#include "cli/report.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace weir::cli {
namespace {

void print(std::string_view text) {
  fmt::print(stderr, "weir: {}{}", text, text.ends_with('\n') ? "" : "\n");
}

}  // namespace

Status report(const Diagnostic& error, std::string_view expression) {
  print(render(expression, error));
  return error.code == Code::System || error.code == Code::Input ? CouldNot : Wrong;
}

void report_warnings(std::span<const Diagnostic> warnings, std::string_view expression) {
  constexpr std::string_view prefix = "error: ";
  for (const auto& warning : warnings) {
    std::string text = render(expression, warning);
    if (text.starts_with(prefix)) text.replace(0, prefix.size(), "warning: ");
    print(text);
  }
}

void print_error(std::string_view message) { print(fmt::format("error: {}", message)); }

}  // namespace weir::cli
