#include "prove/terms.hpp"

#include <algorithm>
#include <bit>

namespace weir::prove {
namespace {

constexpr std::uint32_t top = 0xffffffff;

std::uint64_t hash_term(const Term& t) {
  const std::uint64_t head = static_cast<std::uint64_t>(t.kind) | static_cast<std::uint64_t>(t.detail) << 8;
  return mix(mix(0, head, t.k), static_cast<std::uint32_t>(t.a), static_cast<std::uint32_t>(t.b));
}

/// The smallest 2^n - 1 that is not below v.
std::uint32_t all_ones(std::uint32_t v) { return v ? top >> std::countl_zero(v) : 0; }

Interval fitting(std::uint64_t low, std::uint64_t high) {
  if (high > top) return {};
  return {static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(high)};
}

/// What a result lies between. The optimizer has rules of its own for that, and shares none with us on purpose: a proof is to
/// notice where they are wrong.
Interval bounds_of(Arith op, Interval a, Interval b) {
  const bool fixed = b.low == b.high;
  switch (op) {
    case Arith::Add: return fitting(std::uint64_t{a.low} + b.low, std::uint64_t{a.high} + b.high);
    case Arith::Sub: return a.low >= b.high ? Interval{a.low - b.high, a.high - b.low} : Interval{};
    case Arith::Mul: return fitting(std::uint64_t{a.low} * b.low, std::uint64_t{a.high} * b.high);
    case Arith::Div: return b.low == 0 ? Interval{} : Interval{a.low / b.high, a.high / b.low};  // by zero: anything
    case Arith::Mod: return b.low == 0 ? Interval{} : Interval{0, std::min(a.high, b.high - 1)};
    case Arith::And: return {0, std::min(a.high, b.high)};
    case Arith::Or: return {std::max(a.low, b.low), all_ones(a.high | b.high)};
    case Arith::Xor: return {0, all_ones(a.high | b.high)};
    case Arith::Lsh:
      return fixed && b.low < 32 ? fitting(std::uint64_t{a.low} << b.low, std::uint64_t{a.high} << b.low) : Interval{};
    case Arith::Rsh: return fixed && b.low < 32 ? Interval{a.low >> b.low, a.high >> b.low} : Interval{0, a.high};
  }
  return {};
}

bool commutes(Arith op) {
  return op == Arith::Add || op == Arith::Mul || op == Arith::And || op == Arith::Or || op == Arith::Xor;
}

/// All v with v + k in the set.
Set before_adding(const Set& set, std::uint32_t k) {
  std::vector<Interval> parts;
  for (const Interval i : set.intervals()) {
    const std::uint32_t low = i.low - k, high = i.high - k;
    if (low <= high) {
      parts.push_back({low, high});
    } else {
      parts.push_back({low, top});
      parts.push_back({0, high});
    }
  }
  return Set::join(std::move(parts));
}

/// All v whose value without the low bits, which number `bits`, is in the set.
Set before_masking(const Set& set, int bits) {
  const std::uint64_t step = std::uint64_t{1} << bits;
  std::vector<Interval> parts;
  for (const Interval i : set.intervals()) {
    const std::uint64_t low = (i.low + step - 1) & ~(step - 1), high = i.high & ~(step - 1);
    if (low <= high) parts.push_back({static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(high + step - 1)});
  }
  return Set::join(std::move(parts));
}

/// All v with v >> bits in the set.
Set before_shifting_right(const Set& set, std::uint32_t bits) {
  const std::uint32_t most = top >> bits;
  std::vector<Interval> parts;
  for (const Interval i : set.intervals())
    if (i.low <= most) parts.push_back({i.low << bits, (std::min(i.high, most) << bits) | ((std::uint32_t{1} << bits) - 1)});
  return Set::join(std::move(parts));
}

/// All v with v << bits in the set, of those whose shift loses nothing.
Set before_shifting_left(const Set& set, std::uint32_t bits) {
  const std::uint64_t step = std::uint64_t{1} << bits;
  std::vector<Interval> parts;
  for (const Interval i : set.intervals()) {
    const std::uint64_t low = (i.low + step - 1) >> bits, high = i.high >> bits;
    if (low <= high) parts.push_back({static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(high)});
  }
  return Set::join(std::move(parts));
}

/// All v so that with as many bytes from an offset on, plus one, those from k behind it on, plus one, number what the set has.
Set room_before(const Set& set, std::uint32_t k) {
  std::vector<Interval> parts;
  if (set.contains(0)) parts.push_back({0, k});
  for (const Interval i : set.intervals()) {
    const std::uint64_t low = std::uint64_t{std::max(i.low, 1u)} + k, high = std::min<std::uint64_t>(std::uint64_t{i.high} + k, top);
    if (low <= high) parts.push_back({static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(high)});
  }
  return Set::join(std::move(parts));
}

/// How many low bits a mask clears, when clearing them is all it does to numbers up to `most`.
std::optional<int> clears_low_bits(std::uint32_t mask, std::uint32_t most) {
  const std::uint32_t cleared = all_ones(most) & ~mask;
  if ((cleared & (cleared + 1)) != 0) return std::nullopt;
  return std::popcount(cleared);
}

}  // namespace

TermId Terms::add(const Term& t) {
  const std::uint32_t id = index_.intern(terms_, t, hash_term);
  if (id == ranges_.size()) ranges_.push_back(bounds(t));
  return TermId{id};
}

Interval Terms::bounds(const Term& t) const {
  switch (t.kind) {
    case TermKind::Constant: return {t.k, t.k};
    case TermKind::Load: return {0, static_cast<std::uint32_t>((std::uint64_t{1} << 8 * t.detail) - 1)};
    case TermKind::Binary: return bounds_of(t.arith(), range(t.a), range(t.b));
    case TermKind::Compare: return {0, 1};
    case TermKind::Room: return static_cast<Bytes>(t.detail) == Bytes::Captured ? Interval{0, longest_packet + 1} : Interval{};
    case TermKind::Length:
    case TermKind::Meta: return {};
  }
  return {};
}

std::optional<std::uint32_t> Terms::constant_of(TermId id) const {
  const Term& t = (*this)[id];
  return t.kind == TermKind::Constant ? std::optional(t.k) : std::nullopt;
}

TermId Terms::load(std::uint32_t size, TermId address) {
  return add({.kind = TermKind::Load, .detail = static_cast<std::uint8_t>(size), .a = address});
}

TermId Terms::room(Bytes of, TermId offset) {
  return add({.kind = TermKind::Room, .detail = static_cast<std::uint8_t>(of), .a = offset});
}

TermId Terms::compare(Relation op, TermId a, TermId b) {
  const auto x = constant_of(a), y = constant_of(b);
  if (x && y) return constant(holds(op, *x, *y));
  if ((op == Relation::Equal || op == Relation::Bits) && b < a) std::swap(a, b);
  if (op == Relation::GreaterEqual && a == b) return constant(1);
  if (op == Relation::Greater && a == b) return constant(0);
  if (op == Relation::Equal && a == b) return constant(1);
  return add({.kind = TermKind::Compare, .detail = static_cast<std::uint8_t>(op), .a = a, .b = b});
}

std::optional<std::pair<TermId, std::uint32_t>> Terms::split_sum(TermId id) const {
  const Term& t = (*this)[id];
  if (t.kind != TermKind::Binary || t.arith() != Arith::Add) return std::nullopt;
  const auto k = constant_of(t.b);
  return k ? std::optional(std::pair(t.a, *k)) : std::nullopt;
}

TermId Terms::binary(Arith op, TermId a, TermId b) {
  if (commutes(op) && (constant_of(a) || (!constant_of(b) && b < a))) std::swap(a, b);
  if (const auto k = constant_of(b)) return with_constant(op, a, *k);
  if (op == Arith::Add) {  // constants come last
    if (const auto sum = split_sum(a)) return with_constant(op, binary(op, sum->first, b), sum->second);
    if (const auto sum = split_sum(b)) return with_constant(op, binary(op, a, sum->first), sum->second);
  }
  if (a == b && (op == Arith::Sub || op == Arith::Xor)) return constant(0);
  if (a == b && (op == Arith::And || op == Arith::Or)) return a;
  return add({.kind = TermKind::Binary, .detail = static_cast<std::uint8_t>(op), .a = a, .b = b});
}

/// The upper half of a product of two bytes and 0x1000100: the second of them, then the first.
std::optional<TermId> Terms::little_endian(const Term& product) {
  if (product.kind != TermKind::Binary || product.arith() != Arith::Mul || constant_of(product.b) != 0x01000100u) return std::nullopt;
  const Term bytes = (*this)[product.a];
  if (bytes.kind != TermKind::Load || bytes.detail != 2) return std::nullopt;
  const TermId low = load(1, bytes.a), high = load(1, with_constant(Arith::Add, bytes.a, 1));
  return binary(Arith::Or, low, with_constant(Arith::Lsh, high, 8));
}

/// a OP k. Each rule replaces an operation with a simpler one, so this ends.
TermId Terms::with_constant(Arith op, TermId a, std::uint32_t k) {
  const bool divides = op == Arith::Div || op == Arith::Mod;
  if (divides && k == 0) return constant(0);
  if (const auto x = constant_of(a)) return constant(apply(op, *x, k).value_or(0));
  const Term left = (*this)[a];
  const bool nested = left.kind == TermKind::Binary && left.arith() == op && constant_of(left.b);
  const std::uint32_t inner = nested ? *constant_of(left.b) : 0;
  const auto power = static_cast<std::uint32_t>(std::countr_zero(k));
  switch (op) {
    case Arith::Sub: return with_constant(Arith::Add, a, 0 - k);
    case Arith::Add:
      if (k == 0) return a;
      if (nested) return with_constant(op, left.a, inner + k);
      break;
    case Arith::Mul:
      if (k == 0) return constant(0);
      if (std::has_single_bit(k)) return with_constant(Arith::Lsh, a, power);
      break;
    case Arith::Div:
      if (std::has_single_bit(k)) return with_constant(Arith::Rsh, a, power);
      break;
    case Arith::Mod:
      if (std::has_single_bit(k)) return with_constant(Arith::And, a, k - 1);
      break;
    case Arith::And:
      if (nested) return with_constant(op, left.a, inner & k);
      if ((all_ones(range(a).high) & k) == 0) return constant(0);
      if ((all_ones(range(a).high) & ~k) == 0) return a;
      break;
    case Arith::Or:
      if (nested) return with_constant(op, left.a, inner | k);
      if (k == 0) return a;
      break;
    case Arith::Xor:
      if (nested) return with_constant(op, left.a, inner ^ k);
      if (k == 0) return a;
      break;
    case Arith::Lsh:
    case Arith::Rsh:
      if (k >= 32) return constant(0);
      if (k == 0) return a;
      if (nested) return inner + k < 32 ? with_constant(op, left.a, inner + k) : constant(0);
      if (op == Arith::Rsh && k == 16)
        if (const auto swapped = little_endian(left)) return *swapped;
      break;
  }
  const TermId right = constant(k);
  return add({.kind = TermKind::Binary, .detail = static_cast<std::uint8_t>(op), .a = a, .b = right});
}

std::optional<std::pair<TermId, Set>> Terms::against_constant(TermId comparison) const {
  const Term& t = (*this)[comparison];
  if (t.kind != TermKind::Compare) return std::nullopt;
  const auto op = static_cast<Relation>(t.detail);
  const auto left = constant_of(t.a), right = constant_of(t.b);
  if (!left && !right) return std::nullopt;
  const std::uint32_t k = left ? *left : *right;
  const TermId other = left ? t.b : t.a;
  Set numbers;  // with which the comparison holds
  switch (op) {
    case Relation::Equal: numbers = Set::of(k); break;
    case Relation::Greater:
      if (left && k > 0) numbers = Set(Interval{0, k - 1});
      if (right && k < top) numbers = Set(Interval{k + 1, top});
      break;
    case Relation::GreaterEqual: numbers = left ? Set(Interval{0, k}) : Set(Interval{k, top}); break;
    case Relation::Bits: return std::nullopt;
  }
  return std::pair(other, std::move(numbers));
}

/// The byte that a term is, or that constants have made it from.
std::optional<TermId> Terms::byte_below(TermId t) const {
  while (range(t).high > 0xff) {
    const Term& term = (*this)[t];
    if (term.kind != TermKind::Binary || !constant_of(term.b)) return std::nullopt;
    t = term.a;
  }
  return t;
}

/// What constants make of a byte; nothing where they divide it by 0.
std::optional<std::uint32_t> Terms::made_of(std::uint32_t v, TermId byte, TermId t) const {
  if (t == byte) return v;
  const Term& term = (*this)[t];
  const auto inner = made_of(v, byte, term.a);
  return inner ? apply(term.arith(), *inner, *constant_of(term.b)) : std::nullopt;
}

/// All that a byte may be so that the term made from it is in the set.
Set Terms::bytes_before(const Set& set, TermId t, TermId byte) const {
  std::vector<Interval> parts;
  for (std::uint32_t v = 0; v <= 0xff; ++v)
    if (const auto result = made_of(v, byte, t); result && set.contains(*result)) parts.push_back({v, v});
  return Set::join(std::move(parts));
}

std::pair<TermId, Set> Terms::peeled(TermId t, Set set) {
  for (;;) {
    const Term term = (*this)[t];
    if (term.kind == TermKind::Room) {
      const auto sum = split_sum(term.a);
      if (!sum || std::uint64_t{range(sum->first).high} + sum->second > top) return {t, std::move(set)};
      set = room_before(set, sum->second);
      t = room(static_cast<Bytes>(term.detail), sum->first);
      continue;
    }
    const auto k = term.kind == TermKind::Binary ? constant_of(term.b) : std::nullopt;
    if (!k) return {t, std::move(set)};
    const Interval inner = range(term.a);
    const auto cleared = term.arith() == Arith::And ? clears_low_bits(*k, inner.high) : std::nullopt;
    if (inner.high > 0xff && term.arith() == Arith::Add) {
      set = before_adding(set, *k);
    } else if (inner.high > 0xff && cleared) {
      set = before_masking(set, *cleared);
    } else if (inner.high > 0xff && term.arith() == Arith::Rsh) {
      set = before_shifting_right(set, *k);
    } else if (inner.high > 0xff && term.arith() == Arith::Lsh && std::uint64_t{inner.high} << *k <= top) {
      set = before_shifting_left(set, *k);
    } else {
      const auto byte = byte_below(term.a);
      if (!byte) return {t, std::move(set)};
      set = bytes_before(set, t, *byte);
      t = *byte;
      continue;
    }
    t = term.a;
  }
}

}  // namespace weir::prove
