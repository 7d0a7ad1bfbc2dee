// Two tests of bytes that lie side by side are one test of them all, where both have to hold:
// [k:1] == a ? ([k+1:1] == b ? T : F) : F  ==  [k:2] == a<<8|b ? T : F. Bits that neither asks about are masked away;
// bytes may be the same, too: v & a == 0 ? (v & b == 0 ? T : F) : F  ==  v & (a|b) == 0 ? T : F. Both need the same bytes
// for T, and for F where that rejects; elsewhere the second test may need no byte behind those of the first. Lowers the
// number of instructions, and not at the cost of their expected number.
#include <algorithm>
#include <optional>

#include "optimize/known.hpp"
#include "optimize/passes.hpp"
#include "optimize/rewrite.hpp"

namespace weir::optimize {
namespace {

using namespace ir;

/// Whether two tests are about bytes that one load can have.
bool are_near(const Program& p, const Node& n, const Node& next) {
  const ValueId a = subject(p, n), b = subject(p, next);
  if (a == no_value || b == no_value) return false;
  const Value &x = p[a], &y = p[b];
  if (x.kind != ValueKind::Load || y.kind != ValueKind::Load || x.a != y.a) return false;
  return std::max(std::uint64_t{x.k} + x.size(), std::uint64_t{y.k} + y.size()) - std::min(x.k, y.k) <= 4;
}

/// Whether a test goes on when it holds, or else when it does not: few numbers lead on.
bool may_go_on(const Node& n, bool straight) {
  return straight || n.kind != NodeKind::Test || n.relation() != Relation::Equal;
}

/// A test for some numbers of the bits under a mask of a load; all others lead elsewhere.
struct Asked {
  Value load;
  std::uint32_t mask = 0;
  Set numbers;
  NodeId then{}, otherwise{};
};

/// What two tests of a graph are as one.
class Pairs {
 public:
  Pairs(const Program& p, const Profile& profile) : p_(p), profile_(profile), ranges_(p) {}

  /// A test and the one behind it, on the way that it takes when it holds, or the other one: where they go together and that pays.
  /// `at_hand`: what the first one asks about need not be loaded.
  std::optional<Asked> both(const Node& n, bool straight, bool at_hand) {
    if (!n.forks() || !may_go_on(n, straight)) return std::nullopt;
    const Node& next = p_[past_guards(p_, ranges_, straight ? n.t : n.f)];
    const NodeId otherwise = past_guards(p_, ranges_, straight ? n.f : n.t);
    if (!next.forks() || !are_near(p_, n, next)) return std::nullopt;
    const bool next_straight = past_guards(p_, ranges_, next.f) == otherwise;
    if (!may_go_on(next, next_straight) || (!next_straight && past_guards(p_, ranges_, next.t) != otherwise)) return std::nullopt;
    const auto first = asked(n, straight), second = first ? asked(next, next_straight) : std::nullopt;
    if (!second || (!rejects(p_, otherwise) && end_of(second->load) > end_of(first->load))) return std::nullopt;
    auto both = joined(*first, *second);
    return both && pays(n, straight, cost(*first) - (at_hand ? 1 : 0), cost(*second), *both) ? std::move(both) : std::nullopt;
  }

  static std::uint32_t bits_of(std::uint32_t size) { return 0xffffffff >> (32 - 8 * size); }
  static bool is_zero(const Asked& a) { return a.numbers.size() == 1 && a.numbers.low() == 0; }
  static bool is_whole(const Asked& a) { return a.mask == bits_of(a.load.size()); }

 private:
  std::optional<Asked> asked(const Node& n, bool straight) {
    const auto q = question(p_, ranges_, n);
    if (!q || p_[q->value].kind != ValueKind::Load) return std::nullopt;
    Asked a{p_[q->value], q->mask & bits_of(p_[q->value].size()), straight ? q->yes() : q->no(), straight ? n.t : n.f,
            straight ? n.f : n.t};
    if (a.numbers.size() > few || a.numbers.size() != a.numbers.count()) return std::nullopt;
    return a;
  }

  static std::uint64_t end_of(const Value& load) { return std::uint64_t{load.k} + load.size(); }

  static std::optional<Asked> joined(const Asked& a, const Asked& b) {
    if (a.load.a != b.load.a || a.numbers.size() * b.numbers.size() > few) return std::nullopt;
    const std::uint64_t begin = std::min(a.load.k, b.load.k), end = std::max(end_of(a.load), end_of(b.load)), size = end - begin;
    if ((size != 1 && size != 2 && size != 4) || end > 0xffffffff) return std::nullopt;
    const auto a_shift = static_cast<std::uint32_t>(8 * (end - end_of(a.load))),
               b_shift = static_cast<std::uint32_t>(8 * (end - end_of(b.load)));
    Asked both{a.load, a.mask << a_shift | b.mask << b_shift, {}, b.then, a.otherwise};
    both.load.detail = static_cast<std::uint8_t>(size);
    both.load.k = static_cast<std::uint32_t>(begin);
    const std::uint32_t common = a.mask << a_shift & b.mask << b_shift;
    for (const Interval x : a.numbers.intervals())
      for (const Interval y : b.numbers.intervals()) {
        const std::uint32_t first = x.low << a_shift, second = y.low << b_shift;
        if ((first & common) == (second & common)) both.numbers = both.numbers | Set::of(first | second);
      }
    return both.numbers.empty() ? std::nullopt : std::optional(both);
  }

