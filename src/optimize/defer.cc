// A test that hardly ever fails, and then rejects, is worth asking only of packets that everything else lets through:
// n ? G(T, reject) : reject  ==  G(n ? T : reject, reject), where all of G leads to T or to reject. Both orders need the
// same bytes for T, and whatever goes wrong on the way rejects. Lowers the expected number of instructions.
#include <algorithm>
#include <map>
#include <optional>

#include "optimize/known.hpp"
#include "optimize/passes.hpp"
#include "optimize/rewrite.hpp"

namespace weir::optimize {
namespace {

using namespace ir;

class Defer : public Rewrite {
 public:
  Defer(const Program& p, const Profile& profile)
      : Rewrite(p), profile_(profile), reachable_(reachable(p)), in_choice_(nodes_in_choices(p)), ranges_(p), ways_in_(ways_in(p)) {}

  bool found() const { return found_; }

 private:
  static std::uint32_t at(NodeId n) { return static_cast<std::uint32_t>(n); }
  bool wanted(NodeId old) const override { return reachable_[at(old)]; }

  bool rejects(NodeId n) const { return from_[n].kind == NodeKind::Return && constant_of(from_, from_[n].a) == 0u; }
  bool passes(const Node& n) { return n.kind == NodeKind::Guard && ranges_.passage(n) == Ranges::Passage::Always; }

  NodeId make(const Node& n, NodeId old, Span span) override {
    const Node& was = from_[old];
    if (was.kind != NodeKind::Test || in_choice_[at(old)] || rejects(was.t) == rejects(was.f)) return to_.add(n, span);
    const auto share = profile_.share(from_, ranges_, was);
    if (!share) return to_.add(n, span);
    const bool straight = rejects(was.f);  // goes on when it holds
    if ((straight ? 1 - *share : *share) > seldom) return to_.add(n, span);
    const auto region = region_from(straight ? was.t : was.f);
    if (!region) return to_.add(n, span);
    found_ = true;
    Node late = n;
    (straight ? late.t : late.f) = node(*region->exit);
    return copied(*region, to_.add(late, span));
  }

  struct Region {
    std::vector<NodeId> nodes;  ///< ascending: ways out first
    std::optional<NodeId> exit;
  };

  /// What lies between `entry` and the one place that all of it leads to, if not to reject.
  std::optional<Region> region_from(NodeId entry) {
    Region region;
    region.nodes.reserve(largest);
    std::vector<NodeId> left;
    left.reserve(2 * largest);
    left.push_back(entry);
    while (!left.empty()) {
      const NodeId id = left.back();
      left.pop_back();
      if (rejects(id) || std::ranges::find(region.nodes, id) != region.nodes.end()) continue;
      if (!belongs(id)) {
        if (region.exit && *region.exit != id) return std::nullopt;
        region.exit = id;
        continue;
      }
      if (region.nodes.size() == largest) return std::nullopt;
      region.nodes.push_back(id);
      left.push_back(from_[id].t);
      if (from_[id].forks()) left.push_back(from_[id].f);
    }
    // Everything is reached from inside alone, or the way from elsewhere would have to be kept.
    const auto ways_inside = [&](NodeId id) {
      std::uint32_t ways = id == entry;
      for (const NodeId from : region.nodes) ways += (from_[from].t == id) + (from_[from].forks() && from_[from].f == id);
      return ways;
    };
    const auto is_closed = [&](NodeId id) { return ways_inside(id) == ways_in_[at(id)]; };
    const auto forks = std::ranges::count_if(region.nodes, [&](NodeId id) { return from_[id].forks(); });
    if (!region.exit || forks == 0 || !std::ranges::all_of(region.nodes, is_closed)) return std::nullopt;
    std::ranges::sort(region.nodes);
    return region;
  }

  /// Nodes that may stand before the test; long lists may be shared with other places, which this would part.
  bool belongs(NodeId id) {
    const Node& n = from_[id];
    if (passes(n)) return true;
    if (!n.forks() || (n.kind == NodeKind::Member && from_.set_of(n).intervals().size() > few)) return false;
    const bool leads_to_reject = rejects(n.t) || rejects(n.f);
    return leads_to_reject || ways_in_[at(id)] == 1;
  }

  NodeId copied(const Region& region, NodeId exit) {
    std::map<std::uint32_t, NodeId> made{{at(*region.exit), exit}};
    const auto now = [&](NodeId to) {
      const auto known = made.find(at(to));
      return known == made.end() ? node(to) : known->second;
    };
    for (const NodeId id : region.nodes) {
      Node n = with_values(from_[id]);
      n.t = now(n.t);
      if (n.forks()) n.f = now(n.f);
      made[at(id)] = passes(from_[id]) ? n.t : to_.add(n, from_.span(id));
    }
    return made[at(region.nodes.back())];
  }

  static constexpr std::size_t largest = 12, few = 4;
  static constexpr double seldom = 0.02;
  const Profile& profile_;
  std::vector<bool> reachable_, in_choice_;
  Ranges ranges_;
  std::vector<std::uint32_t> ways_in_;
  bool found_ = false;
};

}  // namespace

bool defer_tests(Program& p, const Profile& profile) {
  if (profile.rows.empty()) return false;
  Defer defer(p, profile);
  Program deferred = defer.run();
  if (!defer.found()) return false;
  p = std::move(deferred);
  return true;
}

}  // namespace weir::optimize
