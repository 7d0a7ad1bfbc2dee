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
  Order(const Program& p, const Profile& profile)
      : Rewrite(p), profile_(profile), reachable_(reachable(p)), ranges_(p), ways_in_(ways_in(p)) {}

 private:
  struct Link {
    NodeId node;
    double share;
  };

  bool wanted(NodeId old) const override { return reachable_[static_cast<std::uint32_t>(old)]; }

  NodeId make(const Node& n, NodeId old, Span span) override {
    if (!n.forks()) return to_.add(n, span);
    std::vector<Link> chain = chain_from(old);
    const auto likelier = [](const Link& a, const Link& b) { return a.share > b.share; };
    if (chain.size() < 2 || std::ranges::is_sorted(chain, likelier)) return to_.add(n, span);
    NodeId next = node(from_[chain.back().node].f);
    std::ranges::stable_sort(chain, likelier);
    for (auto link = chain.rbegin(); link != chain.rend(); ++link) next = again(link->node, next);
    return next;
  }

  /// The test of an old node, with its way out when it holds, and another one when it does not.
  NodeId again(NodeId old, NodeId otherwise) {
    Node n = from_[old];
    n.a = value(n.a);
    if (n.b != no_value) n.b = value(n.b);
    if (n.kind == NodeKind::Member) n.k = set(n.k);
    n.t = node(n.t);
    n.f = otherwise;
    return to_.add(n, from_.span(old));
  }

  /// Tests one behind the other, each for numbers that none before it is for, and reached from there alone.
  std::vector<Link> chain_from(NodeId head) {
    std::vector<Link> chain;
    Set taken;
    ValueId about{};
    for (NodeId here = head; chain.size() < longest; here = from_[here].f) {
      bool alone = true;
      for (; from_[here].kind == NodeKind::Guard && ranges_.passage(from_[here]) == Ranges::Passage::Always; here = from_[here].t)
        alone &= ways_in_[static_cast<std::uint32_t>(here)] == 1;
      alone &= ways_in_[static_cast<std::uint32_t>(here)] == 1;
      if (!from_[here].forks() || (here != head && !alone)) break;
      const auto q = question(from_, ranges_, from_[here]);
      if (!q || q->mask != 0xffffffff || (here != head && q->value != about)) break;
      const auto share = profile_.share(from_, ranges_, from_[here]);
      if (!share || !(taken & q->holds).empty()) break;
      about = q->value;
      taken = taken | q->holds;
      chain.push_back({here, *share});
    }
    return chain;
  }

  static constexpr std::size_t longest = 16;
  const Profile& profile_;
  std::vector<bool> reachable_;
  Ranges ranges_;
  std::vector<std::uint32_t> ways_in_;
};

}  // namespace

bool order_tests(Program& p, const Profile& profile) {
  if (profile.rows.empty()) return false;
  p = Order(p, profile).run();
  place_guards(p);
  return false;
}

}  // namespace weir::optimize
