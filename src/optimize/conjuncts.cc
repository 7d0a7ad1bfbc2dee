// What all has to hold may be asked in any order, and what rejects most for least goes first:
// a ? (b ? T : reject) : reject  ==  b ? (a ? T : reject) : reject, where a and b are whole parts of the graph, of which
// all ways lead on or to reject. Both orders need the same bytes for T, and whatever goes wrong on the way rejects.
// Lowers the expected number of instructions.
#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <span>
#include <vector>

#include "optimize/known.hpp"
#include "optimize/onward.hpp"
#include "optimize/passes.hpp"
#include "optimize/rewrite.hpp"
#include "optimize/sequence.hpp"

namespace weir::optimize {
namespace {

using namespace ir;

class Conjuncts : public Rewrite {
 public:
  Conjuncts(const Program& p, const Profile& profile)
      : Rewrite(p),
        profile_(profile),
        live_(live_nodes(p)),
        in_choice_(nodes_in_choices(p)),
        ranges_(p),
        ways_in_(ways_in(p, live_)),
        onward_(p, live_),
        at_hand_(values_at_hand(p, ranges_, live_)),
        seen_(p.node_count()),
        moved_(p.node_count()),
        chain_of_(p.node_count(), no_chain) {
    parts_.reserve(longest);
    for (auto i = static_cast<std::uint32_t>(p.node_count()); i-- > 0;)
      if (live_[i] && !in_choice_[i] && !moved_[i] && !seen_[i]) plan(NodeId{i});
  }

  bool found() const { return !chains_.empty(); }

 private:
  static constexpr std::size_t largest = 12, longest = most_steps, few = 4, most_values = 64;

  /// A part of the graph with one way in and one way out, but for those to reject.
  struct Part {
    std::array<NodeId, largest> some;
    std::size_t count = 0;
    NodeId entry{}, exit{};

    std::span<NodeId> nodes() { return {some.data(), count}; }  ///< ascending: ways out first
    std::span<const NodeId> nodes() const { return {some.data(), count}; }
  };
  using Chain = std::span<Part>;
  /// Of a chain among all parts.
  struct Place {
    std::size_t first = 0, count = 0;
  };

  static std::uint32_t at(NodeId n) { return static_cast<std::uint32_t>(n); }

  // ---- which parts, and their order ------------------------------------------------------------------

  void plan(NodeId head) {
    const std::size_t first = parts_.size();
    for (NodeId here = head; parts_.size() < first + longest; here = parts_.back().exit) {
      if (!add_part(here, parts_.size() == first ? nullptr : &parts_.back())) break;
      if (parts_.size() != first + 1 && ask_one_value(*(parts_.end() - 2), parts_.back())) unite_last();
    }
    if (!plan(head, Chain(parts_).subspan(first))) return parts_.resize(first);
    chain_of_[head] = static_cast<std::uint32_t>(chains_.size());
    chains_.push_back({first, parts_.size() - first});
  }

  /// Whether the parts of a chain have changed places.
  bool plan(NodeId head, Chain chain) {
    for (std::size_t k = 1; k < chain.size(); ++k) seen_[chain[k].entry] = true;
    std::array<bool, longest> moves;
    for (std::size_t i = 0; i < chain.size(); ++i) moves[i] = may_move(chain[i]);
    const NodeId first = past_guards(from_, ranges_, head);
    const ValueId at_hand = at_hand_[first];
    if (from_[first].a == at_hand && is_behind_choice(from_, at_hand)) moves[0] = false;  // later, its place would have to be found again
    const auto end = moves.begin() + chain.size();
    if (std::adjacent_find(moves.begin(), end, std::logical_and()) == end) return false;  // mostly, and estimates are dear
    std::array<Step, longest> steps;
    for (std::size_t i = 0; i < chain.size(); ++i) {
      steps[i] = estimate(chain[i]);
      steps[i].may_move = moves[i];
      steps[i].saved_first = from_[past_guards(from_, ranges_, chain[i].entry)].a == at_hand ? 1 : 0;
    }
    const Sequence order = best_sequence(std::span(steps).first(chain.size()));
    if (std::ranges::is_sorted(std::span(order).first(chain.size()))) return false;
    for (const Part& part : chain)
      for (const NodeId n : part.nodes()) moved_[n] = true;
    rearrange(chain, order);
    return true;
  }

  static void rearrange(Chain chain, const Sequence& order) {
    std::array<Part, longest> as_it_was;
    std::ranges::copy(chain, as_it_was.begin());
    for (std::size_t i = 0; i < chain.size(); ++i) chain[i] = as_it_was[order[i]];
  }

