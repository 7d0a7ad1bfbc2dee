#include "cli/report.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace weir::cli {
namespace {

void print(std::string_view text) {
  fmt::print(stderr, "weir: {}{}", text, text.ends_with('\n') ? "" : "\n");
}

constexpr std::string_view error_prefix = "error: ";

/// As render(), with the file before the line.
std::string rendered(const Diagnostic& d, const FilterText& expression) {
  std::string text = render(expression.text, d);
  const bool has_place = !d.span.empty() || d.code == Code::Syntax;
  if (has_place && !expression.file.empty()) text.insert(error_prefix.size(), expression.file + ": ");
  return text;
}

}  // namespace

Status report(const Diagnostic& error, const FilterText& expression) {
  print(rendered(error, expression));
  return error.code == Code::System || error.code == Code::Input ? CouldNot : Wrong;
}

void report_warnings(std::span<const Diagnostic> warnings, const FilterText& expression) {
  for (const auto& warning : warnings) {
    print(rendered(warning, expression).replace(0, error_prefix.size(), "warning: "));
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
