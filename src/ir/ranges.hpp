#pragma once
#include <cstdint>
#include <vector>

#include "ir/program.hpp"

namespace weir::ir {

/// All values between two, both included.
struct Interval {
  std::uint32_t low = 0;
  std::uint32_t high = 0xffffffff;
  bool operator==(const Interval&) const = default;
};

/// Bounds of values, whatever the packet. Looks at each value once.
class Ranges {
 public:
  explicit Ranges(const Program& p) : program_(p) {}
  Interval of(ValueId v);

 private:
  Interval compute(const Value& v);
  Interval of_choice(NodeId root);

  const Program& program_;
  std::vector<Interval> known_;
  std::vector<bool> is_known_;
};

}  // namespace weir::ir
