#include "grammar/characters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "grammar/refusal.hpp"

namespace weir::grammar {
namespace {

/// One character of UTF-8 (RFC 3629, section 3); nothing when the bytes are none.
std::optional<std::uint32_t> code_point(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes.empty() ? 0 : bytes.front());
  const std::size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (bytes.size() != length || length == 0) return std::nullopt;
  std::uint32_t value = length == 1 ? first : first & (0x7fu >> length);
  for (const char c : bytes.substr(1)) value = value << 6 | (static_cast<unsigned char>(c) & 0x3f);
  return value;
}

struct Range {
  std::uint32_t first, last;
  bool visible;
  const char* hint;
};

constexpr const char* no_quotes = "quotes belong to the shell; the expression itself has none";
constexpr const char* hyphen = "write a plain '-': word processors make it a dash";
constexpr const char* space = "write an ordinary space: this one looks the same and is another character";
constexpr const char* nothing = "an invisible character: delete it";

constexpr Range ranges[] = {
    {0x0000, 0x0000, false, "a zero byte: is this UTF-16? expressions are ASCII or UTF-8"},
    {0x0022, 0x0022, true, no_quotes},
    {0x0024, 0x0024, true, "in single quotes a shell leaves its variables as they are; '$ab', one byte in hexadecimal, is an address of ARCnet"},
    {0x0027, 0x0027, true, no_quotes},
    {0x002c, 0x002c, true, "alternatives are joined with 'or', as in 'port (80 or 443)' or 'host (10.0.0.1 or 10.0.0.2)'"},
    {0x003b, 0x003b, true, "conditions are joined with 'and' and 'or'"},
    {0x005c, 0x005c, true, "a backslash goes before a name; before parentheses it is for the shell, and none is needed within quotes"},
    {0x0060, 0x0060, true, no_quotes},
    {0x007b, 0x007b, true, "groups are written with parentheses: 'port (80 or 443)'"},
    {0x007d, 0x007d, true, "groups are written with parentheses: 'port (80 or 443)'"},
    {0x007e, 0x007e, true, "there is no complement and no search; a value's bits are inverted by ^ 0xffffffff"},
    {0x00a0, 0x00a0, false, space},
    {0x00ab, 0x00ab, true, no_quotes},
    {0x00ac, 0x00ac, true, "write 'not'"},
    {0x00bb, 0x00bb, true, no_quotes},
    {0x00d7, 0x00d7, true, "write '*'"},
    {0x2000, 0x200a, false, space},
    {0x200b, 0x200f, false, nothing},
    {0x2010, 0x2015, true, hyphen},
    {0x2018, 0x201f, true, no_quotes},
    {0x2026, 0x2026, true, "a range of ports is written 'portrange 80-90'"},
    {0x202a, 0x202e, false, nothing},
    {0x202f, 0x202f, false, space},
    {0x2039, 0x203a, true, no_quotes},
    {0x2060, 0x2064, false, nothing},
    {0x2212, 0x2212, true, hyphen},
    {0x2260, 0x2260, true, "write '!='"},
    {0x2264, 0x2264, true, "write '<='"},
    {0x2265, 0x2265, true, "write '>='"},
    {0x3000, 0x3000, false, space},
    {0xfeff, 0xfeff, false, "a byte order mark: save the text without one"},
};

const Range* range_of(std::uint32_t character) {
  const auto found = std::ranges::find_if(ranges, [&](const Range& r) { return r.first <= character && character <= r.last; });
  return found == std::end(ranges) ? nullptr : found;
}

bool is_printable_ascii(std::string_view word) {
  return std::ranges::all_of(word, [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

std::string described(std::string_view word) {
  const auto character = is_printable_ascii(word) ? std::nullopt : code_point(word);
  if (!character) return fmt::format("'{}'", quotable(word));
  const Range* range = range_of(*character);
  const bool visible = *character > 0x9f && (!range || range->visible);
  return visible ? fmt::format("'{}' (U+{:04X})", word, *character) : fmt::format("character U+{:04X}", *character);
}

std::string hint_about_character(std::string_view character) {
  const auto value = code_point(character);
  const Range* range = value ? range_of(*value) : nullptr;
  if (range) return range->hint;
  return character.size() == 1 && static_cast<unsigned char>(character[0]) >= 0x80
             ? "this is not UTF-8: is the text in another encoding, such as Latin-1 or UTF-16?"
             : "this character means nothing in an expression";
}

}  // namespace weir::grammar
