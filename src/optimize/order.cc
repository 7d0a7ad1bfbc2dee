// Tests of one value that exclude each other may be asked in any order: the likely ones go first.
// v == a ? A : v == b ? B : C  ==  v == b ? B : v == a ? A : C, for a != b. Lowers the expected number of tests.
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <vector>

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
      : Rewrite(p),
        program_(p),
        profile_(profile),
        live_(live_nodes(p)),
        ranges_(p),
        subjects_(p),
        ways_in_(ways_in(p, live_)),
        is_in_order_(p.node_count()) {
    for (auto i = static_cast<std::uint32_t>(p.node_count()); i-- > 0;)
      if (live_[i] && p[NodeId{i}].forks()) plan(NodeId{i});
  }

  bool found() const { return !chains_.empty() || !numbers_.empty(); }

 private:
  struct Link {
    NodeId node;
    double share;
    std::size_t place;  ///< in the chain as it was
  };
  struct Number {
    std::uint32_t k;
    double share;
  };
  template <class Item, std::size_t most>
  struct Row {
    std::array<Item, most> items;  ///< as many as counted
    std::size_t count = 0;
    std::span<Item> all() { return {items.data(), count}; }
  };
  static constexpr std::size_t longest = 16, few = 4;
  using Chain = Row<Link, longest>;
  using Numbers = Row<Number, longest>;  // `few`, but GCC 12 warns of sorting less

  /// A node of the old program, and what is to stand in its place.
  template <class Items>
  struct Planned {
    NodeId node;
    Items items;
  };

  void plan(NodeId old) {
    if (Chain chain = chain_from(old); chain.count != 0) chains_.push_back({old, chain});
    else if (Numbers numbers = numbers_of(old); numbers.count != 0) numbers_.push_back({old, numbers});
  }

  bool wanted(NodeId old) const override { return live_[old]; }

  /// Nodes are asked for in the other direction than they were looked at.
  NodeId make(const Node& n, NodeId old, Span span) override {
    while (!chains_.empty() && chains_.back().node < old) chains_.pop_back();
    while (!numbers_.empty() && numbers_.back().node < old) numbers_.pop_back();
    if (!chains_.empty() && chains_.back().node == old) return asked_in_order(chains_.back().items);
    if (!numbers_.empty() && numbers_.back().node == old) return each(n, numbers_.back().items, span);
    return to_.add(n, span);
  }

  NodeId asked_in_order(Chain& chain) {
    NodeId next = node(from_[chain.all().back().node].f);
    std::ranges::sort(chain.all(), likelier_link);
    for (std::size_t i = chain.count; i-- > 0;) next = again(chain.items[i].node, next);
    return next;
  }

  /// A few numbers of which some are known to be likely: v in {a, b} ? A : B == v == b ? A : v == a ? A : B.
  NodeId each(const Node& n, Numbers& numbers, Span span) {
    std::ranges::sort(numbers.all(), likelier_number);
    NodeId next = n.f;
    for (std::size_t i = numbers.count; i-- > 0;)
      next = to_.test(Relation::Equal, n.a, to_.constant(numbers.items[i].k), n.t, next, span);
    return next;
  }

  static bool likelier_link(const Link& a, const Link& b) { return a.share != b.share ? a.share > b.share : a.place < b.place; }
  static bool likelier_number(const Number& a, const Number& b) { return a.share != b.share ? a.share > b.share : a.k < b.k; }

  /// The numbers of a small set; none where their order is right.
  Numbers numbers_of(NodeId old) {
    Numbers numbers;
    if (from_[old].kind != NodeKind::Member) return numbers;
    const auto intervals = from_.set_of(from_[old]).intervals();
    if (intervals.size() > few || !std::ranges::all_of(intervals, [](const Interval& i) { return i.low == i.high; })) return numbers;
    for (const Interval i : intervals) {
      const Node equal{NodeKind::Test, static_cast<std::uint8_t>(Relation::Equal), 0, from_[old].a, program_.constant(i.low), {}, {}};
      numbers.items[numbers.count++] = {i.low, profile_.share(from_, ranges_, equal).value_or(0)};
    }
    if (std::ranges::is_sorted(numbers.all(), likelier_number)) numbers.count = 0;
    return numbers;
  }

  /// The test of an old node, with its way out when it holds, and another one when it does not.
  NodeId again(NodeId old, NodeId otherwise) {
    Node n = with_values(from_[old]);
    n.t = node(n.t);
    n.f = otherwise;
    return n.t == n.f ? n.f : to_.add(n, from_.span(old));
  }

  /// Tests one behind the other, each for numbers that none before it is for, and reached from there alone; none where their
  /// order is right.
  Chain chain_from(NodeId head) {
    Chain chain;
    const ValueId about = subject(from_, from_[head]);
    if (is_in_order_[head] || !subjects_.has_several(about) || !link_behind(head, about)) return chain;
    Set taken;
    std::optional here = head;
    for (; here && chain.count < longest; here = link_behind(*here, about)) {
      const auto q = question(from_, ranges_, from_[*here]);
      if (!q || q->mask != 0xffffffff) break;
      const auto share = profile_.share(from_, *q);
      if (!share || !(taken & q->holds).empty()) break;
      taken = taken | q->holds;
      chain.items[chain.count] = {*here, *share, chain.count};
      ++chain.count;
    }
    if (chain.count >= 2 && !is_link(chain, about) && !std::ranges::is_sorted(chain.all(), likelier_link)) return chain;
    for (const Link& link : chain.all()) is_in_order_[link.node] = !here;  // what begins further down would end there, too
    chain.count = 0;
    return chain;
  }

  /// Whether it asks for a number and whether others go on, of what stands at a place that is one of several: a header's type, which
  /// no profile knows there; in this order a back end may ask for both at once.
  bool is_link(const Chain& chain, ValueId about) const {
    return chain.count == 2 && from_[chain.items[1].node].kind == NodeKind::Member && is_behind_choice(from_, about);
  }

  /// The next test of a value, right behind one that does not hold, where nothing else leads there.
  std::optional<NodeId> link_behind(NodeId test, ValueId about) {
    NodeId here = from_[test].f;
    for (; passes(from_[here], ranges_); here = from_[here].t)
      if (ways_in_[here] != 1) return std::nullopt;
    return ways_in_[here] == 1 && from_[here].forks() && subject(from_, from_[here]) == about ? std::optional(here) : std::nullopt;
  }

  Program& program_;
  const Profile& profile_;
  Flags live_;
  Ranges ranges_;
  Subjects subjects_;
  Column<std::uint32_t> ways_in_;
  Flags is_in_order_;  ///< the chain from there on
  std::vector<Planned<Chain>> chains_;     ///< what is found, by descending node
  std::vector<Planned<Numbers>> numbers_;
};

}  // namespace

bool order_tests(Program& p, const Profile& profile) {
  if (profile.rows.empty()) return false;
  Order order(p, profile);
  if (!order.found()) return false;
  p = order.run();
  return true;
}

}  // namespace weir::optimize
