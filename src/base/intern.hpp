#pragma once
#include <algorithm>
#include <array>
#include <bit>
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
/// misses are what a big pool costs. Most pools are small: a byte for the position is all that a slot has then, and no heap memory.
class InternIndex {
 public:
  InternIndex() { small_.fill(free_byte); }

  /// Position of `item` in `pool`, appended when it is new. `hash` is a function of it, and of those in the pool, that agrees
  /// with ==. Whatever is in the pool came this way, or was there before the first.
  template <class T, class Item, class Hash>
  std::uint32_t intern(std::vector<T>& pool, Item&& item, Hash hash) {
    const std::size_t count = pool.size();
    if (count != count_) [[unlikely]] begin_anew(pool, hash);
    const std::uint32_t key = static_cast<std::uint32_t>(hash(item));
    if (count < room_if_small && slots_.empty()) {
      std::uint8_t& slot = small_slot(key, [&](std::uint32_t id) { return pool[id] == item; });
      if (slot != free_byte) return slot;
      slot = static_cast<std::uint8_t>(count);
    } else {
      if (count >= room_) [[unlikely]] make_room(pool, hash);
      std::size_t at = key & mask_;
      for (; slots_[at] != free_slot; at = (at + 1) & mask_) {
        const std::uint32_t id = static_cast<std::uint32_t>(slots_[at]);
        if (slots_[at] >> 32 == key && pool[id] == item) return id;
      }
      assert(count < static_cast<std::uint32_t>(free_slot));
      slots_[at] = std::uint64_t{key} << 32 | count;
    }
    pool.emplace_back(std::forward<Item>(item));
    ++count_;
    return static_cast<std::uint32_t>(count);
  }
  /// Room for so many items in all.
  void expect(std::size_t items) {
    expected_ = std::max(expected_, items);
    if (items > room_ && (!slots_.empty() || (items > room_if_small && count_ == 0))) grow(capacity_for(items));
  }

 private:
  static constexpr std::uint64_t free_slot = ~std::uint64_t{0};
  static constexpr std::size_t small = 64, room_if_small = small / 2;
  static constexpr std::uint8_t free_byte = 0xff;

  static std::size_t capacity_for(std::size_t items) { return std::bit_ceil(2 * items); }

  /// The slot of an item, or the free one that it would take.
  template <class IsItem>
  std::uint8_t& small_slot(std::uint32_t key, const IsItem& is_item) {
    std::size_t at = key % small;
    while (small_[at] != free_byte && !is_item(small_[at])) at = (at + 1) % small;
    return small_[at];
  }

  /// With what is in a pool that others have filled.
  template <class T, class Hash>
  [[gnu::noinline]] void begin_anew(const std::vector<T>& pool, Hash hash) {
    assert(count_ == 0);
    if (pool.size() >= room_if_small || !slots_.empty()) return make_room(pool, hash);
    for (; count_ < pool.size(); ++count_)
      small_slot(static_cast<std::uint32_t>(hash(pool[count_])), [](std::uint32_t) { return false; }) = static_cast<std::uint8_t>(count_);
  }

  /// Twice as many slots, or the first: for what is there already and what is expected.
  template <class T, class Hash>
  [[gnu::noinline]] void make_room(const std::vector<T>& pool, Hash hash) {
    if (!slots_.empty() && count_ == pool.size()) return grow(2 * slots_.size());
    slots_.clear();
    grow(capacity_for(std::max(expected_, pool.size() + 1)));
    for (count_ = 0; count_ < pool.size(); ++count_) {
      const std::uint32_t key = static_cast<std::uint32_t>(hash(pool[count_]));
      slots_[free_from(key)] = std::uint64_t{key} << 32 | count_;
    }
  }

  void grow(std::size_t capacity) {
    std::vector<std::uint64_t> old(capacity, free_slot);
    old.swap(slots_);
    room_ = capacity / 2;
    mask_ = capacity - 1;
    for (const std::uint64_t entry : old)
      if (entry != free_slot) slots_[free_from(entry >> 32)] = entry;
  }

  std::size_t free_from(std::size_t key) const {
    std::size_t at = key & mask_;
    while (slots_[at] != free_slot) at = (at + 1) & mask_;
    return at;
  }

  std::array<std::uint8_t, small> small_;
  std::vector<std::uint64_t> slots_;  ///< none as long as the pool is small
  std::size_t mask_ = 0;              ///< how many slots there are, less one
  std::size_t room_ = 0;              ///< how many items the slots are enough for
  std::size_t count_ = 0;             ///< how many items are in
  std::size_t expected_ = 0;
};

}  // namespace weir