  /// The part that begins at a node, if one does, behind another one or as the first.
  bool add_part(NodeId entry, const Part* before) {
    const NodeId first = past_guards(from_, ranges_, entry);  // guards belong to what they stand above
    if (from_[first].kind == NodeKind::Return || !onward_.is_somewhere(onward_[first])) return false;
    const std::uint32_t ways = before ? ways_on(*before) : 0;
    Part& part = parts_.emplace_back();
    part.entry = entry;
    part.exit = onward_[first];
    if (collect(part) && is_closed(part, ways)) return true;
    parts_.pop_back();
    return false;
  }

  /// Whether two parts would have to load the same value, were they parted, from behind a header.
  bool ask_one_value(const Part& a, const Part& b) {
    const ValueId value = from_[past_guards(from_, ranges_, a.entry)].a;
    const auto asks = [&](NodeId n) { return passes(from_[n], ranges_) || from_[n].a == value; };
    if (value == no_value || from_[value].kind != ValueKind::Load || from_[value].a == no_value) return false;
    return a.count + b.count <= largest && std::ranges::all_of(a.nodes(), asks) && std::ranges::all_of(b.nodes(), asks);
  }

  void unite_last() {
    Part& part = *(parts_.end() - 2);
    for (const NodeId n : parts_.back().nodes()) part.some[part.count++] = n;
    std::ranges::sort(part.nodes());
    part.exit = parts_.back().exit;
    parts_.pop_back();
  }

  /// The nodes between entry and exit; false where they are too many.
  bool collect(Part& part) const {
    if (is_one_test(part)) {
      part.some[part.count++] = part.entry;
      return true;
    }
    std::array<NodeId, 2 * largest + 1> left;  // each node leads to two
    std::size_t open = 0;
    left[open++] = part.entry;
    while (open != 0) {
      const NodeId id = left[--open];
      if (id == part.exit || rejects(from_, id) || std::ranges::find(part.nodes(), id) != part.nodes().end()) continue;
      if (part.count == largest) return false;
      part.some[part.count++] = id;
      left[open++] = from_[id].t;
      if (from_[id].forks()) left[open++] = from_[id].f;
    }
    std::ranges::sort(part.nodes());
    return true;
  }

  /// Mostly.
  bool is_one_test(const Part& part) const {
    const Node& n = from_[part.entry];
    const auto ends = [&](NodeId way) { return way == part.exit || rejects(from_, way); };
    return ends(n.t) && (!n.forks() || ends(n.f));
  }

  /// How many ways lead from a part to its exit.
  std::uint32_t ways_on(const Part& part) const {
    std::uint32_t ways = 0;
    for (const NodeId id : part.nodes()) ways += (from_[id].t == part.exit) + (from_[id].forks() && from_[id].f == part.exit);
    return ways;
  }

  /// Reached from inside and by so many ways from the part before, or the ways from elsewhere would have to be kept; those to
  /// the head, with no part before, lead to what takes its place.
  bool is_closed(const Part& part, std::uint32_t ways) const {
    const auto counts = [&](NodeId id) { return id != part.exit && !rejects(from_, id) && (ways != 0 || id != part.entry); };
    std::uint32_t inside = ways, all = 0;  // ways to the nodes; what leads to one from inside is no more than all
    for (const NodeId id : part.nodes()) {
      const Node& n = from_[id];
      inside += counts(n.t) + (n.forks() && counts(n.f));
      all += counts(id) ? ways_in_[id] : 0;
    }
    return inside == all;
  }

  /// What may reject whole packets by itself stays where it is, and so do long lists that are asked for elsewhere, too, for they may
  /// be shared with those places, which moving would part.
  bool may_move(const Part& part, const Node& n) {
    if (passes(n, ranges_)) return true;
    if (!n.forks() || ranges_.may_reject(n.a) || ranges_.may_reject(n.b)) return false;
    return n.kind != NodeKind::Member || from_.set_of(n).count() <= few || is_asked_here_only(part, n.k);
  }

  bool is_asked_here_only(const Part& part, std::uint32_t set) {
    if (asked_.size() == 0) count_asked();
    const auto asks = [&](NodeId n) { return from_[n].kind == NodeKind::Member && from_[n].k == set; };
    return asked_[set] == static_cast<std::uint32_t>(std::ranges::count_if(part.nodes(), asks));
  }
  void count_asked() {
    asked_.grow(from_.set_count());
    for (std::uint32_t i = 0; i < from_.node_count(); ++i)
      if (const Node& n = from_[NodeId{i}]; live_[i] && n.kind == NodeKind::Member) ++asked_[n.k];
  }

