// Which statements all ways to a place come by, as the text is written: each has the last one that all ways to it share. A tree
// with pointers far up, so that deep programs cost a logarithm a question. Tested by tests/unit/c/dominators_test.cc.
#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace weir::c {

class Dominators {
 public:
  using Id = std::uint32_t;
  static constexpr Id none = 0xffffffff;

  /// A place below another; none: the first of all.
  Id add(Id above) {
    const auto id = static_cast<Id>(places_.size());
    if (above == none) {
      places_.push_back({id, id, 0});
      return id;
    }
    const Place& a = places_[above];
    const Place& far = places_[a.far];
    const bool join = a.depth - far.depth == far.depth - places_[far.far].depth;
    places_.push_back({above, join ? far.far : above, a.depth + 1});
    return id;
  }

  /// The lowest place above both; none counts for nothing.
  Id common(Id a, Id b) const {
    if (a == none || b == none) return a == none ? b : a;
    if (places_[a].depth < places_[b].depth) std::swap(a, b);
    a = lifted(a, places_[b].depth);
    while (a != b) {
      const bool jump = places_[a].far != places_[b].far;
      a = jump ? places_[a].far : places_[a].above;
      b = jump ? places_[b].far : places_[b].above;
    }
    return a;
  }

  /// Whether `b` is `a` or below it.
  bool above(Id a, Id b) const { return places_[b].depth >= places_[a].depth && lifted(b, places_[a].depth) == a; }

 private:
  struct Place {
    Id above, far;
    std::uint32_t depth;
  };

  Id lifted(Id id, std::uint32_t depth) const {
    while (places_[id].depth > depth) id = places_[places_[id].far].depth >= depth ? places_[id].far : places_[id].above;
    return id;
  }

  std::vector<Place> places_;
};

}  // namespace weir::c
