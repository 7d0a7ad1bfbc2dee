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

void print_warning(std::string_view message, const Diagnostic& reason) {
  print(fmt::format("warning: {}\n  reason: {}", message, reason.message));
  if (!reason.hint.empty()) print_text(fmt::format("  hint: {}\n", reason.hint));
}

void print_note(std::string_view message) { print(message); }
void print_text(std::string_view text) { fmt::print(stderr, "{}", text); }
void print_error(std::string_view message) { print(fmt::format("error: {}", message)); }

}  // namespace weir::cli
