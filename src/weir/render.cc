#include <algorithm>

#include <fmt/format.h>

#include "weir/weir.hpp"

namespace weir {
namespace {

/// Wider than this, only the surroundings of the fault are shown.
constexpr std::size_t max_width = 100;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// Columns that text takes: one a character of UTF-8.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !continues_character(c); }));
}

/// What a terminal may show: control characters would move the caret or worse.
std::string visible(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = c == '\t' ? ' ' : '?';
  return out;
}

/// The part of the text that is shown, and the part of that to underline.
struct Excerpt {
  std::string_view before, marked, after;
  bool cut_left = false, cut_right = false;
};

std::size_t character_start(std::string_view text, std::size_t at) {
  while (at > 0 && at < text.size() && continues_character(text[at])) --at;
  return at;
}

Excerpt excerpt(std::string_view text, Span span) {
  const std::size_t begin = std::min<std::size_t>(span.begin, text.size());
  std::size_t line_begin = text.rfind('\n', begin ? begin - 1 : 0);
  if (begin == 0 || line_begin == text.npos) line_begin = 0;
  else ++line_begin;
  std::size_t line_end = std::min(text.find('\n', begin), text.size());
  std::size_t end = std::clamp<std::size_t>(span.end, begin, line_end);
  Excerpt e;
  if (line_end - line_begin > max_width) {
    const std::size_t from = std::max(line_begin, begin > max_width / 2 ? begin - max_width / 2 : 0);
    const std::size_t to = std::min(line_end, from + max_width);
    e.cut_left = from > line_begin;
    e.cut_right = to < line_end;
    line_begin = character_start(text, from);
    line_end = character_start(text, to);
    end = std::min(end, line_end);
  }
  e.before = text.substr(line_begin, begin - line_begin);
  e.marked = text.substr(begin, end - begin);
  e.after = text.substr(end, line_end - end);
  return e;
}

std::string underlined(std::string_view text, Span span) {
  const Excerpt e = excerpt(text, span);
  const std::string_view left = e.cut_left ? "..." : "", right = e.cut_right ? "..." : "";
  const std::size_t width = std::max<std::size_t>(columns(e.marked), 1);
  return fmt::format("  {}{}{}\n  {:{}}^{:~<{}}\n", left, visible(std::string(e.before) + std::string(e.marked) + std::string(e.after)),
                     right, "", left.size() + columns(e.before), "", width - 1);
}

/// "line 3: " where the text has several.
std::string place(std::string_view text, Span span) {
  if (text.find('\n') == text.npos) return {};
  const auto lines =
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(span.begin, text.size())), '\n');
  return fmt::format("line {}: ", lines + 1);
}

}  // namespace

std::string render(std::string_view expression, const Diagnostic& d) {
  const bool has_place = !d.span.empty() || d.code == Code::Syntax;
  std::string out = fmt::format("error: {}{}\n", has_place ? place(expression, d.span) : "", d.message);
  if (has_place && !expression.empty()) out += underlined(expression, d.span);
  if (!d.hint.empty()) out += fmt::format("  hint: {}\n", d.hint);
  return out;
}

}  // namespace weir
