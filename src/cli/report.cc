#include "cli/report.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace weir::cli {
namespace {

void print(std::string_view text) {
  print_text(fmt::format("weir: {}{}", text, text.ends_with('\n') ? "" : "\n"));
}

constexpr std::string_view error_prefix = "error: ";

/// As render(), with the file before the line.
std::string rendered(const Diagnostic& d, const FilterText& expression) {
  std::string text = render(expression.text, d);
  const bool has_place = !d.span.empty() || d.code == Code::Syntax || d.code == Code::Input;
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
  const auto hint = reason.hint.empty() ? "" : fmt::format("\n  hint: {}", reason.hint);
  print(fmt::format("warning: {}\n  reason: {}{}", message, reason.message, hint));
}

void print_note(std::string_view message) { print(message); }
void print_text(std::string_view text) { put_on_standard_error(visible(std::string(text))); }
void print_error(std::string_view message) { print(fmt::format("error: {}", message)); }

void put_on_standard_error(std::string_view text) { (void)!std::fwrite(text.data(), 1, text.size(), stderr); }

std::string packets(std::uint64_t n) { return fmt::format("{} packet{}", n, n == 1 ? "" : "s"); }

std::string visible(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto before = i > 0 ? static_cast<unsigned char>(text[i - 1]) : 0;
    const bool is_c1 = before == 0xc2 && 0x80 <= byte && byte < 0xa0;  // U+0080 to U+009F in UTF-8; 9B is as good as ESC [
    if (is_c1) text[i - 1] = '?';
    if (is_c1 || (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f) text[i] = '?';
  }
  return text;
}

}  // namespace weir::cli
