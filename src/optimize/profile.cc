#include "optimize/profile.hpp"

#include "optimize/known.hpp"

namespace weir::optimize {

using namespace ir;

std::optional<double> Profile::share(const Program& p, Ranges& ranges, const Node& test) const {
  if (rows.empty()) return std::nullopt;
  const auto q = question(p, ranges, test);
  if (!q || p[q->value].kind != ValueKind::Load) return std::nullopt;
  const std::uint32_t size = p[q->value].size();
  std::uint32_t total = 0;
  bool known = false;
  for (const Row& row : rows) {
    if (row.size != size || row.mask != (q->mask == 0xffffffff ? 0 : q->mask)) continue;
    // A test that most of the named numbers fail is known, too.
    known = true;
    if (q->holds.contains(row.mask ? row.mask : row.k)) total += row.share;
  }
  return known ? std::optional(total / 10000.0) : std::nullopt;
}

}  // namespace weir::optimize
