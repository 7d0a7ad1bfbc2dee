// Reads programs as the kernel has them in memory (struct bpf_insn, little endian), as bytes or as hexadecimal digits, and finds
// out which form a file has.
// Tested by tests/unit/ebpf/text_test.cc.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cstring>

#include "ebpf/read.hpp"

namespace weir::ebpf {
namespace {

constexpr std::string_view elf_magic = "\x7f" "ELF";

int digit(char c) {
  if ('0' <= c && c <= '9') return c - '0';
  const int lower = std::tolower(static_cast<unsigned char>(c));
  return 'a' <= lower && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

/// Nothing but pairs of hexadecimal digits, as `xxd -p` and `bpftool prog dump … opcodes` have them.
std::optional<std::string> bytes_of_digits(std::string_view text) {
  std::string bytes;
  int half = -1;
  for (const char c : text) {
    if (is_space(c)) continue;
    const int value = digit(c);
    if (value < 0) return std::nullopt;
    if (half < 0) half = value;
    else bytes += static_cast<char>(half << 4 | value), half = -1;
  }
  return half < 0 && !bytes.empty() && bytes.size() % sizeof(Instruction) == 0 ? std::optional(bytes) : std::nullopt;
}

bool is_text(std::string_view bytes) {
  return std::ranges::none_of(bytes, [](char c) { return static_cast<unsigned char>(c) < 0x20 && !is_space(c); });
}

}  // namespace

Result<Program> read_bytes(std::string_view bytes) {
  if (bytes.empty() || bytes.size() % sizeof(Instruction) != 0)
    return fail(Code::Input, {}, fmt::format("{} bytes are no program: each instruction has 8", bytes.size()));
  Program p;
  p.instructions.resize(bytes.size() / sizeof(Instruction));
  for (std::size_t n = 0; n < p.instructions.size(); ++n) {
    std::array<char, sizeof(Instruction)> one;
    std::ranges::copy(bytes.substr(n * sizeof(Instruction), sizeof(Instruction)), one.begin());
    p.instructions[n] = std::bit_cast<Instruction>(one);
  }
  return p;
}

Result<Program> read(std::string_view file, std::string_view name) {
  if (file.starts_with(elf_magic)) return read_object(file, name);
  if (const auto bytes = bytes_of_digits(file)) return read_bytes(*bytes);
  return is_text(file) ? read_text(file) : read_bytes(file);
}

}  // namespace weir::ebpf
