#pragma once
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace weir {

/// Mixes two words into a hash.
constexpr std::uint64_t mix(std::uint64_t hash, std::uint64_t low, std::uint64_t high) {
  hash = (hash ^ (low | high << 32)) * 0x9e3779b97f4a7c15;
  return hash ^ hash >> 32;
}

/// Gives back the memory that a pool does not use, where that is worth moving it.
template <class T>
void give_back(std::vector<T>& pool) {
  constexpr std::size_t little = 1024;
  if ((pool.capacity() - pool.size()) * sizeof(T) > little) pool.shrink_to_fit();
}

/// Index of a pool in which equal items exist once: open addressing on positions, linear probing, at most half full.
/// A slot holds 32 bits of the hash beside the position: probing and growing then hardly look at the pool, and cache
/// misses are what a big pool costs.
class InternIndex {
 public:
  /// Position of `item` in `pool`, appended when it is new. `hash` is a function of it that agrees with ==.
  template <class T, class Item, class Hash>
  std::uint32_t intern(std::vector<T>& pool, Item&& item, Hash hash) {
    if ((pool.size() + 1) * 2 > slots_.size()) grow();
    const std::size_t mask = slots_.size() - 1;
    const std::uint32_t key = static_cast<std::uint32_t>(hash(item));
    std::size_t at = key & mask;
    for (; slots_[at] != free_slot; at = (at + 1) & mask) {
      const std::uint32_t id = static_cast<std::uint32_t>(slots_[at]);
      if (slots_[at] >> 32 == key && pool[id] == item) return id;
    }
    const std::uint32_t id = static_cast<std::uint32_t>(pool.size());
    assert(id != static_cast<std::uint32_t>(free_slot));
    slots_[at] = std::uint64_t{key} << 32 | id;
    pool.emplace_back(std::forward<Item>(item));
    return id;
  }
  /// Room for so many items in all.
  void expect(std::size_t items) {
    while (items * 2 > slots_.size()) grow();
  }

 private:
  static constexpr std::uint64_t free_slot = ~std::uint64_t{0};
  static constexpr std::size_t first_capacity = 64;

  void grow() {
    std::vector<std::uint64_t> old(std::max(first_capacity, slots_.size() * 2), free_slot);
    old.swap(slots_);
    const std::size_t mask = slots_.size() - 1;
    for (const std::uint64_t entry : old) {
      if (entry == free_slot) continue;
      std::size_t at = entry >> 32 & mask;
      while (slots_[at] != free_slot) at = (at + 1) & mask;
      slots_[at] = entry;
    }
  }

  std::vector<std::uint64_t> slots_;
};

}  // namespace weir
