#include "native/set_plan.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include "native/bytes.hpp"

namespace weir::native {
namespace {

constexpr std::size_t most_compared = 3;       ///< comparisons in a row that are as fast as any table
constexpr std::size_t most_in_tree = 12;
constexpr std::uint32_t most_bits = 1 << 16;   ///< 8 KiB
constexpr std::uint32_t most_slots = 1 << 12;  ///< of a hash with one multiplication: 16 KiB

/// A generator of multipliers that gives the same ones for every build (SplitMix64).
class Multipliers {
 public:
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) | 1;
  }

 private:
  std::uint64_t state_ = 0;
};

/// Fills the slots: those of no element hold a key that belongs elsewhere.
void fill(SetPlan::Hash& h, const std::vector<std::uint32_t>& elements) {
  h.keys.assign(std::size_t{1} << h.slot_bits, elements.front());
  const std::uint32_t taken = h.slot(elements.front());
  for (const std::uint32_t x : elements) h.keys[h.slot(x)] = x;
  h.keys[taken] = elements.front();
}

/// One multiplication and one look: needs many slots, about n²/8.
std::optional<SetPlan::Hash> single(const std::vector<std::uint32_t>& elements) {
  std::vector<std::uint32_t> seen;  // by slot: the attempt that took it
  for (std::uint32_t bits = static_cast<std::uint32_t>(std::bit_width(elements.size() * 2)); 1u << bits <= most_slots; ++bits) {
    SetPlan::Hash h;
    h.slot_bits = bits;
    Multipliers multipliers;
    seen.assign(std::size_t{1} << bits, 0);
    for (std::uint32_t attempt = 1; attempt <= 200; ++attempt) {
      h.multiplier = multipliers.next() & 0xffffffff;
      const bool fits = std::ranges::all_of(elements, [&](std::uint32_t x) { return std::exchange(seen[h.slot(x)], attempt) != attempt; });
      if (!fits) continue;
      fill(h, elements);
      return h;
    }
  }
  return std::nullopt;
}

/// Places the elements of a bucket where no slot is taken; false when there is no such displacement.
bool place(SetPlan::Hash& h, std::uint32_t bucket, std::span<const std::uint32_t> elements, std::vector<bool>& taken) {
  const std::uint32_t most = std::min<std::uint32_t>(1u << h.slot_bits, 1u << 16);
  for (std::uint32_t d = 0; d < most; ++d) {
    h.displacements[bucket] = static_cast<std::uint16_t>(d);
    std::size_t placed = 0;
    while (placed < elements.size() && !taken[h.slot(elements[placed])]) taken[h.slot(elements[placed++])] = true;
    if (placed == elements.size()) return true;
    while (placed > 0) taken[h.slot(elements[--placed])] = false;
  }
  return false;
}

/// Hash and displace: two multiplications' worth of one product, a small table and a large one.
std::optional<SetPlan::Hash> displaced(std::vector<std::uint32_t> elements) {
  SetPlan::Hash h;
  h.slot_bits = static_cast<std::uint32_t>(std::bit_width(elements.size() * 5 / 4));
  h.bucket_bits = std::max(1u, h.slot_bits - 2);
  Multipliers multipliers;
  for (int attempt = 0; attempt < 40; ++attempt) {
    h.multiplier = multipliers.next();
    const auto bucket = [&](std::uint32_t x) { return static_cast<std::uint32_t>(x * h.multiplier >> (64 - h.bucket_bits)); };
    std::vector<std::uint32_t> starts((std::size_t{1} << h.bucket_bits) + 1);
    for (const std::uint32_t x : elements) ++starts[bucket(x) + 1];
    std::partial_sum(starts.begin(), starts.end(), starts.begin());
    std::vector<std::uint32_t> sorted(elements.size()), at(starts.begin(), starts.end() - 1), order(at.size());
    for (const std::uint32_t x : elements) sorted[at[bucket(x)]++] = x;
    std::iota(order.begin(), order.end(), 0u);
    const auto size = [&](std::uint32_t b) { return starts[b + 1] - starts[b]; };
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return std::pair(size(b), a) < std::pair(size(a), b); });
    h.displacements.assign(at.size(), 0);
    std::vector<bool> taken(std::size_t{1} << h.slot_bits);
    if (std::ranges::all_of(order, [&](std::uint32_t b) { return place(h, b, std::span(sorted).subspan(starts[b], size(b)), taken); })) {
      fill(h, elements);
      return h;
    }
  }
  return std::nullopt;
}

/// How many low bits make no difference to any interval.
std::uint32_t common_shift(std::span<const Interval> intervals) {
  std::uint32_t low_bits = 31;
  for (const Interval i : intervals)
    low_bits = std::min<std::uint32_t>(
        {low_bits, static_cast<std::uint32_t>(std::countr_zero(i.low)), static_cast<std::uint32_t>(std::countr_one(i.high))});
  return low_bits;
}

