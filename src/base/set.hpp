// Sets of unsigned 32-bit numbers as ordered intervals: what a value may be, or what a list of addresses names.
// Tested by tests/unit/base/set_test.cc.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace weir {

/// All numbers between two, both included.
struct Interval {
  std::uint32_t low = 0;
  std::uint32_t high = 0xffffffff;
  bool operator==(const Interval&) const = default;
  /// How many numbers: up to 2^32.
  std::uint64_t size() const { return std::uint64_t{high} - low + 1; }
};

/// Intervals in ascending order that neither overlap nor touch, so that equal sets are equal. A value: copying copies.
/// Most sets are what one comparison asks for: a few intervals live in the object itself, without heap memory.
class Set {
 public:
  Set() = default;                                        ///< empty
  Set(Interval only) : few_{only}, few_count_(1) {}       ///< low must not be above high
  static Set of(std::uint32_t k) { return Set(Interval{k, k}); }
  static Set everything() { return Set(Interval{}); }

  /// The union of intervals in any order. O(n log n); O(n) when they are sorted.
  static Set join(std::vector<Interval> parts) {
    const auto before = [](const Interval& a, const Interval& b) { return a.low < b.low; };
    if (!std::is_sorted(parts.begin(), parts.end(), before)) std::sort(parts.begin(), parts.end(), before);
    std::size_t end = 0;  // parts[0, end) are done
    for (const Interval next : parts) {
      if (end != 0 && touches(parts[end - 1], next)) parts[end - 1].high = std::max(parts[end - 1].high, next.high);
      else parts[end++] = next;
    }
    parts.resize(end);
    Set s;
    if (end > most_few) s.many_ = std::move(parts);
    else for (const Interval i : parts) s.few_[s.few_count_++] = i;
    return s;
  }

  /// Inside the set: they live no longer, and move with it.
  std::span<const Interval> intervals() const {
    return many_.empty() ? std::span(few_.data(), few_count_) : std::span<const Interval>(many_);
  }
  bool empty() const { return intervals().empty(); }
  bool is_everything() const { return few_count_ == 1 && few_[0] == Interval{}; }
  std::uint32_t low() const { return intervals().front().low; }    ///< of a set that is not empty
  std::uint32_t high() const { return intervals().back().high; }   ///< of a set that is not empty
  /// The number that is all of the set.
  std::optional<std::uint32_t> only() const {
    return few_count_ == 1 && few_[0].low == few_[0].high ? std::optional(few_[0].low) : std::nullopt;
  }
  /// How many numbers: up to 2^32.
  std::uint64_t size() const {
    std::uint64_t n = 0;
    for (const Interval i : intervals()) n += i.size();
    return n;
  }

  bool contains(std::uint32_t k) const {
    if (few_count_ == 1) return few_[0].low <= k && k <= few_[0].high;
    const auto i = first_up_to(k);
    return i != intervals().end() && i->low <= k;
  }
  /// Whether some, or all, of an interval is in the set. O(log n).
  bool meets(Interval with) const {
    const auto i = first_up_to(with.low);
    return i != intervals().end() && i->low <= with.high;
  }
  bool covers(Interval inner) const {
    const auto i = first_up_to(inner.low);
    return i != intervals().end() && i->low <= inner.low && inner.high <= i->high;
  }

  Set complement() const {
    Set rest;
    std::uint64_t next = 0;
    for (const Interval i : intervals()) {
      if (i.low > next) rest.append({static_cast<std::uint32_t>(next), i.low - 1});
      next = std::uint64_t{i.high} + 1;
    }
    if (next <= 0xffffffff) rest.append({static_cast<std::uint32_t>(next), 0xffffffff});
    return rest;
  }

  friend Set operator|(const Set& a, const Set& b) {
    const auto x = a.intervals(), y = b.intervals();
    Set any;
    if (x.size() + y.size() > 2 * most_few) any.many_.reserve(x.size() + y.size());
    for (auto i = x.begin(), j = y.begin(); i != x.end() || j != y.end();)
      any.append(j == y.end() || (i != x.end() && i->low <= j->low) ? *i++ : *j++);
    return any;
  }
  friend Set operator&(const Set& a, const Set& b) {
    const auto left = a.intervals(), right = b.intervals();
    Set common;
    for (auto x = left.begin(), y = right.begin(); x != left.end() && y != right.end();) {
      const std::uint32_t low = std::max(x->low, y->low), high = std::min(x->high, y->high);
      if (low <= high) common.append({low, high});
      if (x->high < y->high) ++x;
      else ++y;
    }
    return common;
  }
  friend Set operator-(const Set& a, const Set& b) {
    const auto out = b.intervals();
    Set rest;
    auto y = out.begin();
    for (Interval x : a.intervals()) {
      while (y != out.end() && y->high < x.low) ++y;
      bool is_left = true;  // some of the interval, from x.low on
      for (; is_left && y != out.end() && y->low <= x.high; y += is_left) {
        if (y->low > x.low) rest.append({x.low, y->low - 1});
        is_left = y->high < x.high;
        if (is_left) x.low = y->high + 1;
      }
      if (is_left) rest.append(x);
    }
    return rest;
  }

  bool operator==(const Set& other) const { return std::ranges::equal(intervals(), other.intervals()); }

 private:
  static constexpr std::size_t most_few = 4;

  static bool touches(const Interval& before, const Interval& next) {
    return before.high == 0xffffffff || next.low <= before.high + 1;
  }

  /// Adds an interval that begins no earlier than those there.
  void append(Interval next) {
    Interval* const last = few_count_ ? &few_[few_count_ - 1] : many_.empty() ? nullptr : &many_.back();
    if (last && touches(*last, next)) {
      last->high = std::max(last->high, next.high);
    } else if (few_count_ < most_few && many_.empty()) {
      few_[few_count_++] = next;
    } else {
      append_to_many(next);
    }
  }

  void append_to_many(Interval next) {
    if (many_.empty()) many_.assign(few_.begin(), few_.end());
    few_count_ = 0;
    many_.push_back(next);
  }

  /// The first interval that does not end before k.
  std::span<const Interval>::iterator first_up_to(std::uint32_t k) const {
    const auto all = intervals();
    return std::partition_point(all.begin(), all.end(), [&](const Interval& i) { return i.high < k; });
  }

  std::array<Interval, most_few> few_;
  std::uint32_t few_count_ = 0;   ///< 0 where there are many
  std::vector<Interval> many_;    ///< all of them, where they are more than `most_few`
};

/// Comparisons that it takes to ask for intervals, one after the other, of a number that lies in a domain.
inline std::size_t comparisons(std::span<const Interval> intervals, Interval domain) {
  std::size_t n = 0;
  for (const Interval i : intervals) n += i.low == i.high || i.low <= domain.low || i.high >= domain.high ? 1 : 2;
  return n;
}

/// Comparisons that it takes to ask for what is left of a domain.
inline std::size_t comparisons_of_rest(std::span<const Interval> intervals, Interval domain) {
  std::size_t n = 0;
  std::uint64_t next = domain.low;  // behind the interval before
  for (const Interval i : intervals) {
    if (i.low > domain.high) break;
    if (i.low > next) n += next == domain.low || next + 1 == i.low ? 1 : 2;
    next = std::max(next, std::uint64_t{i.high} + 1);
  }
  return next <= domain.high ? n + 1 : n;
}

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
