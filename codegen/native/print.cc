#include <Zydis/Zydis.h>
#include <fmt/format.h>

#include <algorithm>

#include "native/code.hpp"

namespace weir::native {
namespace {

constexpr std::size_t bytes_a_line = 10;  ///< most instructions fit; longer ones push their text to the right

std::string line(std::size_t offset, std::span<const std::uint8_t> bytes, const char* text) {
  std::string hex;
  for (const std::uint8_t b : bytes) hex += fmt::format("{:02x} ", b);
  return fmt::format("{:6x}:  {:<{}} {}\n", offset, hex, bytes_a_line * 3, text);
}

std::string comment(Span span, std::string_view filter) {
  if (span.end > filter.size() || span.begin > span.end) return {};
  return fmt::format("; {}\n", filter.substr(span.begin, span.end - span.begin));
}

}  // namespace

std::string to_string(const Code& code, std::string_view filter) {
  std::string text;
  const auto bytes = code.instructions();
  auto mark = code.marks().begin();
  for (std::size_t at = 0; at < bytes.size();) {
    for (; mark != code.marks().end() && mark->offset <= at; ++mark) text += comment(mark->span, filter);
    ZydisDisassembledInstruction instruction;
    // Addresses count from the beginning of the code, so that listings do not depend on where it lies.
    if (!ZYAN_SUCCESS(ZydisDisassembleIntel(ZYDIS_MACHINE_MODE_LONG_64, at, bytes.data() + at, bytes.size() - at, &instruction))) {
      text += line(at, bytes.subspan(at, 1), "(no instruction)");
      ++at;
      continue;
    }
    text += line(at, bytes.subspan(at, instruction.info.length), instruction.text);
    at += instruction.info.length;
  }
  if (!code.tables().empty()) text += fmt::format("; tables of sets: {} bytes\n", code.tables().size());
  return text;
}

}  // namespace weir::native
