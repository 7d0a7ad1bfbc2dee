// A set as a sorted table of constants, and the function that searches it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ebpf/program.hpp"

namespace weir::ebpf {

/// Intervals of keys in ascending order: the beginnings of all, then the ends, each as 32-bit words in the host's order, the most
/// significant first. Padded to a power of two.
struct Table {
  std::size_t entries = 0;      ///< with padding
  std::size_t words = 0;        ///< of a key
  std::vector<std::uint32_t> numbers;
  std::size_t bytes() const { return numbers.size() * sizeof(std::uint32_t); }
};

/// What a set's keys say: exact ones of a hash, prefixes of a trie.
Table table_of(const Map& set);

/// int search(anything, const void* key): 1 or 0, for a call in place of bpf_map_lookup_elem with the same arguments. Its first
/// instruction loads the table's address, which is still to come. Without branches, so that the kernel's verifier has one way
/// to follow: each step adds half the rest where the beginning there is not above the key.
std::vector<Instruction> search_of(const Map& set, const Table& table);

}  // namespace weir::ebpf
