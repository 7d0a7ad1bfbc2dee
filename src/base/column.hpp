// A column beside a pool: an entry for each of its items. Most pools are small, and what the compiler notes of their
// items it notes many times over: up to a few entries live in the object itself, without heap memory.
// Tested by tests/unit/base/column_test.cc.
#pragma once
#include <algorithm>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace weir {

/// A given number of entries, which `grow` may raise. Indexed by numbers and by ids.
template <class T>
class Column {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  Column() = default;
  explicit Column(std::size_t count, T entry = {}) : size_(count) {
    if (count > few) make_room(count);
    std::uninitialized_fill_n(entries_, count, entry);
  }
  Column(Column&& other) noexcept { *this = std::move(other); }
  Column& operator=(Column&& other) noexcept {
    size_ = other.size_;
    room_ = other.room_;
    many_ = std::move(other.many_);
    entries_ = at(many_ ? many_.get() : in_place_);
    if (!many_) std::uninitialized_copy_n(other.entries_, size_, entries_);
    other.size_ = 0;
    other.room_ = few;
    other.entries_ = at(other.in_place_);
    return *this;
  }

  std::size_t size() const { return size_; }
  /// At least so many entries: new ones are like `entry`.
  void grow(std::size_t count, T entry = {}) {
    if (count > size_) add(count, entry);
  }

  template <class Index>
  T& operator[](Index i) { return entries_[static_cast<std::size_t>(i)]; }
  template <class Index>
  const T& operator[](Index i) const { return entries_[static_cast<std::size_t>(i)]; }

 private:
  static constexpr std::size_t few = 64;

  /// Room for an entry that may not be one yet.
  struct Raw {
    alignas(T) std::byte bytes[sizeof(T)];
  };
  void add(std::size_t count, T entry) {
    if (count > room_) {
      const std::size_t filled = size_, room = std::max(count, 2 * room_);
      const Column old(std::move(*this));
      make_room(room);
      std::uninitialized_copy_n(old.entries_, filled, entries_);
      size_ = filled;
    }
    std::uninitialized_fill_n(entries_ + size_, count - size_, entry);
    size_ = count;
  }
  static T* at(Raw* raw) { return reinterpret_cast<T*>(raw); }
  void make_room(std::size_t count) {
    many_ = std::make_unique_for_overwrite<Raw[]>(count);
    entries_ = at(many_.get());
    room_ = count;
  }

  std::size_t size_ = 0, room_ = few;
  T* entries_ = at(in_place_);
  std::unique_ptr<Raw[]> many_;  ///< where they are more than a few
  Raw in_place_[few];
};

}  // namespace weir
