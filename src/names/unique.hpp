#pragma once
#include <algorithm>
#include <vector>

namespace weir::names {

/// Sorts, and leaves one of each.
template <class T>
void sort_unique(std::vector<T>& list) {
  std::ranges::sort(list);
  const auto rest = std::ranges::unique(list);
  list.erase(rest.begin(), rest.end());
}

}  // namespace weir::names
