#include "ebpf/abstract_number.hpp"

#include <algorithm>
#include <bit>

#include "ebpf/arithmetic.hpp"

namespace weir::ebpf {
namespace {

using Unsigned = std::uint64_t;
using Signed = std::int64_t;
constexpr Unsigned most = std::numeric_limits<Unsigned>::max();
constexpr Unsigned sign_bit = Unsigned{1} << 63;
constexpr Unsigned half = 0xffffffff;

Signed as_signed(Unsigned v) { return static_cast<Signed>(v); }
Unsigned as_unsigned(Signed v) { return static_cast<Unsigned>(v); }

/// The bits that all numbers of a range have in common.
KnownBits bits_between(Unsigned low, Unsigned high) {
  const Unsigned differing = low ^ high;
  if (differing & sign_bit) return {};
  const Unsigned unknown = (Unsigned{1} << std::bit_width(differing)) - 1;
  return {low & ~unknown, unknown};
}

KnownBits sum(KnownBits a, KnownBits b) {
  const Unsigned unknowns = a.unknown + b.unknown, values = a.value + b.value;
  const Unsigned changed = (unknowns + values) ^ values;
  const Unsigned unknown = changed | a.unknown | b.unknown;
  return {values & ~unknown, unknown};
}

KnownBits difference(KnownBits a, KnownBits b) {
  const Unsigned values = a.value - b.value;
  const Unsigned changed = (values + a.unknown) ^ (values - b.unknown);
  const Unsigned unknown = changed | a.unknown | b.unknown;
  return {values & ~unknown, unknown};
}

KnownBits both(KnownBits a, KnownBits b) {
  const Unsigned ones = (a.value | a.unknown) & (b.value | b.unknown), value = a.value & b.value;
  return {value, ones & ~value};
}

KnownBits either(KnownBits a, KnownBits b) {
  const Unsigned value = a.value | b.value;
  return {value, (a.unknown | b.unknown) & ~value};
}

KnownBits exclusive(KnownBits a, KnownBits b) {
  const Unsigned unknown = a.unknown | b.unknown;
  return {(a.value ^ b.value) & ~unknown, unknown};
}

/// Trailing zeros of a product are those of its factors.
KnownBits product(KnownBits a, KnownBits b) {
  const int zeros = std::min(63, std::countr_zero(a.value | a.unknown) + std::countr_zero(b.value | b.unknown));
  return {0, most << zeros};
}

}  // namespace

AbstractNumber AbstractNumber::constant(Unsigned v) {
  AbstractNumber n;
  n.bits_ = {v, 0};
  n.low_ = n.high_ = v;
  n.lowest_ = n.highest_ = as_signed(v);
  return n;
}

AbstractNumber AbstractNumber::between(Unsigned low, Unsigned high) {
  AbstractNumber n;
  n.low_ = low;
  n.high_ = high;
  n.tighten();
  return n;
}

AbstractNumber AbstractNumber::of_bytes(std::uint32_t bytes) {
  return bytes == 8 ? AbstractNumber{} : between(0, (Unsigned{1} << bytes * 8) - 1);
}

AbstractNumber AbstractNumber::from(KnownBits bits) {
  AbstractNumber n;
  n.bits_ = bits;
  n.tighten();
  return n;
}

/// Each of the three says something of the others.
void AbstractNumber::tighten() {
  for (int round = 0; round < 2 && !is_empty(); ++round) {
    low_ = std::max(low_, bits_.value);
    high_ = std::min(high_, bits_.value | bits_.unknown);
    lowest_ = std::max(lowest_, as_signed(bits_.value | (bits_.unknown & sign_bit)));
    highest_ = std::min(highest_, as_signed(bits_.value | (bits_.unknown & ~sign_bit)));
    if (as_signed(low_) <= as_signed(high_)) {  // the range does not cross the sign
      lowest_ = std::max(lowest_, as_signed(low_));
      highest_ = std::min(highest_, as_signed(high_));
    }
    if (lowest_ <= highest_ && (lowest_ >= 0 || highest_ < 0)) {
      low_ = std::max(low_, as_unsigned(lowest_));
      high_ = std::min(high_, as_unsigned(highest_));
    }
    if (is_empty()) return;
    const KnownBits range = bits_between(low_, high_);
    if ((bits_.value ^ range.value) & ~bits_.unknown & ~range.unknown) {  // no number is both
      low_ = 1;
      high_ = 0;
      return;
    }
    const Unsigned unknown = bits_.unknown & range.unknown;
    bits_ = {(bits_.value | range.value) & ~unknown, unknown};
  }
}

bool AbstractNumber::contains(Unsigned v) const {
  return low_ <= v && v <= high_ && lowest_ <= as_signed(v) && as_signed(v) <= highest_ && ((v ^ bits_.value) & ~bits_.unknown) == 0;
}

bool AbstractNumber::covers(const AbstractNumber& o) const {
  return low_ <= o.low_ && o.high_ <= high_ && lowest_ <= o.lowest_ && o.highest_ <= highest_ &&
         (o.bits_.unknown & ~bits_.unknown) == 0 && ((o.bits_.value ^ bits_.value) & ~bits_.unknown) == 0;
}

AbstractNumber AbstractNumber::joined(const AbstractNumber& o) const {
  AbstractNumber n;
  const Unsigned unknown = bits_.unknown | o.bits_.unknown | (bits_.value ^ o.bits_.value);
  n.bits_ = {bits_.value & ~unknown, unknown};
  n.low_ = std::min(low_, o.low_);
  n.high_ = std::max(high_, o.high_);
  n.lowest_ = std::min(lowest_, o.lowest_);
  n.highest_ = std::max(highest_, o.highest_);
  return n;
}

AbstractNumber AbstractNumber::met(const AbstractNumber& o) const {
  AbstractNumber n;
  n.low_ = std::max(low_, o.low_);
  n.high_ = std::min(high_, o.high_);
  n.lowest_ = std::max(lowest_, o.lowest_);
  n.highest_ = std::min(highest_, o.highest_);
  if ((bits_.value ^ o.bits_.value) & ~bits_.unknown & ~o.bits_.unknown) {
    n.low_ = 1;
    n.high_ = 0;
    return n;
  }
  const Unsigned unknown = bits_.unknown & o.bits_.unknown;
  n.bits_ = {(bits_.value | o.bits_.value) & ~unknown, unknown};
  n.tighten();
  return n;
}

AbstractNumber AbstractNumber::without(Unsigned v) const {
  AbstractNumber n = *this;
  if (is_constant(v)) n.low_ = 1, n.high_ = 0;
  else if (low_ == v) n.low_ = v + 1;
  else if (high_ == v) n.high_ = v - 1;
  if (!n.is_empty() && lowest_ == as_signed(v) && lowest_ < highest_) n.lowest_ = lowest_ + 1;
  else if (!n.is_empty() && highest_ == as_signed(v) && lowest_ < highest_) n.highest_ = highest_ - 1;
  n.tighten();
  return n;
}

AbstractNumber AbstractNumber::with_bits(Unsigned set, Unsigned clear) const { return met(from({set, ~(set | clear)})); }

AbstractNumber AbstractNumber::at_least_signed(Signed v) const {
  AbstractNumber n;
  n.lowest_ = v;
  n.tighten();
  return met(n);
}

AbstractNumber AbstractNumber::at_most_signed(Signed v) const {
  AbstractNumber n;
  n.highest_ = v;
  n.tighten();
  return met(n);
}

AbstractNumber AbstractNumber::lower_half() const {
  AbstractNumber n;
  n.bits_ = {bits_.value & half, bits_.unknown & half};
  if (low_ >> 32 == high_ >> 32) n.low_ = low_ & half, n.high_ = high_ & half;
  n.tighten();
  return n;
}

AbstractNumber AbstractNumber::sign_extended(int width) const {
  const int spare = 64 - width;
  AbstractNumber n;
  const Signed largest = as_signed(most >> (spare + 1)), smallest = -largest - 1;
  n.bits_ = {as_unsigned(as_signed(bits_.value << spare) >> spare), as_unsigned(as_signed(bits_.unknown << spare) >> spare)};
  n.bits_.value &= ~n.bits_.unknown;
  n.lowest_ = smallest;
  n.highest_ = largest;
  if (smallest <= lowest_ && highest_ <= largest) n.lowest_ = lowest_, n.highest_ = highest_;
  n.tighten();
  return n;
}

AbstractNumber abstract_arithmetic(std::uint8_t operation, const AbstractNumber& a, const AbstractNumber& b) {
  AbstractNumber n;
  const auto shift = static_cast<int>(b.low_ & 63);
  switch (operation) {
    case op::ADD:
      n.bits_ = sum(a.bits_, b.bits_);
      if (a.high_ <= most - b.high_) n.low_ = a.low_ + b.low_, n.high_ = a.high_ + b.high_;
      if (Signed low, high;
          !__builtin_add_overflow(a.lowest_, b.lowest_, &low) && !__builtin_add_overflow(a.highest_, b.highest_, &high))
        n.lowest_ = low, n.highest_ = high;
      break;
    case op::SUB:
      n.bits_ = difference(a.bits_, b.bits_);
      if (a.low_ >= b.high_) n.low_ = a.low_ - b.high_, n.high_ = a.high_ - b.low_;
      if (Signed low, high;
          !__builtin_sub_overflow(a.lowest_, b.highest_, &low) && !__builtin_sub_overflow(a.highest_, b.lowest_, &high))
        n.lowest_ = low, n.highest_ = high;
      break;
    case op::MUL:
      n.bits_ = product(a.bits_, b.bits_);
      if (Unsigned high; !__builtin_mul_overflow(a.high_, b.high_, &high)) n.low_ = a.low_ * b.low_, n.high_ = high;
      break;
    case op::DIV:
      n.low_ = b.low_ ? a.low_ / b.high_ : 0;
      n.high_ = a.high_ / std::max<Unsigned>(b.low_, 1);
      break;
    case op::MOD:
      n.high_ = b.low_ ? std::min(a.high_, b.high_ - 1) : a.high_;
      break;
    case op::AND:
      n.bits_ = both(a.bits_, b.bits_);
      n.high_ = std::min(a.high_, b.high_);
      break;
    case op::OR:
      n.bits_ = either(a.bits_, b.bits_);
      n.low_ = std::max(a.low_, b.low_);
      break;
    case op::XOR: n.bits_ = exclusive(a.bits_, b.bits_); break;
    case op::LSH:
      if (!b.is_constant()) break;
      n.bits_ = {a.bits_.value << shift, a.bits_.unknown << shift};
      if (a.high_ <= most >> shift) n.low_ = a.low_ << shift, n.high_ = a.high_ << shift;
      break;
    case op::RSH:
      n.high_ = a.high_;
      if (!b.is_constant()) break;
      n.bits_ = {a.bits_.value >> shift, a.bits_.unknown >> shift};
      n.low_ = a.low_ >> shift;
      n.high_ = a.high_ >> shift;
      break;
    case op::ARSH:
      if (!b.is_constant()) break;
      n.bits_ = {as_unsigned(as_signed(a.bits_.value) >> shift), as_unsigned(as_signed(a.bits_.unknown) >> shift)};
      n.bits_.value &= ~n.bits_.unknown;
      n.lowest_ = a.lowest_ >> shift;
      n.highest_ = a.highest_ >> shift;
      break;
    default: break;
  }
  n.tighten();
  return n;
}

AbstractNumber abstract_result(const Instruction& i, const AbstractNumber& a, const AbstractNumber& b) {
  const std::uint8_t operation = ebpf::operation(i);
  const bool wide = class_of(i) == op::ALU64;
  // Of these the kernel's verifier keeps nothing, not even of constants (check_alu_op, is_safe_to_compute_dst_reg_range).
  if (operation == op::END) return {};
  if (operation == op::DIV || operation == op::MOD) return AbstractNumber::of_bytes(wide ? 8 : 4);
  if (a.is_constant() && b.is_constant())
    return AbstractNumber::constant(wide ? arithmetic<std::uint64_t>(operation, i.offset, a.low(), b.low())
                                         : arithmetic<std::uint32_t>(operation, i.offset, static_cast<std::uint32_t>(a.low()),
                                                                     static_cast<std::uint32_t>(b.low())));
  if (operation == op::MOV && i.offset != 0) return wide ? b.sign_extended(i.offset) : b.sign_extended(i.offset).lower_half();
  if (operation == op::MOV) return wide ? b : b.lower_half();
  if (operation == op::NEG) {
    const AbstractNumber zero = AbstractNumber::constant(0);
    return wide ? abstract_arithmetic(op::SUB, zero, a) : abstract_arithmetic(op::SUB, zero, a.lower_half()).lower_half();
  }
  if (wide) return abstract_arithmetic(operation, a, b);
  const bool shifts = operation == op::LSH || operation == op::RSH || operation == op::ARSH;
  const AbstractNumber right = !shifts           ? b.lower_half()
                               : b.is_constant() ? AbstractNumber::constant(b.low() & 31)
                                                 : AbstractNumber::between(0, 31);
  const AbstractNumber left = operation == op::ARSH ? a.lower_half().sign_extended(32) : a.lower_half();
  return abstract_arithmetic(operation, left, right).lower_half();
}

}  // namespace weir::ebpf
