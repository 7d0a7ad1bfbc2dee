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

class Narrow : public Rewrite {
 public:
  explicit Narrow(const Program& p) : Rewrite(p), live_(live_nodes(p)), ranges_(to_) {}

  bool found() const { return found_; }

 private:
  bool wanted(NodeId old) const override { return live_[old]; }

  NodeId make(const Node& n, NodeId, Span span) override {
    const auto q = n.forks() && !is_one_comparison(n) ? question(to_, ranges_, n) : std::nullopt;
    if (!q || q->mask != 0xffffffff || q->holds.intervals().size() > few || to_[q->value].kind != ValueKind::Load) return to_.add(n, span);
    Value load = to_[q->value];
    const std::uint32_t size = needed(load.size(), q->holds);
    if (size == load.size()) return to_.add(n, span);
    found_ = true;
    const Set numbers = without_last(q->holds, 8 * (load.size() - size));
    load.detail = static_cast<std::uint8_t>(size);
    const ValueId bytes = to_.add(load, to_.span(q->value));
    return numbers.size() == 1 ? to_.test(Relation::Equal, bytes, to_.constant(numbers.low()), n.t, n.f, span)
                               : to_.member(bytes, numbers, n.t, n.f, span);
  }

  /// How many of the first bytes decide; a load has 1, 2 or 4.
  static std::uint32_t needed(const std::uint32_t whole, const Set& holds) {
    std::uint32_t size = whole;
    while (size > 1 && is_whole(holds, (1u << (8 * (whole - size / 2))) - 1)) size /= 2;
    return size;
  }

  /// Whether the intervals begin and end where all bits of `last` do.
  static bool is_whole(const Set& holds, std::uint32_t last) {
    return std::ranges::all_of(holds.intervals(), [&](Interval i) { return (i.low & last) == 0 && (i.high & last) == last; });
  }

  static Set without_last(const Set& holds, std::uint32_t bits) {
    Set numbers;
    for (const Interval i : holds.intervals()) numbers = numbers | Set(Interval{i.low >> bits, i.high >> bits});
    return numbers;
  }

  /// Of all of the load, without a mask: nothing is gained, and other tests may ask about the same.
  bool is_one_comparison(const Node& n) const {
    return n.kind == NodeKind::Test && to_[n.a].kind == ValueKind::Load;
  }

  static constexpr std::size_t few = 4;
  Flags live_;
  Ranges ranges_;
  bool found_ = false;
};

/// Whether there is a test that is more than one comparison of a load.
bool may_narrow(const Program& p) {
  for (std::uint32_t i = 0; i < p.node_count(); ++i) {
    const Node& n = p[NodeId{i}];
    if (n.forks() && (n.kind == NodeKind::Member || p[n.a].kind != ValueKind::Load)) return true;
  }
  return false;
}

}  // namespace

bool narrow_loads(Program& p, const Profile&) {
  if (!may_narrow(p)) return false;
  Narrow narrow(p);
  Program narrowed = narrow.run();
  if (!narrow.found()) return false;
  p = std::move(narrowed);
  return true;
}

}  // namespace weir::optimize
