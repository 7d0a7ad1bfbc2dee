#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir {

/// Index of a pool in which equal items exist once: open addressing on positions, so that an item is stored only
/// in the pool itself. `T` needs == ; `hash` must agree with it.
class InternIndex {
 public:
  /// Position of `item` in `pool`, appended when it is new.
  template <class T, class Hash>
  std::uint32_t intern(std::vector<T>& pool, const T& item, Hash hash, bool* is_new = nullptr) {
    if ((pool.size() + 1) * 2 > slots_.size()) grow(pool, hash);
    const std::size_t mask = slots_.size() - 1;
    std::size_t i = hash(item) & mask;
    for (; slots_[i] != empty; i = (i + 1) & mask)
      if (pool[slots_[i]] == item) {
        if (is_new) *is_new = false;
        return slots_[i];
      }
    slots_[i] = static_cast<std::uint32_t>(pool.size());
    pool.push_back(item);
    if (is_new) *is_new = true;
    return slots_[i];
  }

 private:
  static constexpr std::uint32_t empty = 0xffffffff;

  template <class T, class Hash>
  void grow(const std::vector<T>& pool, Hash hash) {
    slots_.assign(slots_.empty() ? 64 : slots_.size() * 2, empty);
    const std::size_t mask = slots_.size() - 1;
    for (std::uint32_t n = 0; n < pool.size(); ++n) {
      std::size_t i = hash(pool[n]) & mask;
      while (slots_[i] != empty) i = (i + 1) & mask;
      slots_[i] = n;
    }
  }

  std::vector<std::uint32_t> slots_;
};

/// Mixes a word into a hash (the multiplier and rotation of FxHash).
constexpr std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  return ((hash << 5 | hash >> 59) ^ word) * 0x517cc1b727220a95u;
}
/// Spreads the high bits, which hold the most of a mixed hash, over the low ones that index a table.
constexpr std::size_t finish(std::uint64_t hash) { return static_cast<std::size_t>(hash ^ hash >> 32); }

}  // namespace weir
