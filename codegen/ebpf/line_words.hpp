// Words of the kernel's notation: registers, sizes, numbers. Used by read_line.hpp.
#pragma once
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "ebpf/symbols.hpp"

namespace weir::ebpf {

struct NamedRegister {
  bool wide = true;
  std::uint8_t number = 0;
};

inline std::optional<NamedRegister> register_of(std::string_view word) {
  if (word.size() < 2 || word.size() > 3 || (word[0] != 'r' && word[0] != 'w')) return std::nullopt;
  unsigned number = 0;
  const auto [end, error] = std::from_chars(word.data() + 1, word.data() + word.size(), number);
  if (error != std::errc{} || end != word.data() + word.size() || number > 10) return std::nullopt;
  return NamedRegister{word[0] == 'r', static_cast<std::uint8_t>(number)};
}

inline std::optional<std::uint64_t> number_of(std::string_view word) {
  const bool hexadecimal = word.starts_with("0x") || word.starts_with("0X");
  if (hexadecimal) word.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, hexadecimal ? 16 : 10);
  if (error != std::errc{} || end != word.data() + word.size() || word.empty()) return std::nullopt;
  return value;
}

/// `u16`, `s8`: the size bits, and whether it has a sign.
struct Size {
  std::uint8_t bits = 0;
  bool with_sign = false;
};

inline std::optional<Size> size_of(std::string_view word) {
  if (word.empty() || (word[0] != 'u' && word[0] != 's')) return std::nullopt;
  const Symbol* const symbol = find_sign(size_symbols, word.substr(1));
  return symbol ? std::optional(Size{symbol->operation, word[0] == 's'}) : std::nullopt;
}

}  // namespace weir::ebpf
