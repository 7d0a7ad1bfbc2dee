#pragma once
#include <cstdint>

namespace weir {

/// Half-open range of bytes [begin, end) in the text of a filter.
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  bool operator==(const Span&) const = default;
  bool empty() const { return begin == end; }
};

/// The smallest span that holds both; an empty span adds nothing.
constexpr Span join(Span a, Span b) {
  if (a.begin == a.end) return b;
  if (b.begin == b.end) return a;
  return {a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end};
}

}  // namespace weir
