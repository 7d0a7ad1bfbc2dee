#include "ebpf/search.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace weir::ebpf {
namespace {

constexpr std::uint32_t trie_head = 4;  // a trie's keys begin with the prefix length

/// A key as a number, most significant word first; keys of fewer words use the last ones.
using Number = std::array<std::uint32_t, 4>;

struct Range {
  Number low, high;
};

std::uint32_t head_of(const Map& set) { return set.kind == MapKind::LpmTrie ? trie_head : 0; }
std::size_t words_of(const Map& set) { return (set.key_bytes - head_of(set) + 3) / 4; }

Number number_of(const std::uint8_t* bytes, std::uint32_t count) {
  Number n = {};
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t at = count - 1 - i;  // in bytes, from the end
    n[3 - at / 4] |= std::uint32_t{bytes[i]} << at % 4 * 8;
  }
  return n;
}

/// Ones in the lowest so many bits.
Number low_ones(std::uint32_t bits) {
  Number n = {};
  for (std::uint32_t i = 0; i < bits; ++i) n[3 - i / 32] |= 1u << i % 32;
  return n;
}

Range range_of(const Map& set, const std::uint8_t* key) {
  const std::uint32_t bytes = set.key_bytes - head_of(set);
  const Number low = number_of(key + head_of(set), bytes);
  Range r{low, low};
  if (set.kind != MapKind::LpmTrie) return r;
  std::uint32_t length = 0;
  for (std::uint32_t i = 0; i < trie_head; ++i) length |= std::uint32_t{key[i]} << 8 * i;
  const Number rest = low_ones(8 * bytes - std::min(length, 8 * bytes));
  for (std::size_t i = 0; i < 4; ++i) r.low[i] &= ~rest[i], r.high[i] |= rest[i];
  return r;
}

/// The number behind; zero behind the largest.
Number next(Number n) {
  for (std::size_t i = 4; i-- > 0;)
    if (++n[i] != 0) break;
  return n;
}

std::vector<Range> ranges_of(const Map& set) {
  std::vector<Range> all, joined;
  for (std::size_t at = 0; at + set.key_bytes <= set.keys.size(); at += set.key_bytes) all.push_back(range_of(set, &set.keys[at]));
  std::ranges::sort(all, {}, &Range::low);
  for (const Range& r : all) {
    if (!joined.empty() && (r.low <= joined.back().high || next(joined.back().high) == r.low))
      joined.back().high = std::max(joined.back().high, r.high);
    else joined.push_back(r);
  }
  return joined;
}

constexpr std::uint8_t result = 0, key_pointer = 2, reached = 3, probe = 5, first_word = 6;

Instruction instruction(int code, int to, int from, std::size_t offset, std::size_t k) {
  Instruction i{.code = static_cast<std::uint8_t>(code), .offset = static_cast<std::int16_t>(offset), .imm = static_cast<std::int32_t>(k)};
  i.dst = static_cast<std::uint8_t>(to & 15);
  i.src = static_cast<std::uint8_t>(from & 15);
  return i;
}
Instruction load(int size, int to, int from, std::size_t offset) { return instruction(op::LDX | op::MEM | size, to, from, offset, 0); }
Instruction with(int operation, int to, int from) { return instruction(op::ALU64 | operation | op::X, to, from, 0, 0); }
Instruction constant(int operation, int to, std::size_t k) { return instruction(op::ALU64 | operation | op::K, to, 0, 0, k); }

/// Words of a key of network order, each in a register from first_word on; the first has what is over. The stack is read at multiples
/// of the size only, which the kernel's verifier demands: other words are put together byte by byte.
void load_key(std::vector<Instruction>& out, const Map& set, std::size_t words) {
  std::size_t offset = head_of(set), rest = set.key_bytes - head_of(set);
  for (std::size_t w = 0; w < words; ++w) {
    const auto to = static_cast<std::uint8_t>(first_word + w);
    const std::size_t bytes = rest - (words - 1 - w) * 4;
    if (bytes == 4 && offset % 4 == 0) {
      out.push_back(load(op::W, to, key_pointer, offset));
      out.push_back(instruction(op::ALU | op::END | op::X, to, 0, 0, 32));  // X: to big endian
    } else {
      out.push_back(load(op::B, to, key_pointer, offset));
      for (std::size_t i = 1; i < bytes; ++i) {
        out.push_back(constant(op::LSH, to, 8));
        out.push_back(load(op::B, result, key_pointer, offset + i));
        out.push_back(with(op::OR, to, result));
      }
    }
    offset += bytes;
    rest -= bytes;
  }
}

