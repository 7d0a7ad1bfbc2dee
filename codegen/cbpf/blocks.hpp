// Straight pieces of code and the jumps between them, before addresses are known.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "cbpf/program.hpp"

namespace weir::cbpf {

enum class BlockId : std::uint32_t {};
constexpr std::uint32_t at(BlockId id) { return static_cast<std::uint32_t>(id); }

/// Code that is entered at its start and ends in one way.
struct Block {
  enum class End : std::uint8_t { Open, Jump, Goto, Return };

  struct Line {
    std::uint16_t code;
    std::uint32_t k;
    Span span;
  };
  std::uint32_t first_line = 0, line_count = 0;  ///< in Blocks::lines
  End end = End::Open;
  Line last{};        ///< Jump: the conditional jump; Return: the return
  BlockId t{}, f{};   ///< Jump: both ways out; Goto: t
};

/// Blocks in the order in which they are laid out; every jump leads to a later one.
struct Blocks {
  std::vector<Block> all;
  std::vector<BlockId> order;
  std::vector<Block::Line> lines;  ///< of all blocks

  Block& operator[](BlockId id) { return all[static_cast<std::uint32_t>(id)]; }
  const Block& operator[](BlockId id) const { return all[static_cast<std::uint32_t>(id)]; }
  std::span<const Block::Line> lines_of(const Block& b) const { return std::span(lines).subspan(b.first_line, b.line_count); }
  BlockId add() {
    all.emplace_back();
    return BlockId{static_cast<std::uint32_t>(all.size() - 1)};
  }
  /// So many blocks are to come, or a few more.
  void reserve(std::size_t count) {
    all.reserve(count);
    order.reserve(count);
    lines.reserve(count);
  }
  /// Appends a block to the order; `put` writes its lines, until the next begins.
  void begin(BlockId id) {
    order.push_back(id);
    (*this)[id].first_line = static_cast<std::uint32_t>(lines.size());
  }
  void put(Block::Line line) {
    lines.push_back(line);
    ++(*this)[order.back()].line_count;
  }
};

/// Addresses: conditional jumps reach 255 instructions; what is further gets a `ja`, or a return of its own, on the way.
Program layout(const Blocks& blocks);
/// How many instructions that takes.
std::size_t length(const Blocks& blocks);

}  // namespace weir::cbpf
