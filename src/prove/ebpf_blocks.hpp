// An eBPF program cut into blocks without jumps inside, in an order in which every way leads forward.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ebpf/program.hpp"

namespace weir::prove {

/// Instructions [first, end): the last one jumps, ends the program, or leads to the next block.
struct Block {
  std::size_t first = 0, end = 0;
  std::vector<std::size_t> ways;     ///< 0 of an end, 1, or 2: taken jump first
  std::uint16_t live = 0;            ///< registers, a bit each, that are read here or behind before they are written
};

/// Blocks that can be reached from an instruction, the first of the program or of a function, each before those it leads to. A
/// call of a function is an instruction like others. Throws GivenUp for loops and what is no program.
std::vector<Block> blocks_of(const ebpf::Program& p, std::size_t first = 0);

}  // namespace weir::prove
