// Numbers of a byte, a bit each: sets with many holes, as masks make them, in a few words.
// Tested by tests/unit/base/set_test.cc.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/interval.hpp"

namespace weir {

class ByteSet {
 public:
  static constexpr std::uint32_t last = 0xff;
  static constexpr std::size_t word_count = 4;
  using Words = std::array<std::uint64_t, word_count>;

  constexpr ByteSet() = default;
  constexpr explicit ByteSet(const Words& words) : words_(words) {}
  /// What of an interval is numbers of a byte.
  constexpr explicit ByteSet(Interval i) {
    if (i.low > last) return;
    for (std::uint32_t w = i.low / 64, end = std::min(i.high, last) / 64; w <= end; ++w) words_[w] = ~std::uint64_t{0};
    words_[i.low / 64] &= ~std::uint64_t{0} << i.low % 64;
    if (i.high < last) words_[i.high / 64] &= ~std::uint64_t{0} >> (63 - i.high % 64);
  }
  /// The numbers of which the bits under a mask are these.
  static constexpr ByteSet of_bits(std::uint32_t mask, std::uint32_t bits) {
    constexpr std::array<std::uint64_t, 6> in_word = {0xaaaaaaaaaaaaaaaa, 0xcccccccccccccccc, 0xf0f0f0f0f0f0f0f0,
                                                      0xff00ff00ff00ff00, 0xffff0000ffff0000, 0xffffffff00000000};
    std::uint64_t each = ~std::uint64_t{0};
    for (std::uint32_t b = 0; b < in_word.size(); ++b)
      if (mask >> b & 1) each &= bits >> b & 1 ? in_word[b] : ~in_word[b];
    ByteSet s;
    for (std::uint32_t w = 0; w < word_count; ++w)
      if (((w << 6 ^ bits) & mask & 0xc0) == 0) s.words_[w] = each;
    return s;
  }

  constexpr const Words& words() const { return words_; }
  constexpr bool operator==(const ByteSet&) const = default;
  constexpr bool contains(std::uint32_t k) const { return k <= last && (words_[k / 64] >> k % 64 & 1) != 0; }
  constexpr bool empty() const { return (words_[0] | words_[1] | words_[2] | words_[3]) == 0; }
  /// Counted for all words at once: std::popcount calls a function a word where the processor may lack the instruction.
  constexpr std::uint32_t size() const {
    constexpr std::uint64_t pairs = 0x5555555555555555, fours = 0x3333333333333333, bytes = 0x0f0f0f0f0f0f0f0f, shorts = 0x00ff00ff00ff00ff;
    std::uint64_t sum = 0;  // by byte
    for (std::uint64_t w : words_) {
      w -= w >> 1 & pairs;
      w = (w & fours) + (w >> 2 & fours);
      sum += (w + (w >> 4)) & bytes;
    }
    sum = (sum & shorts) + (sum >> 8 & shorts);
    return static_cast<std::uint32_t>(sum * 0x0001000100010001 >> 48);
  }
  /// Whether there are more than so many, a few.
  constexpr bool has_more_than(std::uint32_t few) const {
    for (std::uint64_t w : words_)
      for (; w != 0; w &= w - 1)
        if (few-- == 0) return true;
    return false;
  }

  /// Of a set that is not empty.
  constexpr std::uint32_t low() const {
    std::uint32_t w = 0;
    while (words_[w] == 0) ++w;
    return 64 * w + static_cast<std::uint32_t>(std::countr_zero(words_[w]));
  }
  constexpr std::uint32_t high() const {
    std::uint32_t w = word_count - 1;
    while (words_[w] == 0) --w;
    return 64 * w + 63 - static_cast<std::uint32_t>(std::countl_zero(words_[w]));
  }

  friend constexpr ByteSet operator&(ByteSet a, const ByteSet& b) {
    for (std::size_t w = 0; w < word_count; ++w) a.words_[w] &= b.words_[w];
    return a;
  }
  friend constexpr ByteSet operator|(ByteSet a, const ByteSet& b) {
    for (std::size_t w = 0; w < word_count; ++w) a.words_[w] |= b.words_[w];
    return a;
  }
  friend constexpr ByteSet operator-(ByteSet a, const ByteSet& b) {
    for (std::size_t w = 0; w < word_count; ++w) a.words_[w] &= ~b.words_[w];
    return a;
  }

  /// Where intervals begin, and where they end.
  constexpr ByteSet lows() const {
    ByteSet s = *this;
    for (std::size_t w = 0; w < word_count; ++w) s.words_[w] &= ~(words_[w] << 1 | (w == 0 ? 0 : words_[w - 1] >> 63));
    return s;
  }
  constexpr ByteSet highs() const {
    ByteSet s = *this;
    for (std::size_t w = 0; w < word_count; ++w) s.words_[w] &= ~(words_[w] >> 1 | (w + 1 == word_count ? 0 : words_[w + 1] << 63));
    return s;
  }

  /// Calls `use` with each member, ascending.
  template <class Use>
  constexpr void each_number(const Use& use) const {
    for (std::uint32_t w = 0; w < word_count; ++w)
      for (std::uint64_t left = words_[w]; left != 0; left &= left - 1) use(64 * w + static_cast<std::uint32_t>(std::countr_zero(left)));
  }

 private:
  Words words_{};
};

}  // namespace weir
