// Values without choices, hash-consed and brought into one form: what `Diagrams` tests.
#pragma once
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/arith.hpp"
#include "base/intern.hpp"
#include "base/packet.hpp"
#include "base/set.hpp"
#include "prove/algebra.hpp"

namespace weir::prove {

enum class TermId : std::uint32_t {};

enum class TermKind : std::uint8_t {
  Constant,  ///< k
  Length,
  Meta,      ///< weir::Meta(detail)
  Load,      ///< detail bytes at a
  Binary,    ///< a Arith(detail) b
  Room,      ///< of Bytes(detail), from a on
  Compare,   ///< 1 when a Relation(detail) b, otherwise 0
};

struct Term {
  TermKind kind = TermKind::Constant;
  std::uint8_t detail = 0;
  std::uint32_t k = 0;
  TermId a{};
  TermId b{};
  bool operator==(const Term&) const = default;
  Arith arith() const { return static_cast<Arith>(detail); }
};

/// The pool. A term knows bounds of its value. Tested by tests/unit/prove/terms_test.cc.
class Terms {
 public:
  TermId constant(std::uint32_t k) { return add({.kind = TermKind::Constant, .k = k}); }
  TermId length() { return add({.kind = TermKind::Length}); }
  TermId meta(Meta m) { return add({.kind = TermKind::Meta, .detail = static_cast<std::uint8_t>(m)}); }
  TermId load(std::uint32_t size, TermId address);
  TermId binary(Arith op, TermId a, TermId b);
  TermId room(Bytes of, TermId offset);
  TermId compare(Relation op, TermId a, TermId b);

  const Term& operator[](TermId id) const { return terms_[static_cast<std::uint32_t>(id)]; }
  Interval range(TermId id) const { return ranges_[static_cast<std::uint32_t>(id)]; }
  std::size_t size() const { return terms_.size(); }
  std::optional<std::uint32_t> constant_of(TermId id) const;

  /// `t` lies in `set` exactly when the returned term lies in the returned set: what is done to a term with a constant
  /// (a sum, a mask of high bits, a shift; anything, if it is done to a byte) is done to the set instead.
  std::pair<TermId, Set> peeled(TermId t, Set set);
  /// A comparison with a constant as membership of the other side.
  std::optional<std::pair<TermId, Set>> against_constant(TermId comparison) const;

 private:
  TermId add(const Term& t);
  /// The term that a sum adds a constant to, and the constant.
  std::optional<std::pair<TermId, std::uint32_t>> split_sum(TermId id) const;
  TermId with_constant(Arith op, TermId a, std::uint32_t k);
  std::optional<TermId> little_endian(const Term& product);
  Interval bounds(const Term& t) const;
  std::optional<TermId> byte_below(TermId t) const;
  std::optional<std::uint32_t> made_of(std::uint32_t v, TermId byte, TermId t) const;
  Set bytes_before(const Set& set, TermId t, TermId byte) const;

  std::vector<Term> terms_;
  std::vector<Interval> ranges_;
  InternIndex index_;
};

}  // namespace weir::prove
