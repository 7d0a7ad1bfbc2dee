// Text of a filter as a message may quote it.
#pragma once
#include <string>
#include <string_view>

namespace weir {

/// Without characters that a terminal would act on, and not longer than a line.
inline std::string quotable(std::string_view text) {
  constexpr std::size_t longest = 100;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : text.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) out += c;
    else (out += "\\x") += {digits[byte >> 4], digits[byte & 15]};
  }
  return text.size() > longest ? out + "…" : out;
}

}  // namespace weir