  bool may_move(const Part& part) {
    return !is_dear(part) && std::ranges::all_of(part.nodes(), [&](NodeId n) { return may_move(part, from_[n]); });
  }

  /// Of many tests, some of them from places that are one of several, which would all have to be found: nothing moves past that.
  bool is_dear(const Part& part) const {
    constexpr std::size_t many = 8;
    return part.count > many && std::ranges::any_of(part.nodes(), [&](NodeId n) { return is_behind_choice(from_, from_[n].a); });
  }

  // ---- what they cost --------------------------------------------------------------------------------

  /// In all networks, and anywhere, at once.
  Step estimate(const Part& part) {
    constexpr std::size_t anywhere = Profile::networks;
    using Shares = std::array<double, Profile::networks + 1>;
    std::array<Shares, largest> reached;  // by place in the part
    std::fill_n(reached.begin(), part.count, Shares{});
    Shares passed{}, instructions{};
    const auto shares_at = [&](NodeId to) -> Shares* {
      if (to == part.exit) return &passed;
      const auto place = std::ranges::find(part.nodes(), to);
      return place != part.nodes().end() ? &reached[static_cast<std::size_t>(place - part.nodes().begin())] : nullptr;
    };
    const auto lead = [&](NodeId to, const Shares& with) {
      if (Shares* there = shares_at(to))
        for (std::size_t k = 0; k < with.size(); ++k) (*there)[k] += with[k];
    };
    shares_at(part.entry)->fill(1);
    AtHand at_hand;
    Step step;
    for (std::size_t i = part.count; i-- > 0;) {
      const Node& n = from_[part.some[i]];
      const Shares& share = reached[i];
      if (!n.forks()) {
        lead(n.t, share);
        continue;
      }
      const auto q = question(from_, ranges_, n);
      const double each = cost(asks_for_upper_bits(n, q) ? from_[n.a].a : n.a, at_hand) + cost(n.b, at_hand) + comparisons_of(n);
      const auto likelihoods = profile_.likelihoods(from_, q);
      step.is_of_bits = part.count == 1 && is_of_bits(n, q);
      step.is_guess |= likelihoods.known[0] == Profile::nothing_known;
      Shares when_true{}, when_false{};
      for (std::size_t k = 0; k < share.size(); ++k) {
        const double holds = k == anywhere ? likelihoods.unknown : likelihoods.known[k];
        instructions[k] += share[k] * each;
        when_true[k] = share[k] * holds;
        when_false[k] = share[k] * (1 - holds);
      }
      lead(n.t, when_true);
      lead(n.f, when_false);
    }
    step.anywhere = {instructions[anywhere], passed[anywhere]};
    step.bytes = at_hand.bytes;
    for (std::size_t network = 0; network < Profile::networks; ++network) step.in_place[network] = {instructions[network], passed[network]};
    step.is_address = is_address(from_[past_guards(from_, ranges_, part.entry)]);
    step.is_one_number = part.count == 1 && from_[part.some[0]].kind == NodeKind::Test &&
                         from_[part.some[0]].relation() == Relation::Equal &&
                         from_[from_[part.some[0]].a].kind == ValueKind::Load;
    return step;
  }

  /// Whether it asks about four bytes, for numbers of which nothing is known: types, which say what follows, are short or known.
  bool is_address(const Node& n) {
    const ValueId about = subject(from_, n);
    return about != no_value && from_[about].kind == ValueKind::Load && from_[about].size() == 4 &&
           profile_.share(from_, ranges_, n).value_or(0) == 0;
  }

  /// Whether it asks for few numbers of a load from a fixed place, or of some of its bits.
  bool is_of_bits(const Node& n, const std::optional<Question>& q) const {
    if (!q || from_[q->value].kind != ValueKind::Load || from_[q->value].a != no_value) return false;
    return q->yes().size() <= few || (n.kind == NodeKind::Test && n.relation() == Relation::Bits);
  }

  double comparisons_of(const Node& n) const {
    if (n.kind != NodeKind::Member) return 1;  // of many, by halving
    const std::size_t intervals = from_.set_of(n).count();
    return static_cast<double>(intervals <= few ? intervals : few - 1 + std::bit_width(intervals / few));
  }

