// What programs compute with when the packet is not known: values and truths are formulas over the packet's bytes, its
// lengths and its metadata. Two algebras exist: `Diagrams`, which decides tests of values against constants by itself, and
// `Smt`, which knows all of arithmetic. The interpreters (meaning.hpp) work with either.
#pragma once
#include <cstdint>
#include <stdexcept>

#include "base/arith.hpp"
#include "base/packet.hpp"
#include "base/set.hpp"

namespace weir::prove {

/// A formula of an algebra; equal ids mean equal formulas.
enum class Ref : std::uint32_t {};

/// Why nothing was decided: thrown inside the room only.
struct GivenUp : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// No packet has 2^31 bytes and more: libpcap's and the kernel's lengths are positive ints.
inline constexpr std::uint32_t longest_packet = 0x7fffffff;

/// What an offset is measured against.
enum class Bytes : std::uint8_t {
  Captured,  ///< how many bytes of the packet there are
  Length,    ///< its length on the wire
  Linear,    ///< how many bytes of it lie in one piece, where packet pointers reach; no more than there are
};

class Algebra {
 public:
  Algebra() = default;
  Algebra(const Algebra&) = delete;
  Algebra& operator=(const Algebra&) = delete;
  virtual ~Algebra() = default;

  // Values, unsigned and 32 bits wide.
  virtual Ref constant(std::uint32_t k) = 0;
  virtual Ref length() = 0;
  virtual Ref meta(Meta m) = 0;
  /// `size` bytes in network order; what lies at or beyond the end of the packet may be any number.
  virtual Ref load(std::uint32_t size, Ref address) = 0;
  /// As base/arith.hpp; a division by zero gives any number.
  virtual Ref binary(Arith op, Ref a, Ref b) = 0;
  /// How many bytes there are from an offset on, plus one; 0 when the offset is beyond the end.
  virtual Ref room(Bytes of, Ref offset) = 0;

  // Truths.
  virtual Ref truth(bool t) = 0;
  virtual Ref compare(Relation op, Ref a, Ref b) = 0;
  virtual Ref member(Ref value, const Set& set) = 0;

  /// One of two values or of two truths.
  virtual Ref choose(Ref truth, Ref a, Ref b) = 0;

  Ref both(Ref a, Ref b) { return choose(a, b, truth(false)); }
  Ref either(Ref a, Ref b) { return choose(a, truth(true), b); }
  Ref negation(Ref a) { return choose(a, truth(false), truth(true)); }
};

}  // namespace weir::prove
