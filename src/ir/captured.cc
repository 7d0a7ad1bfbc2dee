#include "ir/captured.hpp"

#include <algorithm>

namespace weir::ir {

std::uint64_t Captured::end(ValueId base) const {
  const auto known = std::ranges::find(facts_, base, &Fact::base);
  return known == facts_.end() ? 0 : known->end;
}

void Captured::learn(ValueId base, std::uint64_t end) {
  constexpr std::size_t most_facts = 8;  // every place has its own copy
  if (const auto known = std::ranges::find(facts_, base, &Fact::base); known != facts_.end()) {
    known->end = std::max(known->end, end);
    return;
  }
  // The packet's beginning is asked about again and again.
  if (facts_.size() == most_facts) facts_.erase(facts_.front().base == no_value ? facts_.begin() + 1 : facts_.begin());
  facts_.push_back({base, end});
}

void Captured::meet(const Captured& other) {
  for (Fact& f : facts_) f.end = std::min(f.end, other.end(f.base));
  std::erase_if(facts_, [](const Fact& f) { return f.end == 0; });
}

}  // namespace weir::ir
