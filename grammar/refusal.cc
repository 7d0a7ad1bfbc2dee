#include "grammar/refusal.hpp"

#include <fmt/format.h>

namespace weir::grammar {

std::string quotable(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string out;
  for (const char c : text.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", byte);
    }
  }
  return text.size() > longest ? out + "…" : out;
}

}  // namespace weir::grammar
