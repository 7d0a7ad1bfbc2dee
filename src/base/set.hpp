// Sets of unsigned 32-bit numbers as ordered intervals: what a value may be, or what a list of addresses names.
// Tested by tests/unit/base/set_test.cc.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/byte_set.hpp"
#include "base/interval.hpp"

namespace weir {

/// Intervals in ascending order that neither overlap nor touch, so that equal sets are equal. A value: copying copies.
/// Most sets are what one comparison asks for: a few intervals live in the object itself, without heap memory, and so do more of
/// numbers of a byte, a bit each: what a mask asks for may have 128.
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
    if (end <= most_few) {
      for (const Interval i : parts) s.few_[s.few_count_++] = i;
      return s;
    }
    if (parts.back().high <= ByteSet::last) s.become(united(parts));
    s.many_ = std::move(parts);
    return s;
  }
  /// Numbers of a byte.
  static Set of(const ByteSet& bytes) {
    Set s;
    if (bytes.lows().has_more_than(most_few)) s.become(bytes);
    else each_interval(bytes, [&](Interval i) { s.few_[s.few_count_++] = i; });
    return s;
  }

  /// Inside the set: they live no longer, and move with it. Those of a byte are written down when they are asked for first.
  std::span<const Interval> intervals() const {
    if (few_count_ <= most_few && many_.empty()) return {few_.data(), few_count_};
    if (many_.empty()) write_down();
    return many_;
  }
  /// How many intervals.
  std::size_t count() const { return is_of_bytes() ? bytes().lows().size() : many_.empty() ? few_count_ : many_.size(); }
  /// From here on threads may share it.
  void settle() const { (void)intervals(); }
  bool empty() const { return few_count_ == 0 && many_.empty(); }
  bool is_everything() const { return few_count_ == 1 && few_[0] == Interval{}; }
  std::uint32_t low() const { return is_of_bytes() ? bytes().low() : intervals().front().low; }    ///< of a set that is not empty
  std::uint32_t high() const { return is_of_bytes() ? bytes().high() : intervals().back().high; }  ///< of a set that is not empty
  /// The number that is all of the set.
  std::optional<std::uint32_t> only() const {
    return few_count_ == 1 && few_[0].low == few_[0].high ? std::optional(few_[0].low) : std::nullopt;
  }
  /// How many numbers: up to 2^32.
  std::uint64_t size() const {
    if (is_of_bytes()) return bytes().size();
    std::uint64_t n = 0;
    for (const Interval i : intervals()) n += i.size();
    return n;
  }

  bool contains(std::uint32_t k) const {
    return few_count_ == 1 ? few_[0].low <= k && k <= few_[0].high : is_among(k);
  }
  /// Whether some, or all, of an interval is in the set. O(log n).
  bool meets(Interval with) const {
    if (few_count_ == 1) return few_[0].low <= with.high && with.low <= few_[0].high;
    if (is_of_bytes()) return !(bytes() & ByteSet(with)).empty();
    const auto i = first_up_to(with.low);
    return i != intervals().end() && i->low <= with.high;
  }
  bool covers(Interval inner) const {
    if (few_count_ == 1) return few_[0].low <= inner.low && inner.high <= few_[0].high;
    if (is_of_bytes()) return inner.high <= ByteSet::last && (ByteSet(inner) - bytes()).empty();
    const auto i = first_up_to(inner.low);
    return i != intervals().end() && i->low <= inner.low && inner.high <= i->high;
  }
  /// The same of a set.
  bool meets(const Set& with) const {
    if (is_of_bytes() || with.is_of_bytes()) return !(within_byte() & with.within_byte()).empty();
    return std::ranges::any_of(intervals(), [&](const Interval& i) { return with.meets(i); });
  }
  bool covers(const Set& inner) const {
    if (inner.is_of_bytes()) return (inner.bytes() - within_byte()).empty();
    return std::ranges::all_of(inner.intervals(), [&](const Interval& i) { return covers(i); });
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
    if (a.is_of_bytes() ? b.is_within_byte() : b.is_of_bytes() && a.is_within_byte()) [[unlikely]] return joined_bytes(a, b);
    const auto x = a.intervals(), y = b.intervals();
    Set any;
    if (x.size() + y.size() > 2 * most_few) any.many_.reserve(x.size() + y.size());
    for (auto i = x.begin(), j = y.begin(); i != x.end() || j != y.end();)
      any.append(j == y.end() || (i != x.end() && i->low <= j->low) ? *i++ : *j++);
    return any;
  }
  friend Set operator&(const Set& a, const Set& b) {
    if (a.few_count_ == 1 && b.few_count_ == 1) {
      const std::uint32_t low = std::max(a.few_[0].low, b.few_[0].low), high = std::min(a.few_[0].high, b.few_[0].high);
      return low <= high ? Set(Interval{low, high}) : Set();
    }
    if (a.is_of_bytes() || b.is_of_bytes()) [[unlikely]] return common_bytes(a, b);
    if (!a.many_.empty() && b.few_count_ == 1 && b.few_[0].low <= a.low() && a.high() <= b.few_[0].high) return a;
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
    if (a.is_of_bytes() || (b.is_of_bytes() && a.is_within_byte())) [[unlikely]] return other_bytes(a, b);
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

  bool operator==(const Set& other) const {
    if (is_of_bytes() || other.is_of_bytes()) return few_count_ == other.few_count_ && bytes() == other.bytes();
    return std::ranges::equal(intervals(), other.intervals());
  }

  /// Comparisons that it takes to ask for it, one after the other, of a number that lies in a domain.
  std::size_t comparisons(Interval domain) const;
  /// The same for what it leaves of the domain.
  std::size_t comparisons_of_rest(Interval domain) const;
  friend std::uint64_t hash(const Set& s);

 private:
  static constexpr std::size_t most_few = 4;
  static constexpr std::uint32_t of_bytes = most_few + 1;

  static bool touches(const Interval& before, const Interval& next) {
    return before.high == 0xffffffff || next.low <= before.high + 1;
  }

  // ---- numbers of a byte ---------------------------------------------------------------------------------

  bool is_of_bytes() const { return few_count_ == of_bytes; }
  ByteSet bytes() const { return ByteSet(std::bit_cast<ByteSet::Words>(few_)); }
  void become(const ByteSet& bytes) {
    few_ = std::bit_cast<std::array<Interval, most_few>>(bytes.words());
    few_count_ = of_bytes;
  }
  static ByteSet united(std::span<const Interval> intervals) {
    ByteSet all;
    for (const Interval i : intervals) {
      if (i.low > ByteSet::last) break;
      all = all | ByteSet(i);
    }
    return all;
  }
  /// What of it is numbers of a byte, and whether it is no others.
  ByteSet within_byte() const { return is_of_bytes() ? bytes() : united(intervals()); }
  bool is_within_byte() const { return is_of_bytes() || empty() || intervals().back().high <= ByteSet::last; }

  [[gnu::noinline]] static Set joined_bytes(const Set& a, const Set& b) { return of(a.within_byte() | b.within_byte()); }
  [[gnu::noinline]] static Set common_bytes(const Set& a, const Set& b) { return of(a.within_byte() & b.within_byte()); }
  [[gnu::noinline]] static Set other_bytes(const Set& a, const Set& b) { return of(a.within_byte() - b.within_byte()); }

  template <class Use>
  static void each_interval(const ByteSet& bytes, const Use& use) {
    std::uint32_t next = 0;
    bytes.lows().each_number([&](std::uint32_t low) {
      for (next = low; bytes.contains(next + 1); ++next) {}
      use(Interval{low, next});
    });
  }
  [[gnu::noinline]] void write_down() const {
    many_.reserve(count());
    each_interval(bytes(), [&](Interval i) { many_.push_back(i); });
  }

  // ---- building ------------------------------------------------------------------------------------------

  /// Adds an interval that begins no earlier than those there.
  void append(Interval next) {
    if (few_count_ == 0 && !many_.empty() && !touches(many_.back(), next)) return many_.push_back(next);
    if (few_count_ > most_few || !many_.empty()) return append_to_many(next);
    Interval* const last = few_count_ ? &few_[few_count_ - 1] : nullptr;
    if (last && touches(*last, next)) last->high = std::max(last->high, next.high);
    else if (few_count_ < most_few) few_[few_count_++] = next;
    else append_to_many(next);
  }

  [[gnu::noinline]] void append_to_many(Interval next) {
    if (next.high <= ByteSet::last && (is_of_bytes() || many_.empty())) return become(within_byte() | ByteSet(next));
    if (many_.empty()) few_count_ <= most_few ? many_.assign(few_.begin(), few_.begin() + few_count_) : write_down();
    few_count_ = 0;
    if (!many_.empty() && touches(many_.back(), next)) many_.back().high = std::max(many_.back().high, next.high);
    else many_.push_back(next);
  }

  [[gnu::noinline]] bool is_among(std::uint32_t k) const {
    if (is_of_bytes()) return bytes().contains(k);
    const auto i = first_up_to(k);
    return i != intervals().end() && i->low <= k;
  }
  /// The first interval that does not end before k.
  std::span<const Interval>::iterator first_up_to(std::uint32_t k) const {
    const auto all = intervals();
    return std::partition_point(all.begin(), all.end(), [&](const Interval& i) { return i.high < k; });
  }

  std::array<Interval, most_few> few_;     ///< or the bits of bytes
  std::uint32_t few_count_ = 0;            ///< 0 where there are many
  mutable std::vector<Interval> many_;     ///< all of them, where they are more than `most_few`; of bytes once they are asked for
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

inline std::size_t Set::comparisons(Interval domain) const {
  if (!is_of_bytes() || low() < domain.low || high() > domain.high) return weir::comparisons(intervals(), domain);
  const ByteSet lows = bytes().lows(), highs = bytes().highs();
  const auto ends_with = [&](std::uint32_t last, std::uint32_t next) { return contains(last) && contains(next); };
  return 2 * lows.size() - (lows & highs).size() - ends_with(domain.low, domain.low + 1) - ends_with(domain.high, domain.high - 1);
}

inline std::size_t Set::comparisons_of_rest(Interval domain) const {
  return is_of_bytes() ? (Set(domain) - *this).comparisons(domain) : weir::comparisons_of_rest(intervals(), domain);
}

/// A number that depends on the elements alone, for tables of sets.
inline std::uint64_t hash(const Set& s) {
  std::uint64_t h = s.few_count_;
  const auto add = [&](std::uint64_t word) {
    h = (h ^ word) * 0x9e3779b97f4a7c15;
    h ^= h >> 32;
  };
  if (s.is_of_bytes())
    std::ranges::for_each(std::bit_cast<ByteSet::Words>(s.few_), add);
  else
    for (const Interval i : s.intervals()) add(i.low | std::uint64_t{i.high} << 32);
  return h;
}

}  // namespace weir
