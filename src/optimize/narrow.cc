// A test of the first bytes of a load loads only those: [k:4] & 0xffff0000 == c<<16  ==  [k:2] == c, and the same for
// ranges that begin and end there. The mask or the second comparison goes; fewer bytes have to be captured. Lowers the
// number of instructions.
#include <algorithm>
#include <optional>

#include "optimize/known.hpp"
#include "optimize/passes.hpp"
#include "optimize/rewrite.hpp"

namespace weir::optimize {
namespace {

using namespace ir;

/// A test of fewer bytes.
struct Narrowed {
  Value load;
  ValueId of;  ///< the load that it takes the place of
  Set numbers;
};

/// How many of the first bytes decide; a load has 1, 2 or 4.
std::uint32_t needed(const std::uint32_t whole, const Set& holds) {
  // Whether the intervals begin and end where all bits of `last` do.
  const auto is_whole = [&](std::uint32_t last) {
    return std::ranges::all_of(holds.intervals(), [&](Interval i) { return (i.low & last) == 0 && (i.high & last) == last; });
  };
  std::uint32_t size = whole;
  while (size > 1 && is_whole((1u << (8 * (whole - size / 2))) - 1)) size /= 2;
  return size;
}

Set without_last(const Set& holds, std::uint32_t bits) {
  Set numbers;
  for (const Interval i : holds.intervals()) numbers = numbers | Set(Interval{i.low >> bits, i.high >> bits});
  return numbers;
}

/// Of all of the load, without a mask: nothing is gained, and other tests may ask about the same.
bool is_one_comparison(const Program& p, const Node& n) { return n.kind == NodeKind::Test && p[n.a].kind == ValueKind::Load; }

std::optional<Narrowed> narrowed(const Program& p, Ranges& ranges, const Node& n) {
  constexpr std::size_t few = 4;
  if (!n.forks() || is_one_comparison(p, n)) return std::nullopt;
  const ValueId about = subject(p, n);
  if (about == no_value || p[about].kind != ValueKind::Load || p[about].size() == 1) return std::nullopt;
  const auto q = question(p, ranges, n);
  if (!q || q->mask != 0xffffffff || q->holds.count() > few) return std::nullopt;
  Value load = p[q->value];
  const std::uint32_t whole = load.size(), size = needed(whole, q->holds);
  if (size == whole) return std::nullopt;
  load.detail = static_cast<std::uint8_t>(size);
  return Narrowed{load, q->value, without_last(q->holds, 8 * (whole - size))};
}

class Narrow : public Rewrite {
 public:
  explicit Narrow(const Program& p) : Rewrite(p), live_(live_nodes(p)), ranges_(to_) {}

 private:
  bool wanted(NodeId old) const override { return live_[old]; }

  NodeId make(const Node& n, NodeId, Span span) override {
    const auto fewer = narrowed(to_, ranges_, n);
    if (!fewer) return to_.add(n, span);
    const ValueId bytes = to_.add(fewer->load, to_.span(fewer->of));
    return fewer->numbers.size() == 1 ? to_.test(Relation::Equal, bytes, to_.constant(fewer->numbers.low()), n.t, n.f, span)
                                      : to_.member(bytes, fewer->numbers, n.t, n.f, span);
  }

  Flags live_;
  Ranges ranges_;
};

/// Whether a test that can be reached is narrowed: most graphs have none, and need not be made anew.
bool may_narrow(const Program& p) {
  Ranges ranges(p);
  std::optional<Flags> live;
  for (std::uint32_t i = 0; i < p.node_count(); ++i) {
    if (!narrowed(p, ranges, p[NodeId{i}])) continue;
    if (!live) live = live_nodes(p);
    if ((*live)[i]) return true;
  }
  return false;
}

}  // namespace

bool narrow_loads(Program& p, const Profile&) {
  if (!may_narrow(p)) return false;
  p = Narrow(p).run();
  return true;
}

}  // namespace weir::optimize