  /// Whether it is a range of a load's numbers, of which one comparison tells most others.
  bool asks_for_upper_bits(const Node& n, const std::optional<Question>& q) const {
    if (n.kind != NodeKind::Test || n.relation() != Relation::Equal || from_[n.a].kind != ValueKind::Binary) return false;
    return q && q->mask == 0xffffffff && q->value == from_[n.a].a && q->holds.count() == 1;
  }

  /// Values that have been worked out.
  struct AtHand {
    std::array<ValueId, most_values> values;
    std::size_t count = 0;
    Extent bytes;  ///< that they were loaded from
    bool has(ValueId v) const { return std::find(values.begin(), values.begin() + count, v) != values.begin() + count; }
  };

  /// Instructions to work a value out, once; constants are operands. What has many values costs much, however much.
  double cost(ValueId id, AtHand& at_hand) const {
    if (at_hand.count == most_values) return 1;
    if (id == no_value || from_[id].kind == ValueKind::Constant || at_hand.has(id)) return 0;
    at_hand.values[at_hand.count++] = id;
    const Value& v = from_[id];
    if (is_header_length(v)) return 1;
    if (v.kind == ValueKind::Load) {
      if (v.a == no_value) at_hand.bytes.add(v.k, v.k + v.size());
      else at_hand.bytes.add(Extent::behind + v.k, Extent::behind + v.k + v.size());
    }
    return 1 + cost(v.a, at_hand) + cost(v.b, at_hand) + (v.kind == ValueKind::Choice ? 4 : 0);
  }

  /// 4 * ([k] & 0xf): an instruction of its own in classic BPF.
  bool is_header_length(const Value& v) const {
    const auto is = [&](const Value& op, Arith arith, std::uint32_t k) {
      return op.kind == ValueKind::Binary && op.arith() == arith && constant_of(from_, op.b) == k;
    };
    if (!is(v, Arith::Lsh, 2) || !is(from_[v.a], Arith::And, 0xf)) return false;
    const Value& load = from_[from_[v.a].a];
    return load.kind == ValueKind::Load && load.size() == 1 && load.a == no_value;
  }

  // ---- the new graph ---------------------------------------------------------------------------------

  bool wanted(NodeId old) const override { return live_[old]; }

  NodeId make(const Node& n, NodeId old, Span span) override {
    return chain_of_[old] == no_chain ? to_.add(n, span) : rebuilt(chains_[chain_of_[old]]);
  }

  NodeId rebuilt(Place place) {
    const Chain chain = Chain(parts_).subspan(place.first, place.count);
    NodeId next = node(end_of(chain));
    for (auto part = chain.rbegin(); part != chain.rend(); ++part) next = copied(*part, next);
    return next;
  }

  /// The one exit that is no entry.
  static NodeId end_of(Chain chain) {
    return std::ranges::min(chain, {}, [](const Part& part) { return at(part.exit); }).exit;
  }

  NodeId copied(const Part& part, NodeId exit) {
    std::array<NodeId, largest> made;  // by place in the part
    const auto now = [&](NodeId to) {
      if (to == part.exit) return exit;
      const auto place = std::ranges::find(part.nodes(), to);
      return place == part.nodes().end() ? node(to) : made[static_cast<std::size_t>(place - part.nodes().begin())];
    };
    for (std::size_t i = 0; i < part.count; ++i) {
      const NodeId id = part.some[i];
      Node n = with_values(from_[id]);
      n.t = now(n.t);
      if (n.forks()) n.f = now(n.f);
      made[i] = passes(from_[id], ranges_) || (n.forks() && n.t == n.f) ? n.t : to_.add(n, from_.span(id));
    }
    return now(part.entry);
  }

  static constexpr std::uint32_t no_chain = 0xffffffff;
  const Profile& profile_;
  Flags live_, in_choice_;
  Ranges ranges_;
  Column<std::uint32_t> ways_in_;
  Onward onward_;
  Column<ValueId> at_hand_;  ///< by node
  Column<std::uint32_t> asked_;  ///< by set: how many nodes ask for it, counted when it matters
  Flags seen_;               ///< as the beginning of a part
  Flags moved_;
  std::vector<Part> parts_;  ///< of one chain after the other
  std::vector<Place> chains_;
  Column<std::uint32_t> chain_of_;  ///< by head: in `chains_`
};

}  // namespace

bool order_conjuncts(Program& p, const Profile& profile) {
  constexpr std::size_t least_nodes = 4;  // two tests and two verdicts
  if (profile.rows.empty() || p.node_count() < least_nodes) return false;
  Conjuncts conjuncts(p, profile);
  if (!conjuncts.found()) return false;
  p = conjuncts.run();
  return true;
}

}  // namespace weir::optimize
