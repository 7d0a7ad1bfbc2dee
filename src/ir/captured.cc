#include "ir/captured.hpp"

#include <algorithm>

namespace weir::ir {

std::uint64_t Captured::end(ValueId base) const {
  for (const Fact& f : facts())
    if (f.base == base) return f.end;
  return 0;
}

void Captured::learn(ValueId base, std::uint64_t end) {
  for (Fact& f : facts())
    if (f.base == base) {
      f.end = std::max(f.end, end);
      return;
    }
  // The packet's beginning is asked about again and again.
  if (size_ == most_facts) forget(facts_.front().base == no_value ? 1 : 0);
  facts_[size_++] = {base, end};
}

void Captured::meet(const Captured& other) {
  for (std::size_t i = size_; i-- > 0;) {
    facts_[i].end = std::min(facts_[i].end, other.end(facts_[i].base));
    if (facts_[i].end == 0) forget(i);
  }
}

void Captured::forget(std::size_t which) {
  std::ranges::copy(facts().subspan(which + 1), facts_.begin() + static_cast<std::ptrdiff_t>(which));
  --size_;
}

}  // namespace weir::ir
