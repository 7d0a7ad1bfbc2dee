#include "cli/verdicts.hpp"

#include <algorithm>
#include <bit>

namespace weir::cli {
namespace {

constexpr std::size_t word_bits = 64;

}  // namespace

void Verdicts::judge(const Filter& filter, std::span<const PacketView> packets, bool inverted) {
  count_ = packets.size();
  words_.resize((count_ + word_bits - 1) / word_bits);
  kept_ = filter.match_batch(packets, words_);
  if (!inverted) return;
  for (std::uint64_t& word : words_) word = ~word;
  if (const std::size_t in_last = count_ % word_bits; in_last != 0) words_.back() &= (std::uint64_t{1} << in_last) - 1;
  kept_ = count_ - kept_;
}

std::size_t Verdicts::limit(std::uint64_t most) {
  if (kept_ < most) return count_;
  std::size_t end = 0;
  for (std::uint64_t left = most; left > 0; --left) end = next(end, true) + 1;
  for (std::size_t i = next(end, true); i < count_; i = next(i, true)) words_[i / word_bits] &= ~(std::uint64_t{1} << i % word_bits);
  kept_ = most;
  return end;
}

std::optional<Verdicts::Run> Verdicts::run(std::size_t from) const {
  const std::size_t first = next(from, true);
  if (first == count_) return std::nullopt;
  return Run{first, next(first, false)};
}

/// The first packet from there on that is kept, or is not; count_ when there is none.
std::size_t Verdicts::next(std::size_t from, bool kept) const {
  for (std::size_t i = from / word_bits; i < words_.size(); ++i) {
    std::uint64_t word = kept ? words_[i] : ~words_[i];
    if (i == from / word_bits) word &= ~std::uint64_t{0} << from % word_bits;
    if (word != 0) return std::min(count_, i * word_bits + static_cast<std::size_t>(std::countr_zero(word)));
  }
  return count_;
}

}  // namespace weir::cli