  /// Whether the one takes no more instructions than the two are expected to.
  bool pays(const Node& first_test, bool straight, double first, double second, const Asked& both) {
    const double hardly = rejects(p_, both.otherwise) ? 0.15 : 0;  // for it is shorter, too
    if (profile_.rows.empty()) return cost(both) <= first;
    for (std::size_t network = 0; network < Profile::networks; ++network) {
      const double holds = profile_.likelihood(p_, ranges_, first_test, network);
      if (cost(both) > first + (straight ? holds : 1 - holds) * second + hardly) return false;
    }
    return true;
  }

  /// A load, a mask where it cannot be part of the jump, and a jump a number.
  static double cost(const Asked& a) {
    return 1 + (is_whole(a) || is_zero(a) ? 0 : 1) + static_cast<double>(a.numbers.size());
  }

  static constexpr std::size_t few = 4;
  const Program& p_;
  const Profile& profile_;
  Ranges ranges_;
};

class Join : public Rewrite {
 public:
  Join(const Program& p, const Profile& profile)
      : Rewrite(p),
        profile_(profile),
        live_(live_nodes(p)),
        in_choice_(nodes_in_choices(p)),
        ways_in_(ways_in(p, live_)),
        ranges_(p),
        at_hand_(values_at_hand(p, ranges_, live_)),
        pairs_(to_, profile) {}

  /// Whether `run` makes one of any two: most graphs have none, and need not be made anew.
  bool finds_any() const {
    Pairs pairs(from_, profile_);
    for (std::uint32_t i = 0; i < from_.node_count(); ++i)
      for (const bool straight : {true, false})
        if (live_[i] && may_join(NodeId{i}, straight) && pairs.both(from_[NodeId{i}], straight, is_at_hand(NodeId{i}))) return true;
    return false;
  }

 private:
  static std::uint32_t at(NodeId n) { return static_cast<std::uint32_t>(n); }
  bool wanted(NodeId old) const override { return live_[old]; }

  NodeId make(const Node& n, NodeId old, Span span) override {
    for (const bool straight : {true, false})
      if (const auto both = may_join(old, straight) ? pairs_.both(n, straight, is_at_hand(old)) : std::nullopt) return test_of(*both, span);
    return to_.add(n, span);
  }

  NodeId test_of(const Asked& a, Span span) {
    const ValueId bytes = to_.add(a.load, span);
    if (Pairs::is_zero(a) && !Pairs::is_whole(a)) return to_.test(Relation::Bits, bytes, to_.constant(a.mask), a.otherwise, a.then, span);
    const ValueId asked_about = Pairs::is_whole(a) ? bytes : to_.binary(Arith::And, bytes, to_.constant(a.mask));
    return a.numbers.size() == 1 ? to_.test(Relation::Equal, asked_about, to_.constant(a.numbers.low()), a.then, a.otherwise, span)
                                 : to_.member(asked_about, a.numbers, a.then, a.otherwise, span);
  }

  /// Whether what stands behind a test is asked of packets that go this way, and of no others: or it would have to stand twice.
  bool may_join(NodeId id, bool straight) const {
    const Node& old = from_[id];
    if (!old.forks() || in_choice_[at(id)]) return false;
    NodeId was = straight ? old.t : old.f;
    for (; from_[was].kind == NodeKind::Guard && ways_in_[at(was)] == 1; was = from_[was].t) {}
    return ways_in_[at(was)] == 1;
  }

  /// Whether all tests before this one have asked about the same.
  bool is_at_hand(NodeId id) const { return from_[id].a == at_hand_[id]; }

  const Profile& profile_;
  Flags live_, in_choice_;
  Column<std::uint32_t> ways_in_;
  Ranges ranges_;
  Column<ValueId> at_hand_;  ///< by node
  Pairs pairs_;  ///< of the new graph
};

bool may_join(const Program& p) {
  const auto past_guards = [&](NodeId n) {
    while (p[n].kind == NodeKind::Guard) n = p[n].t;
    return n;
  };
  for (std::uint32_t i = 0; i < p.node_count(); ++i) {
    const Node& n = p[NodeId{i}];
    if (!n.forks()) continue;
    for (const bool straight : {true, false}) {
      if (!may_go_on(n, straight)) continue;
      const Node& next = p[past_guards(straight ? n.t : n.f)];
      const NodeId otherwise = past_guards(straight ? n.f : n.t);
      const auto leads_there = [&](bool next_straight) {
        return may_go_on(next, next_straight) && past_guards(next_straight ? next.f : next.t) == otherwise;
      };
      if (next.forks() && (leads_there(true) || leads_there(false)) && are_near(p, n, next)) return true;
    }
  }
  return false;
}

}  // namespace

bool join_loads(Program& p, const Profile& profile) {
  constexpr int turns = 2;  // of bytes to two, of two to four
  bool any = false;
  for (int turn = 0; turn < turns && may_join(p); ++turn) {
    Join join(p, profile);
    if (!join.finds_any()) break;
    p = join.run();
    any = true;
  }
  return any;
}

}  // namespace weir::optimize
