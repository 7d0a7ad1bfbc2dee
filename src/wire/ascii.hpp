// Words of the tables compared as libpcap compares them: without regard to case, and in ASCII whatever the locale.
#pragma once
#include <algorithm>
#include <string_view>

namespace weir::wire {

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, to_lower, to_lower);
}

}  // namespace weir::wire