/// Into `borrow`: 1 where a is below b, of which one is the key in registers and the other at `pointer`. Uses `result`.
void is_below(std::vector<Instruction>& out, std::uint8_t borrow, std::uint8_t pointer, std::size_t words, bool key_is_first) {
  constexpr std::uint8_t scratch = 1;
  for (std::size_t w = words; w-- > 0;) {
    const auto key = static_cast<std::uint8_t>(first_word + w);
    const bool lowest = w + 1 == words;
    const std::uint8_t difference = lowest ? borrow : scratch;
    out.push_back(load(op::W, result, pointer, 4 * w));
    out.push_back(with(op::MOV, difference, key_is_first ? key : result));
    out.push_back(with(op::SUB, difference, key_is_first ? result : key));
    if (!lowest) out.push_back(with(op::SUB, difference, borrow));
    out.push_back(constant(op::RSH, difference, 63));
    if (!lowest) out.push_back(with(op::MOV, borrow, difference));
  }
}

}  // namespace

Table table_of(const Map& set) {
  const auto ranges = ranges_of(set);
  Table table{.entries = std::bit_ceil(std::max<std::size_t>(ranges.size(), 1)), .words = words_of(set), .numbers = {}};
  const auto put = [&](const Number& n) {
    table.numbers.insert(table.numbers.end(), n.end() - static_cast<std::ptrdiff_t>(table.words), n.end());
  };
  // The padding begins at the largest key, and ends where the last range does: that key is found there when it is in the last range.
  // An empty set has one range from the largest to the smallest.
  constexpr Number largest = {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff};
  const std::size_t padding = table.entries - ranges.size();
  for (const Range& r : ranges) put(r.low);
  for (std::size_t i = 0; i < padding; ++i) put(largest);
  for (const Range& r : ranges) put(r.high);
  for (std::size_t i = 0; i < padding; ++i) put(ranges.empty() ? Number{} : ranges.back().high);
  return table;
}

std::vector<Instruction> search_of(const Map& set, const Table& table) {
  constexpr std::uint8_t borrow = 4;
  const std::size_t stride = 4 * table.words;
  std::vector<Instruction> out = {{.code = op::LD | op::DW | op::IMM, .dst = reached}, {}};
  load_key(out, set, table.words);
  for (std::size_t step = table.entries / 2; step > 0; step /= 2) {
    out.push_back(with(op::MOV, probe, reached));
    out.push_back(constant(op::ADD, probe, step * stride));
    is_below(out, borrow, probe, table.words, true);
    // A mask would be shorter, but the verifier of Linux 6.18 follows both of its values (maybe_fork_scalars() in kernel/bpf/verifier.c).
    out.push_back(constant(op::XOR, borrow, 1));
    const std::size_t bytes = step * stride;
    out.push_back(std::has_single_bit(bytes) ? constant(op::LSH, borrow, static_cast<std::size_t>(std::countr_zero(bytes)))
                                             : constant(op::MUL, borrow, bytes));
    out.push_back(with(op::ADD, reached, borrow));
  }
  is_below(out, borrow, reached, table.words, true);
  out.push_back(constant(op::ADD, reached, table.entries * stride));
  out.push_back(with(op::MOV, probe, borrow));
  is_below(out, borrow, reached, table.words, false);
  out.push_back(with(op::OR, borrow, probe));
  out.push_back(constant(op::XOR, borrow, 1));
  out.push_back(with(op::MOV, result, borrow));
  out.push_back({.code = op::JMP | op::EXIT});
  return out;
}

}  // namespace weir::ebpf
