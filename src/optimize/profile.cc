#include "optimize/profile.hpp"

#include <algorithm>

#include "optimize/known.hpp"

namespace weir::optimize {

using namespace ir;

std::optional<double> Profile::share(const Program& p, Ranges& ranges, const Node& test, std::size_t network) const {
  if (rows.empty()) return std::nullopt;
  const auto q = question(p, ranges, test);
  if (!q || p[q->value].kind != ValueKind::Load || p[q->value].a != no_value) return std::nullopt;
  const std::uint32_t size = p[q->value].size();
  std::uint32_t total = 0;
  bool known = false;
  for (const Row& row : rows) {
    if (row.size != size || row.mask != (q->mask == 0xffffffff ? 0 : q->mask)) continue;
    // A test that most of the named numbers fail is known, too.
    known = true;
    if (q->holds.contains(row.mask ? row.mask : row.k)) total += row.share[network];
  }
  return known ? std::optional(total / 10000.0) : std::nullopt;
}

double expected_of(const Program& p, Ranges& ranges, const Node& test) {
  constexpr double nothing_known = 0.5;
  const auto q = question(p, ranges, test);
  if (!q || q->domain.size() <= 2) return nothing_known;
  const bool rather_not = q->holds.size() > q->domain.size() / 2;
  const Set few = rather_not ? q->domain - q->holds : q->holds;
  if (few.size() != few.intervals().size()) return nothing_known;  // a range
  const double even = 1.0 / static_cast<double>(q->domain.size());
  const double one = std::max(even, q->domain.high() > 0xffff ? 0.02 : q->domain.high() > 0xff ? 0.05 : 0.1);
  const double share = std::min(nothing_known, one * static_cast<double>(few.size()));
  return rather_not ? 1 - share : share;
}

double Profile::likelihood(const Program& p, Ranges& ranges, const Node& test, std::size_t network) const {
  const auto known = share(p, ranges, test, network);
  return known && *known > 0 && *known < 1 ? *known : expected_of(p, ranges, test);
}

}  // namespace weir::optimize
