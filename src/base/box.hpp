#pragma once
#include <memory>
#include <utility>

namespace weir {

/// A child of a recursive value type: copies deep, compares by content, is never empty
/// (but after being moved from).
template <class T>
class Box {
 public:
  Box(T value) : p_(std::make_unique<T>(std::move(value))) {}
  Box(const Box& other) : p_(std::make_unique<T>(*other)) {}
  Box(Box&&) noexcept = default;
  Box& operator=(Box other) noexcept {
    p_ = std::move(other.p_);
    return *this;
  }
  ~Box() = default;

  T& operator*() { return *p_; }
  const T& operator*() const { return *p_; }
  T* operator->() { return p_.get(); }
  const T* operator->() const { return p_.get(); }
  friend bool operator==(const Box& a, const Box& b) { return *a == *b; }

 private:
  std::unique_ptr<T> p_;
};

}  // namespace weir
