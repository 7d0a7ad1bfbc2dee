// What is known of a 64-bit number: single bits, and bounds with and without a sign, as the kernel's verifier keeps them
// (kernel/bpf/tnum.c, kernel/bpf/verifier.c). Everything here errs on the side of knowing less. Tested by
// tests/unit/ebpf/abstract_number_test.cc.
#pragma once
#include <cstdint>
#include <limits>

#include "ebpf/program.hpp"

namespace weir::ebpf {

/// A bit is known when it is clear in `unknown`, and is then that of `value`, which is 0 in all others.
struct KnownBits {
  std::uint64_t value = 0, unknown = ~std::uint64_t{0};
  bool operator==(const KnownBits&) const = default;
};

class AbstractNumber {
 public:
  /// Any number.
  AbstractNumber() = default;
  static AbstractNumber constant(std::uint64_t v);
  static AbstractNumber between(std::uint64_t low, std::uint64_t high);
  /// Any of so many bytes.
  static AbstractNumber of_bytes(std::uint32_t bytes);

  std::uint64_t low() const { return low_; }
  std::uint64_t high() const { return high_; }
  std::int64_t lowest() const { return lowest_; }
  std::int64_t highest() const { return highest_; }
  const KnownBits& bits() const { return bits_; }

  bool is_constant() const { return low_ == high_; }
  bool is_constant(std::uint64_t v) const { return low_ == v && high_ == v; }
  bool is_empty() const { return low_ > high_ || lowest_ > highest_; }
  bool contains(std::uint64_t v) const;
  /// Whether all that `other` may be, this may be.
  bool covers(const AbstractNumber& other) const;
  bool operator==(const AbstractNumber&) const = default;

  /// What is known when the one or the other is true, and when both are.
  AbstractNumber joined(const AbstractNumber& other) const;
  AbstractNumber met(const AbstractNumber& other) const;
  AbstractNumber without(std::uint64_t v) const;
  AbstractNumber with_bits(std::uint64_t set, std::uint64_t clear) const;
  AbstractNumber at_least(std::uint64_t v) const { return met(between(v, std::numeric_limits<std::uint64_t>::max())); }
  AbstractNumber at_most(std::uint64_t v) const { return met(between(0, v)); }
  AbstractNumber at_least_signed(std::int64_t v) const;
  AbstractNumber at_most_signed(std::int64_t v) const;

  /// The lower 32 bits; and the lower bits with their sign.
  AbstractNumber lower_half() const;
  AbstractNumber sign_extended(int bits) const;

  friend AbstractNumber abstract_arithmetic(std::uint8_t operation, const AbstractNumber& a, const AbstractNumber& b);

 private:
  void tighten();
  static AbstractNumber from(KnownBits bits);

  KnownBits bits_;
  std::uint64_t low_ = 0, high_ = std::numeric_limits<std::uint64_t>::max();
  std::int64_t lowest_ = std::numeric_limits<std::int64_t>::min(), highest_ = std::numeric_limits<std::int64_t>::max();
};

/// a OP b in 64 bits, without sign where there are both.
AbstractNumber abstract_arithmetic(std::uint8_t operation, const AbstractNumber& a, const AbstractNumber& b);

/// What an arithmetic instruction makes of its operands.
AbstractNumber abstract_result(const Instruction& i, const AbstractNumber& a, const AbstractNumber& b);

/// Narrows both by what a jump's comparison says; false when it cannot be so. `wide`: all 64 bits are compared.
bool assume(std::uint8_t relation, bool holds, bool wide, AbstractNumber& a, AbstractNumber& b);

}  // namespace weir::ebpf
