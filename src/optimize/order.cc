// Tests of one value that exclude each other may be asked in any order: the likely ones go first.
// v == a ? A : v == b ? B : C  ==  v == b ? B : v == a ? A : C, for a != b. Lowers the expected number of tests.
#include <algorithm>

#include "optimize/known.hpp"
#include "optimize/passes.hpp"
#include "optimize/rewrite.hpp"

namespace weir::optimize {
namespace {

using namespace ir;

class Order : public Rewrite {
 public:
  /// Adds constants to `p`.
  Order(Program& p, const Profile& profile)
      : Rewrite(p), program_(p), profile_(profile), live_(live_nodes(p)), ranges_(p), subjects_(p), ways_in_(ways_in(p, live_)) {}

  bool found() const { return found_; }

 private:
  struct Link {
    NodeId node;
    double share;
    std::size_t place;  ///< in the chain as it was
  };

  bool wanted(NodeId old) const override { return live_[old]; }

  NodeId make(const Node& n, NodeId old, Span span) override {
    if (!n.forks()) return to_.add(n, span);
    std::vector<Link> chain;
    if (subjects_.has_several(subject(from_, from_[old]))) chain = chain_from(old);
    const auto likelier = [](const Link& a, const Link& b) { return a.share != b.share ? a.share > b.share : a.place < b.place; };
    if (chain.size() < 2 || std::ranges::is_sorted(chain, likelier)) return n.kind == NodeKind::Member ? each(n, old, span) : to_.add(n, span);
    found_ = true;
    NodeId next = node(from_[chain.back().node].f);
    std::ranges::sort(chain, likelier);
    for (auto link = chain.rbegin(); link != chain.rend(); ++link) next = again(link->node, next);
    return next;
  }

  /// A few numbers of which some are known to be likely: v in {a, b} ? A : B == v == b ? A : v == a ? A : B.
  NodeId each(const Node& n, NodeId old, Span span) {
    const auto intervals = from_.set_of(from_[old]).intervals();
    const auto is_single = [](const Interval& i) { return i.low == i.high; };
    if (intervals.size() > few || !std::ranges::all_of(intervals, is_single)) return to_.add(n, span);
    std::vector<std::pair<double, std::uint32_t>> numbers;
    for (const Interval i : intervals) {
      const Node equal{NodeKind::Test, static_cast<std::uint8_t>(Relation::Equal), 0, from_[old].a, program_.constant(i.low), {}, {}};
      numbers.emplace_back(profile_.share(from_, ranges_, equal).value_or(0), i.low);
    }
    const auto likelier = [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; };
    if (std::ranges::is_sorted(numbers, likelier)) return to_.add(n, span);
    std::ranges::sort(numbers, likelier);
    found_ = true;
    NodeId next = n.f;
    for (auto k = numbers.rbegin(); k != numbers.rend(); ++k)
      next = to_.test(Relation::Equal, n.a, to_.constant(k->second), n.t, next, span);
    return next;
  }

  /// The test of an old node, with its way out when it holds, and another one when it does not.
  NodeId again(NodeId old, NodeId otherwise) {
    Node n = with_values(from_[old]);
    n.t = node(n.t);
    n.f = otherwise;
    return n.t == n.f ? n.f : to_.add(n, from_.span(old));
  }

  /// Tests one behind the other, each for numbers that none before it is for, and reached from there alone.
  std::vector<Link> chain_from(NodeId head) {
    std::vector<Link> chain;
    Set taken;
    ValueId about{};
    for (NodeId here = head; chain.size() < longest; here = from_[here].f) {
      bool alone = true;
      for (; from_[here].kind == NodeKind::Guard && ranges_.passage(from_[here]) == Ranges::Passage::Always; here = from_[here].t)
        alone &= ways_in_[here] == 1;
      alone &= ways_in_[here] == 1;
      if (!from_[here].forks() || (here != head && !alone)) break;
      const auto q = question(from_, ranges_, from_[here]);
      if (!q || q->mask != 0xffffffff || (here != head && q->value != about)) break;
      const auto share = profile_.share(from_, ranges_, from_[here]);
      if (!share || !(taken & q->holds).empty()) break;
      about = q->value;
      taken = taken | q->holds;
      chain.push_back({here, *share, chain.size()});
    }
    return chain;
  }

  static constexpr std::size_t longest = 16, few = 4;
  Program& program_;
  const Profile& profile_;
  Flags live_;
  Ranges ranges_;
  Subjects subjects_;
  Column<std::uint32_t> ways_in_;
  bool found_ = false;
};

}  // namespace

bool order_tests(Program& p, const Profile& profile) {
  if (profile.rows.empty()) return false;
  Order order(p, profile);
  Program ordered = order.run();
  if (!order.found()) return false;
  p = std::move(ordered);
  return true;
}

}  // namespace weir::optimize
