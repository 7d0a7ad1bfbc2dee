// Reads programs that tcpdump -ddd printed. Tested by tests/unit/cbpf/read_test.cc.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "cbpf/program.hpp"

namespace weir::cbpf {
namespace {

constexpr std::string_view separators = " ,\t\r\n";

/// The numbers of the text, one after the other; remembers where the last one stood.
class Numbers {
 public:
  explicit Numbers(std::string_view text) : text_(text) {}

  bool at_end() {
    at_ = text_.find_first_not_of(separators, at_);
    if (at_ == std::string_view::npos) at_ = text_.size();
    return at_ == text_.size();
  }

  /// Where the next word begins, once at_end() has been asked.
  std::uint32_t position() const { return static_cast<std::uint32_t>(at_); }

  /// Nothing when there is no number, or one beyond `most`.
  std::optional<std::uint32_t> next(std::uint32_t most) {
    begin_ = at_end() ? text_.size() : at_;
    std::uint32_t value = 0;
    const char* const first = text_.data() + begin_;
    const auto [end, error] = std::from_chars(first, text_.data() + text_.size(), value);
    at_ = std::min(text_.find_first_of(separators, begin_), text_.size());
    if (error != std::errc{} || end != text_.data() + at_ || value > most) return std::nullopt;
    return value;
  }

  /// Of the word that `next` read last.
  Span span() const { return {static_cast<std::uint32_t>(begin_), static_cast<std::uint32_t>(at_)}; }

 private:
  std::string_view text_;
  std::size_t begin_ = 0;
  std::size_t at_ = 0;
};

std::unexpected<Diagnostic> no_number(const Numbers& in, std::string_view what, std::uint32_t most) {
  return fail(Code::Input, in.span(), fmt::format("{} is not a number from 0 to {}", what, most),
              "a program is the number of its instructions, and a line `CODE JT JF K` for each");
}

Result<Instruction> read_instruction(Numbers& in, std::size_t index) {
  constexpr std::uint32_t byte = std::numeric_limits<std::uint8_t>::max();
  constexpr std::uint32_t half = std::numeric_limits<std::uint16_t>::max();
  constexpr std::uint32_t word = std::numeric_limits<std::uint32_t>::max();
  const auto bad = [&](std::string_view field, std::uint32_t most) {
    return no_number(in, fmt::format("{} of instruction {}", field, index), most);
  };
  const auto code = in.next(half);
  if (!code) return bad("the code", half);
  const auto jt = in.next(byte);
  if (!jt) return bad("jt", byte);
  const auto jf = in.next(byte);
  if (!jf) return bad("jf", byte);
  const auto k = in.next(word);
  if (!k) return bad("k", word);
  return Instruction{static_cast<std::uint16_t>(*code), static_cast<std::uint8_t>(*jt), static_cast<std::uint8_t>(*jf), *k};
}

}  // namespace

Result<Program> read_decimal(std::string_view text) {
  Numbers in(text);
  constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
  const auto count = in.next(most);
  if (!count) return no_number(in, "the number of instructions", most);
  Program p;  // grows as it is read: the number at the top is only a claim
  for (std::size_t index = 0; index < *count; ++index) {
    if (in.at_end())
      return fail(Code::Input, {}, fmt::format("the text ends after {} of {} instructions", index, *count));
    const std::uint32_t begin = in.position();
    const auto instruction = read_instruction(in, index);
    if (!instruction) return std::unexpected(instruction.error());
    p.instructions.push_back(*instruction);
    p.spans.push_back({begin, in.span().end});
  }
  if (!in.at_end()) {
    in.next(most);
    return fail(Code::Input, in.span(), fmt::format("more follows after the {} instructions", *count));
  }
  return p;
}

}  // namespace weir::cbpf
