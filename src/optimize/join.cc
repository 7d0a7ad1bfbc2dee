// Two tests of bytes that lie side by side are one test of them all, where both have to hold:
// [k:1] == a ? ([k+1:1] == b ? T : reject) : reject  ==  [k:2] == a<<8|b ? T : reject. Bits that neither asks about are
// masked away. Both need the same bytes for T. Lowers the number of instructions, and not at the cost of their expected
// number.
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

/// A test for some numbers of the bits under a mask of a load; all others are rejected.
struct Asked {
  Value load;
  std::uint32_t mask = 0;
  Set numbers;
  NodeId then{};
};

/// What two tests of a graph are as one.
class Pairs {
 public:
  Pairs(const Program& p, const Profile& profile) : p_(p), profile_(profile), ranges_(p) {}

  /// A test and the one behind it, where they go together and that pays.
  std::optional<Asked> both(const Node& n) {
    if (!n.forks() || rejects(p_, n.t) == rejects(p_, n.f)) return std::nullopt;
    const Node& next = p_[past_guards(rejects(p_, n.f) ? n.t : n.f)];
    if (!are_near(p_, n, next)) return std::nullopt;
    const auto first = asked(n), second = first ? asked(next) : std::nullopt;
    auto both = second ? joined(*first, *second) : std::nullopt;
    return both && pays(n, *first, *second, *both) ? std::move(both) : std::nullopt;
  }

  static std::uint32_t bits_of(std::uint32_t size) { return 0xffffffff >> (32 - 8 * size); }
  static bool is_whole(const Asked& a) { return a.mask == bits_of(a.load.size()); }

 private:
  NodeId past_guards(NodeId n) {
    while (p_[n].kind == NodeKind::Guard && ranges_.passage(p_[n]) == Ranges::Passage::Always) n = p_[n].t;
    return n;
  }

  std::optional<Asked> asked(const Node& n) {
    if (!n.forks() || rejects(p_, n.t) == rejects(p_, n.f)) return std::nullopt;
    const auto q = question(p_, ranges_, n);
    if (!q || p_[q->value].kind != ValueKind::Load) return std::nullopt;
    const bool straight = rejects(p_, n.f);
    Asked a{p_[q->value], q->mask & bits_of(p_[q->value].size()), straight ? q->yes() : q->no(), straight ? n.t : n.f};
    if (a.numbers.size() > few || a.numbers.size() != a.numbers.intervals().size()) return std::nullopt;
    return a;
  }

  static std::optional<Asked> joined(const Asked& a, const Asked& b) {
    if (a.load.a != b.load.a || a.numbers.size() * b.numbers.size() > few) return std::nullopt;
    const std::uint64_t begin = std::min(a.load.k, b.load.k), a_end = std::uint64_t{a.load.k} + a.load.size(), b_end = std::uint64_t{b.load.k} + b.load.size();
    const std::uint64_t end = std::max(a_end, b_end), size = end - begin;
    const bool is_apart = a_end <= b.load.k || b_end <= a.load.k;
    if (!is_apart || (size != 2 && size != 4) || end > 0xffffffff) return std::nullopt;
    const auto a_shift = static_cast<std::uint32_t>(8 * (end - a_end)), b_shift = static_cast<std::uint32_t>(8 * (end - b_end));
    Asked both{a.load, a.mask << a_shift | b.mask << b_shift, {}, b.then};
    both.load.detail = static_cast<std::uint8_t>(size);
    both.load.k = static_cast<std::uint32_t>(begin);
    for (const Interval x : a.numbers.intervals())
      for (const Interval y : b.numbers.intervals()) {
        const std::uint32_t number = x.low << a_shift | y.low << b_shift;
        both.numbers = both.numbers | Set::of(number);
      }
    return both;
  }

  /// Whether the one takes no more instructions than the two are expected to.
  bool pays(const Node& first_test, const Asked& first, const Asked& second, const Asked& both) {
    constexpr double hardly = 0.15;  // for it is shorter, too
    if (profile_.rows.empty()) return cost(both) <= cost(first);
    const bool straight = rejects(p_, first_test.f);
    for (std::size_t network = 0; network < Profile::networks; ++network) {
      const double holds = profile_.likelihood(p_, ranges_, first_test, network);
      if (cost(both) > cost(first) + (straight ? holds : 1 - holds) * cost(second) + hardly) return false;
    }
    return true;
  }

  /// A load, a mask where it cannot be part of the jump, and a jump a number.
  static double cost(const Asked& a) {
    const bool is_zero = a.numbers.size() == 1 && a.numbers.low() == 0;
    return 1 + (is_whole(a) || is_zero ? 0 : 1) + static_cast<double>(a.numbers.size());
  }

  static constexpr std::size_t few = 4;
  const Program& p_;
  const Profile& profile_;
  Ranges ranges_;
};

class Join : public Rewrite {
 public:
  Join(const Program& p, const Profile& profile)
      : Rewrite(p), profile_(profile), live_(live_nodes(p)), in_choice_(nodes_in_choices(p)), ways_in_(ways_in(p, live_)), pairs_(to_, profile) {}

  /// Whether `run` makes one of any two: most graphs have none, and need not be made anew.
  bool finds_any() const {
    Pairs pairs(from_, profile_);
    for (std::uint32_t i = 0; i < from_.node_count(); ++i)
      if (live_[i] && may_join(NodeId{i}) && pairs.both(from_[NodeId{i}])) return true;
    return false;
  }

 private:
  static std::uint32_t at(NodeId n) { return static_cast<std::uint32_t>(n); }
  bool wanted(NodeId old) const override { return live_[old]; }

  NodeId make(const Node& n, NodeId old, Span span) override {
    const auto both = may_join(old) ? pairs_.both(n) : std::nullopt;
    if (!both) return to_.add(n, span);
    const ValueId bytes = to_.add(both->load, span);
    const ValueId asked_about = Pairs::is_whole(*both) ? bytes : to_.binary(Arith::And, bytes, to_.constant(both->mask));
    const NodeId reject = rejects(to_, n.t) ? n.t : n.f;
    return both->numbers.size() == 1 ? to_.test(Relation::Equal, asked_about, to_.constant(both->numbers.low()), both->then, reject, span)
                                     : to_.member(asked_about, both->numbers, both->then, reject, span);
  }

  /// Whether what stands behind a test is asked of packets that pass it, and of no others: or it would have to stand twice.
  bool may_join(NodeId id) const {
    const Node& old = from_[id];
    if (!old.forks() || in_choice_[at(id)]) return false;
    NodeId was = rejects(from_, old.f) ? old.t : old.f;
    for (; from_[was].kind == NodeKind::Guard && ways_in_[at(was)] == 1; was = from_[was].t) {}
    return ways_in_[at(was)] == 1;
  }

  const Profile& profile_;
  Flags live_, in_choice_;
  Column<std::uint32_t> ways_in_;
  Pairs pairs_;  ///< of the new graph
};

bool may_join(const Program& p) {
  for (std::uint32_t i = 0; i < p.node_count(); ++i) {
    const Node& n = p[NodeId{i}];
    if (!n.forks() || rejects(p, n.t) == rejects(p, n.f)) continue;
    NodeId then = rejects(p, n.f) ? n.t : n.f;
    while (p[then].kind == NodeKind::Guard) then = p[then].t;
    if (are_near(p, n, p[then])) return true;
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
