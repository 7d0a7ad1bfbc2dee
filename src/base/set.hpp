// Sets of unsigned 32-bit numbers as ordered intervals: what a value may be, or what a list of addresses names.
// Tested by tests/unit/base/set_test.cc.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace weir {

/// All numbers between two, both included.
struct Interval {
  std::uint32_t low = 0;
  std::uint32_t high = 0xffffffff;
  bool operator==(const Interval&) const = default;
};

/// Intervals in ascending order that neither overlap nor touch, so that equal sets are equal. A value: copying copies.
class Set {
 public:
  Set() = default;                                        ///< empty
  Set(Interval only) : intervals_{only} {}                ///< low must not be above high
  static Set of(std::uint32_t k) { return Set(Interval{k, k}); }
  static Set everything() { return Set(Interval{}); }

  /// The union of intervals in any order. O(n log n); O(n) when they are sorted.
  static Set join(std::vector<Interval> parts) {
    const auto before = [](const Interval& a, const Interval& b) { return a.low < b.low; };
    if (!std::is_sorted(parts.begin(), parts.end(), before)) std::sort(parts.begin(), parts.end(), before);
    std::size_t end = 0;  // parts[0, end) are done
    for (const Interval next : parts) {
      if (end != 0 && (parts[end - 1].high == 0xffffffff || next.low <= parts[end - 1].high + 1))
        parts[end - 1].high = std::max(parts[end - 1].high, next.high);
      else
        parts[end++] = next;
    }
    parts.resize(end);
    Set s;
    s.intervals_ = std::move(parts);
    return s;
  }

  std::span<const Interval> intervals() const { return intervals_; }
  bool empty() const { return intervals_.empty(); }
  bool is_everything() const { return intervals_.size() == 1 && intervals_[0] == Interval{}; }
  std::uint32_t low() const { return intervals_.front().low; }    ///< of a set that is not empty
  std::uint32_t high() const { return intervals_.back().high; }   ///< of a set that is not empty
  /// How many numbers: up to 2^32.
  std::uint64_t size() const {
    std::uint64_t n = 0;
    for (const Interval i : intervals_) n += std::uint64_t{i.high} - i.low + 1;
    return n;
  }

  bool contains(std::uint32_t k) const {
    const auto i = first_up_to(k);
    return i != intervals_.end() && i->low <= k;
  }
  /// Whether some, or all, of an interval is in the set. O(log n).
  bool meets(Interval with) const {
    const auto i = first_up_to(with.low);
    return i != intervals_.end() && i->low <= with.high;
  }
  bool covers(Interval inner) const {
    const auto i = first_up_to(inner.low);
    return i != intervals_.end() && i->low <= inner.low && inner.high <= i->high;
  }

  Set complement() const {
    Set rest;
    std::uint64_t next = 0;
    for (const Interval i : intervals_) {
      if (i.low > next) rest.intervals_.push_back({static_cast<std::uint32_t>(next), i.low - 1});
      next = std::uint64_t{i.high} + 1;
    }
    if (next <= 0xffffffff) rest.intervals_.push_back({static_cast<std::uint32_t>(next), 0xffffffff});
    return rest;
  }

  friend Set operator|(const Set& a, const Set& b) {
    std::vector<Interval> both(a.intervals_.size() + b.intervals_.size());
    std::merge(a.intervals_.begin(), a.intervals_.end(), b.intervals_.begin(), b.intervals_.end(), both.begin(),
               [](const Interval& x, const Interval& y) { return x.low < y.low; });
    return join(std::move(both));
  }
  friend Set operator&(const Set& a, const Set& b) {
    Set common;
    for (auto x = a.intervals_.begin(), y = b.intervals_.begin(); x != a.intervals_.end() && y != b.intervals_.end();) {
      const std::uint32_t low = std::max(x->low, y->low), high = std::min(x->high, y->high);
      if (low <= high) common.intervals_.push_back({low, high});
      if (x->high < y->high) ++x;
      else ++y;
    }
    return common;
  }
  friend Set operator-(const Set& a, const Set& b) { return a & b.complement(); }

  bool operator==(const Set&) const = default;

 private:
  /// The first interval that does not end before k.
  std::vector<Interval>::const_iterator first_up_to(std::uint32_t k) const {
    return std::partition_point(intervals_.begin(), intervals_.end(), [&](const Interval& i) { return i.high < k; });
  }

  std::vector<Interval> intervals_;
};

/// A number that depends on the elements alone, for tables of sets.
inline std::uint64_t hash(const Set& s) {
  std::uint64_t h = s.intervals().size();
  for (const Interval i : s.intervals()) {
    h = (h ^ (i.low | std::uint64_t{i.high} << 32)) * 0x9e3779b97f4a7c15;
    h ^= h >> 32;
  }
  return h;
}

}  // namespace weir
