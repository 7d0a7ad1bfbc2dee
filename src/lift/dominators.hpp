// Which points of a walk all ways to a point have passed. Points are numbered in the order in which they are found.
#pragma once
#include <cstdint>
#include <vector>

namespace weir::lift {

class Dominators {
 public:
  using Point = std::uint32_t;

  /// The next point, so far reached only from `from`; the first one from itself.
  void add(Point from) {
    const bool is_first = last_.empty();
    last_.push_back(from);
    depth_.push_back(is_first ? 0 : depth_[from] + 1);
  }

  /// A point that nothing has been reached from yet is reached from `from`, too.
  void join(Point point, Point from) {
    last_[point] = common(last_[point], from);
    depth_[point] = depth_[last_[point]] + 1;
  }

  /// The last point that the ways to both have passed; they themselves count.
  Point common(Point a, Point b) const {
    while (a != b) (depth_[a] < depth_[b] ? b : a) = last_[depth_[a] < depth_[b] ? b : a];
    return a;
  }

 private:
  std::vector<Point> last_;           ///< by point: the last one before it that all ways to it have passed
  std::vector<std::uint32_t> depth_;  ///< by point: how many there are before it
};

}  // namespace weir::lift