std::optional<SetPlan> plan_hash(const Set& set, std::uint32_t load_size) {
  const auto intervals = set.intervals();
  const std::uint32_t shift = common_shift(intervals);
  if (set.size() >> shift > 4 * intervals.size()) return std::nullopt;
  std::vector<std::uint32_t> elements;
  for (const Interval i : intervals)
    for (std::uint64_t x = i.low; x <= i.high; x += std::uint64_t{1} << shift)
      elements.push_back(load_size == 4 ? swapped(static_cast<std::uint32_t>(x), 4) : static_cast<std::uint32_t>(x >> shift));
  auto hash = elements.size() <= most_slots / 8 ? single(elements) : std::nullopt;
  if (!hash) hash = displaced(std::move(elements));
  if (!hash) return std::nullopt;
  hash->shift = shift;
  hash->raw = load_size == 4;
  return SetPlan{std::move(*hash)};
}

/// `swap`: the size of a load that can be compared as it lies in memory; 0 for others.
SetPlan plan_chain(std::span<const Interval> intervals, std::uint32_t swap, Interval domain) {
  SetPlan::Chain c{{intervals.begin(), intervals.end()}, swap != 0};
  for (Interval& i : c.intervals) {
    if (swap != 0) i.low = i.high = swapped(i.low, swap);
    else if (i.high == domain.high) i.high = 0xffffffff;
  }
  return {std::move(c)};
}

SetPlan plan_bits(const Set& set, std::uint32_t load_size, Interval domain, Tables tables) {
  SetPlan::Bits b;
  b.low = set.high() < 64 ? 0 : set.low();
  b.count = set.high() - b.low + 1;
  // Where there is a bit for each number, none has to be turned away, nor bytes to be put in order.
  b.raw = load_size == 2 && b.count > 2048 && tables == Tables::Fast;
  if (b.raw) b.low = 0, b.count = 1 << 16;
  b.whole = b.raw || (domain.low >= b.low && domain.high < std::uint64_t{b.low} + b.count);
  b.words.assign((b.count + 31) / 32, 0);
  for (const Interval i : set.intervals())
    for (std::uint64_t x = i.low; x <= i.high; ++x) {
      const std::uint32_t bit = b.raw ? swapped(static_cast<std::uint32_t>(x), 2) : static_cast<std::uint32_t>(x) - b.low;
      b.words[bit / 32] |= 1u << bit % 32;
    }
  return {std::move(b)};
}

SetPlan plan_search(const Set& set) {
  SetPlan::Search s;
  for (const Interval i : set.intervals()) {
    s.limits.push_back(i.low);
    if (i.high != 0xffffffff) s.limits.push_back(i.high + 1);
  }
  const std::size_t size = std::bit_ceil(s.limits.size() + 1) - 1;
  s.top_is_out = !set.contains(0xffffffff);
  s.limits.resize(size, 0xffffffff);
  return {std::move(s)};
}

}  // namespace

std::uint32_t SetPlan::Hash::slot(std::uint32_t x) const {
  if (bucket_bits == 0) return static_cast<std::uint32_t>(x * multiplier & 0xffffffff) >> (32 - slot_bits);
  const std::uint64_t product = x * multiplier;
  return static_cast<std::uint32_t>((product >> 24 ^ displacements[product >> (64 - bucket_bits)]) & ((std::uint64_t{1} << slot_bits) - 1));
}

SetPlan plan_set(const Set& all, std::uint32_t load_size, Interval domain, Tables tables) {
  const Set set = all & Set(domain);
  const auto intervals = set.intervals();
  const bool points = set.size() == intervals.size();
  if (comparisons(intervals, domain) <= most_compared) return plan_chain(intervals, points ? load_size : 0, domain);
  if (set.high() - set.low() < most_bits) return plan_bits(set, load_size, domain, tables);
  if (auto hash = plan_hash(set, load_size)) return std::move(*hash);
  if (intervals.size() <= most_in_tree) return {SetPlan::Tree{{intervals.begin(), intervals.end()}}};
  return plan_search(set);
}

bool wants_raw(const SetPlan& plan) {
  const auto is_raw = [](const auto& how) {
    if constexpr (requires { how.raw; }) return how.raw;
    else return false;
  };
  return std::visit(is_raw, plan.how);
}

bool is_straight(const SetPlan& plan) {
  if (const auto* c = std::get_if<SetPlan::Chain>(&plan.how)) return c->intervals.size() == 1;
  if (const auto* b = std::get_if<SetPlan::Bits>(&plan.how)) return b->whole;
  return std::holds_alternative<SetPlan::Hash>(plan.how);
}

std::vector<std::uint32_t> packed(std::span<const std::uint16_t> displacements) {
  std::vector<std::uint32_t> words((displacements.size() + 1) / 2);
  for (std::size_t i = 0; i < displacements.size(); ++i) words[i / 2] |= std::uint32_t{displacements[i]} << 16 * (i % 2);
  return words;
}

const SetPlans::Planned& SetPlans::of(const ir::Node& member) {
  const ir::Value& v = (*program_)[member.a];
  const std::uint32_t size = v.kind == ir::ValueKind::Load ? v.size() : 0;
  const std::uint64_t key = std::uint64_t{member.k} << 3 | size;
  const auto known = plans_.find(key);
  if (known != plans_.end()) return known->second;
  const auto table = static_cast<std::uint32_t>(2 * plans_.size());
  const Interval domain = size != 0 ? Interval{0, highest(size)} : Interval{};
  return plans_.emplace(key, Planned{plan_set(program_->set_of(member), size, domain, tables_), table}).first->second;
}

}  // namespace weir::native
