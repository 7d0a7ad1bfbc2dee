// Values that may not be there, for the interpreters: what is behind a load that failed is never evaluated.
#pragma once
#include "prove/meaning.hpp"

namespace weir::prove {

/// A value or truth, whether evaluation gets to have it, and whether the bytes it takes lie within the packet's length.
struct Partial {
  Ref value;
  Ref there;   ///< false: the packet is rejected, there and then
  Ref within;
};

class Partials {
 public:
  Partials(Algebra& algebra, Extent extent) : algebra_(algebra), extent_(extent) {}

  Partial sure(Ref value) { return {value, yes(), yes()}; }
  Partial rejected() { return {algebra_.constant(0), algebra_.truth(false), yes()}; }

  /// Whether bytes [offset, offset + count) are there; the value is that of `offset` and means nothing.
  Partial guard(Ref offset, std::uint64_t count) {
    if (count > extent_.longest) return rejected();
    const auto n = static_cast<std::uint32_t>(count);
    const Set enough(Interval{n + 1, 0xffffffff});
    const Ref there = extent_.whole ? algebra_.member(offset, Set(Interval{0, extent_.longest - n}))
                                    : algebra_.member(algebra_.room(extent_.measured, offset), enough);
    const Ref within = extent_.compare_with_length ? algebra_.member(algebra_.room(Bytes::Length, offset), enough) : yes();
    return {offset, there, within};
  }
  Partial nonzero(Ref divisor) { return {divisor, algebra_.member(divisor, Set(Interval{1, 0xffffffff})), yes()}; }

  /// `next` where evaluation gets past `first`.
  Partial then(const Partial& first, const Partial& next) {
    return {next.value, algebra_.both(first.there, next.there),
            algebra_.both(first.within, algebra_.choose(first.there, next.within, yes()))};
  }
  Partial choose(Ref truth, const Partial& a, const Partial& b) {
    return {algebra_.choose(truth, a.value, b.value), algebra_.choose(truth, a.there, b.there),
            algebra_.choose(truth, a.within, b.within)};
  }
  /// As what a program returns: 0 where it rejects.
  Partial returned(const Partial& p) {
    return {algebra_.choose(p.there, p.value, algebra_.constant(0)), yes(), p.within};
  }
  Ref yes() { return algebra_.truth(true); }

 private:
  Algebra& algebra_;
  Extent extent_;
};

}  // namespace weir::prove
