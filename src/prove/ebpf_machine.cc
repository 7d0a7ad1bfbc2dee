#include "prove/ebpf_machine.hpp"

#include <algorithm>

namespace weir::prove {
namespace {

/// The low `bytes` of a number in opposite order.
std::uint32_t swapped(std::uint32_t k, std::uint32_t bytes) {
  return bytes == 2 ? (k & 0xff) << 8 | (k >> 8 & 0xff) : __builtin_bswap32(k);
}

bool is_bitwise(Arith op) { return op == Arith::And || op == Arith::Or || op == Arith::Xor; }

std::uint32_t low_mask(std::uint32_t bytes) { return bytes >= 4 ? 0xffffffff : (1u << 8 * bytes) - 1; }

}  // namespace

// ---- words --------------------------------------------------------------------------------------------

Scalar Words::loaded(Ref address, std::uint32_t size) {
  const auto part = [&](std::uint32_t from, std::uint32_t bytes) {
    const Ref at = from == 0 ? address : algebra_.binary(Arith::Add, address, algebra_.constant(from));
    return Word{algebra_.load(bytes, at), static_cast<std::uint8_t>(bytes == 1 ? 0 : bytes)};
  };
  return size == 8 ? Scalar{part(0, 4), part(4, 4), {}} : extended(part(0, size));
}

Ref Words::plain(Word w) {
  if (w.swapped == 0) return w.value;
  const auto byte = [&](std::uint32_t from, std::uint32_t to) {
    const Ref low = algebra_.binary(Arith::And, algebra_.binary(Arith::Rsh, w.value, algebra_.constant(8 * from)), algebra_.constant(0xff));
    return algebra_.binary(Arith::Lsh, low, algebra_.constant(8 * to));
  };
  Ref all = byte(0, w.swapped - 1u);
  for (std::uint32_t from = 1; from < w.swapped; ++from) all = algebra_.binary(Arith::Or, all, byte(from, w.swapped - 1u - from));
  return all;
}

bool Words::align(Word& a, Word& b) {
  if (a.swapped == b.swapped) return true;
  const auto turn = [&](Word& constant, std::uint32_t bytes) {
    if (!constant.known || (*constant.known & ~low_mask(bytes)) != 0) return false;
    constant = {algebra_.constant(swapped(*constant.known, bytes)), static_cast<std::uint8_t>(bytes), {}};
    return true;
  };
  if (b.swapped == 0) return turn(b, a.swapped);
  return a.swapped == 0 && turn(a, b.swapped);
}

Word Words::arith(Arith op, Word a, Word b) {
  if (a.known && b.known)
    if (const auto k = apply(op, *a.known, *b.known)) return constant(*k);
  if (op == Arith::And) {  // what is masked away need not fit the order
    if (b.known && a.swapped) b = constant(*b.known & low_mask(a.swapped));
    if (a.known && b.swapped) a = constant(*a.known & low_mask(b.swapped));
  }
  Word x = a, y = b;
  if (is_bitwise(op) && align(x, y)) return {algebra_.binary(op, x.value, y.value), x.swapped};
  return {algebra_.binary(op, plain(a), plain(b)), 0};
}

Word Words::swap(Word w, std::uint32_t bytes) {
  if (w.known) return constant(swapped(*w.known & low_mask(bytes), bytes));
  if (w.swapped == bytes) return {w.value, 0};
  return {low_bytes(plain_word(w), bytes).value, static_cast<std::uint8_t>(bytes)};
}

Word Words::low_bytes(Word w, std::uint32_t bytes) {
  if (bytes >= 4 || (w.swapped != 0 && w.swapped <= bytes)) return w;
  return arith(Arith::And, w, constant(low_mask(bytes)));
}

Word Words::choose(Ref truth, Word a, Word b) {
  if (a == b) return a;
  Word x = a, y = b;
  if (align(x, y)) return {algebra_.choose(truth, x.value, y.value), x.swapped};
  return {algebra_.choose(truth, plain(a), plain(b)), 0};
}

Ref Words::compare(Relation op, Word a, Word b) {
  if (op == Relation::Equal || op == Relation::Bits) {
    if (op == Relation::Bits && b.known && a.swapped) b = constant(*b.known & low_mask(a.swapped));
    if (op == Relation::Equal && b.known && (*b.known & ~low_mask(a.swapped ? a.swapped : 4u)) != 0) return algebra_.truth(false);
    Word x = a, y = b;
    if (align(x, y)) return algebra_.compare(op, x.value, y.value);
  }
  return algebra_.compare(op, plain(a), plain(b));
}

Ref Words::compare(Relation op, const Scalar& a, const Scalar& b) {
  if (a.high == b.high && a.high.known)
    return op == Relation::Bits && *a.high.known != 0 ? algebra_.truth(true) : compare(op, a.low, b.low);
  const Ref same = compare(Relation::Equal, a.high, b.high);
  switch (op) {
    case Relation::Equal: return algebra_.both(same, compare(op, a.low, b.low));
    case Relation::Bits: return algebra_.either(compare(op, a.high, b.high), compare(op, a.low, b.low));
    case Relation::Greater:
    case Relation::GreaterEqual: break;
  }
  return algebra_.either(compare(Relation::Greater, a.high, b.high), algebra_.both(same, compare(op, a.low, b.low)));
}

// ---- the stack ----------------------------------------------------------------------------------------

void Stack::put(Slot slot, Algebra& algebra) {
  std::vector<Slot> after;
  const auto at = [&](const Slot& old, std::int64_t from) {
    return Copied{algebra.binary(Arith::Add, std::get<Copied>(old.holds).address,
                                 algebra.constant(static_cast<std::uint32_t>(from - old.offset)))};
  };
  for (const Slot& old : slots_) {
    if (old.end() <= slot.offset || slot.end() <= old.offset) {
      after.push_back(old);
      continue;
    }
    if (!std::holds_alternative<Copied>(old.holds)) continue;
    if (old.offset < slot.offset) after.push_back({old.offset, static_cast<std::uint32_t>(slot.offset - old.offset), old.holds});
    if (slot.end() < old.end()) after.push_back({slot.end(), static_cast<std::uint32_t>(old.end() - slot.end()), at(old, slot.end())});
  }
  after.push_back(std::move(slot));
  std::ranges::sort(after, {}, &Slot::offset);
  slots_ = std::move(after);
}

const Slot* Stack::covering(std::int64_t offset, std::uint32_t size) const {
  for (const Slot& s : slots_)
    if (s.offset <= offset && offset + size <= s.end()) return &s;
  return nullptr;
}

std::optional<Word> Stack::read_word(std::int64_t offset, std::uint32_t size, Algebra& algebra) const {
  const Slot* slot = covering(offset, size);
  if (!slot) return std::nullopt;
  Words words(algebra);
  const auto from = static_cast<std::uint32_t>(offset - slot->offset);
  if (const auto* copied = std::get_if<Copied>(&slot->holds))
    return words.loaded(algebra.binary(Arith::Add, copied->address, algebra.constant(from)), size).low;
  const Scalar& stored = std::get<Scalar>(slot->holds);
  if (from % 4 != 0) return std::nullopt;
  return words.low_bytes(from == 0 ? stored.low : stored.high, size);
}

std::optional<Scalar> Stack::read(std::int64_t offset, std::uint32_t size, Algebra& algebra) const {
  Words words(algebra);
  if (size != 8) {
    const auto word = read_word(offset, size, algebra);
    return word ? std::optional(words.extended(*word)) : std::nullopt;
  }
  const auto low = read_word(offset, 4, algebra), high = read_word(offset + 4, 4, algebra);
  return low && high ? std::optional(Scalar{*low, *high, {}}) : std::nullopt;
}

}  // namespace weir::prove
