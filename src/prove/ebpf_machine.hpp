// What registers and the stack of an eBPF program hold when the packet is not known.
//
// Values of the algebra have 32 bits, registers 64: a scalar is two words. Loads through packet pointers bring bytes in the order in
// which they lie in memory; a word says so, and compares with constants in that order, so that programs which never swap
// bytes come to the same formulas as those that do.
#pragma once
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "prove/algebra.hpp"

namespace weir::prove {

/// 32 bits. `swapped`: so many low bytes (2 or 4) stand in opposite order to `value`'s, those above are 0; 0: they are `value`.
struct Word {
  Ref value{};
  std::uint8_t swapped = 0;
  std::optional<std::uint32_t> known = {};  ///< the number, where it is a constant; then nothing is swapped
  bool operator==(const Word&) const = default;
};

/// base + k, summed in 64 bits: it has not wrapped.
struct Sum {
  Ref base{};
  std::uint32_t k = 0;
  bool operator==(const Sum&) const = default;
};

/// number * multiplier >> shift in 32 bits, as places in tables are worked out.
struct Hash {
  Word number;
  std::uint32_t multiplier = 0, shift = 0;
  bool in_bytes = false;  ///< four times that
  std::uint32_t of(std::uint32_t x) const { return x * multiplier >> shift; }
  bool operator==(const Hash&) const = default;
};

struct Scalar {
  Word low, high;
  std::optional<Sum> sum = {};    ///< how an offset came to be that is compared with the length
  std::optional<Hash> hash = {};  ///< and one in a table
  std::optional<Word> or_error = {};  ///< it is this, or -1, as functions return what they load
  bool operator==(const Scalar&) const = default;
};

struct Context {
  bool operator==(const Context&) const = default;
};
/// A place of the stack, counted from its top: below 0.
struct StackPlace {
  std::int64_t offset = 0;
  bool operator==(const StackPlace&) const = default;
};
/// The packet's byte at index + displacement. The verifier sees to it that the sum does not wrap.
struct PacketPlace {
  Ref index{};
  std::int64_t displacement = 0;
  bool operator==(const PacketPlace&) const = default;
};
struct PacketEnd {
  bool operator==(const PacketEnd&) const = default;
};
struct MapReference {
  std::size_t number = 0;
  bool operator==(const MapReference&) const = default;
};
/// What looking a key up gives: a place when the truth holds, otherwise null.
struct Found {
  Ref present{};
  bool operator==(const Found&) const = default;
};

/// A place in the value of an array that nobody changes: its beginning, or that of a number of four bytes.
struct TablePlace {
  std::size_t map = 0;
  std::optional<Hash> at = {};
  bool operator==(const TablePlace&) const = default;
};
/// The number that stands there.
struct Entry {
  std::size_t map = 0;
  Hash at;
  bool operator==(const Entry&) const = default;
};
/// A number that is 0 when the truth holds, and only then.
struct ZeroWhen {
  Ref truth{};
  bool is_short = true;  ///< below 2^32
  bool operator==(const ZeroWhen&) const = default;
};

/// What a register holds; monostate: nothing that may be read.
using Content = std::variant<std::monostate, Scalar, Context, StackPlace, PacketPlace, PacketEnd, MapReference, Found, TablePlace,
                             Entry, ZeroWhen>;

/// Bytes of the packet from an address on, as a helper copied them.
struct Copied {
  Ref address{};
  bool operator==(const Copied&) const = default;
};

/// Bytes [offset, offset + size) of the stack.
struct Slot {
  std::int64_t offset = 0;
  std::uint32_t size = 0;
  std::variant<Scalar, Copied> holds;
  std::int64_t end() const { return offset + size; }
  bool operator==(const Slot&) const = default;
};

/// The stack: slots that do not overlap, by offset.
class Stack {
 public:
  /// Overwrites; of a copy that is hit in part, what is left and right of the place stays.
  void put(Slot slot, Algebra& algebra);
  /// What bytes [offset, offset + size) hold as a register gets them, 1, 2, 4 or 8; nothing when that is not known.
  std::optional<Scalar> read(std::int64_t offset, std::uint32_t size, Algebra& algebra) const;
  const std::vector<Slot>& slots() const { return slots_; }
  std::vector<Slot>& slots() { return slots_; }

 private:
  const Slot* covering(std::int64_t offset, std::uint32_t size) const;
  std::optional<Word> read_word(std::int64_t offset, std::uint32_t size, Algebra& algebra) const;
  std::vector<Slot> slots_;
};

/// Arithmetic on words and scalars, in formulas of an algebra.
class Words {
 public:
  explicit Words(Algebra& algebra) : algebra_(algebra) {}

  Word constant(std::uint32_t k) { return {algebra_.constant(k), 0, k}; }
  Scalar number(std::uint64_t k) { return {constant(static_cast<std::uint32_t>(k)), constant(static_cast<std::uint32_t>(k >> 32)), {}}; }
  Scalar extended(Word low) { return {low, constant(0), {}}; }
  /// Bytes of the packet, 1 to 8, as a load through a pointer gives them.
  Scalar loaded(Ref address, std::uint32_t size);

  Ref plain(Word w);                                    ///< the word's number
  Word plain_word(Word w) { return {plain(w), 0, w.known}; }
  Word arith(Arith op, Word a, Word b);                 ///< a division by zero gives any number
  Word swap(Word w, std::uint32_t bytes);               ///< the low `bytes` (2 or 4) in opposite order, 0 above
  Word low_bytes(Word w, std::uint32_t bytes);          ///< those above cleared
  Word choose(Ref truth, Word a, Word b);
  Ref compare(Relation op, Word a, Word b);
  /// Of whole scalars, unsigned.
  Ref compare(Relation op, const Scalar& a, const Scalar& b);

 private:
  /// Both words in one order, the constants, too.
  bool align(Word& a, Word& b);
  Algebra& algebra_;
};

}  // namespace weir::prove
