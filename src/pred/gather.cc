// `A1 or A2 or …`, each of the form C and (v1 in S1 or v2 in S2 or …), is kept as a tree: at its forks stand the
// conditions C, at its leaves one set for each value. A later term gives its sets to leaves that are there; what has no
// leaf yet stays where it was written, for its load might reject packets that the terms before it accept.
// A chain of `and` is the same with all signs turned: not (not A1 or not A2 or …).
#include "pred/gather.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace weir::pred {
namespace {

/// An expression or its negation.
struct Literal {
  ExprId expr{};
  bool negated = false;
};

/// The conditions on the way from the top of a chain to a place in it, as a list that shares its beginnings.
struct Path {
  std::uint32_t parent = 0;
  std::uint32_t condition = 0;  ///< its class: equal for conditions that say the same
  bool operator==(const Path&) const = default;
};

struct Slot {
  std::uint32_t path = 0;
  ValueId value{};
  bool operator==(const Slot&) const = default;
};

/// What stands at a slot.
struct Leaf {
  std::vector<Interval> parts;
  Literal written;  ///< the first that was put there
  Span span;
  std::uint32_t count = 0;
};

struct Item {
  enum class Kind : std::uint8_t { Leaf, Fork, Other, Cases } kind;
  std::uint32_t index = 0;  ///< of a slot or fork
  Literal other;
};

/// Where bytes end, counted from the start of the packet; nowhere for such whose place depends on the packet.
using End = std::uint64_t;
constexpr End nowhere = ~End{0};

/// Condition and (items…); the condition of the top is true.
struct Fork {
  std::uint32_t path = 0;
  std::uint32_t parent = 0;
  Literal condition;
  std::vector<Item> items;
  End had = 0;    ///< captured whenever an item is asked
  End needs = 0;  ///< captured, nothing in it fails
  End shows = 0;  ///< captured when it holds
};

/// A maximal and/or expression, taken apart.
struct Chain {
  ExprId id{};
  bool negated = false;  ///< a chain of `and`: all signs are turned
  std::vector<Fork> forks;
  std::vector<Leaf> leaves;
};

struct Subject {
  ValueId value;
  Set set;
};

class Gather {
 public:
  explicit Gather(const Filter& f) : from_(f), barrier_(f.expr_count()), bounds_(f.value_count()), made_(f.expr_count(), nothing), values_(f.value_count(), no_value) {
    find_barriers();
  }

  Filter run() {
    to_.accept = from_.accept;
    to_.mark_count = from_.mark_count;
    want({from_.root, false});
    for (std::uint32_t i = 0; i < from_.value_count(); ++i)
      if (from_[ValueId{i}].kind == ValueKind::Choice) want({from_[ValueId{i}].test, false});
    while (!wanted_.empty()) {  // no recursion: chains that alternate nest as deep as they are long
      const ExprId id = wanted_.back();
      wanted_.pop_back();
      take_apart(id);
    }
    // Parts have smaller ids than what they are parts of.
    std::sort(chains_.begin(), chains_.end(), [](const Chain& a, const Chain& b) { return a.id < b.id; });
    for (Chain& c : chains_) made_[at(c.id)] = rebuilt(c);
    to_.root = copied({from_.root, false});
    return std::move(to_);
  }

 private:
  static constexpr ExprId nothing{0xffffffff};
  static constexpr std::uint32_t most_nested = 64;  ///< conditions within conditions; deeper ones stay in one piece

  static std::uint32_t at(ExprId e) { return static_cast<std::uint32_t>(e); }

  // ---- barriers ----------------------------------------------------------------------------------------

  /// Marks, and values that can reject a packet even when it is there as a whole.
  void find_barriers() {
    find_bounds();
    for (std::uint32_t i = 0; i < from_.expr_count(); ++i) {  // parts come first
      const Expr& e = from_[ExprId{i}];
      switch (e.kind) {
        case ExprKind::True:
        case ExprKind::False:
        case ExprKind::Passed: break;
        case ExprKind::Mark: barrier_[i] = true; break;
        case ExprKind::Compare: barrier_[i] = bounds_[e.a].may_reject || bounds_[e.b].may_reject; break;
        case ExprKind::Member: barrier_[i] = bounds_[e.a].may_reject; break;
        case ExprKind::Not: barrier_[i] = barrier_[e.a]; break;
        case ExprKind::And:
        case ExprKind::Or:
          for (std::uint32_t n = 0; n < e.b && !barrier_[i]; ++n) barrier_[i] = barrier_[at(from_.child(e, n))];
      }
    }
  }

  struct Bound {
    std::uint32_t high = 0xffffffff;
    bool may_reject = false;
    End end = 0;  ///< of all that it loads
  };

  void find_bounds() {
    const std::uint64_t top = 0xffffffff;
    for (std::uint32_t i = 0; i < from_.value_count(); ++i) {  // operands come first
      const Value& v = from_[ValueId{i}];
      const Bound a = v.a == no_value ? Bound{0} : bounds_[static_cast<std::uint32_t>(v.a)];
      const Bound b = v.b == no_value ? Bound{0} : bounds_[static_cast<std::uint32_t>(v.b)];
      Bound& all = bounds_[i];
      all.may_reject = a.may_reject || b.may_reject;
      all.end = std::max(a.end, b.end);
      if (v.kind == ValueKind::Constant) all.high = v.k;
      if (v.kind == ValueKind::Load) {
        // No packet has 2^31 bytes and more: a load beyond them rejects whole ones.
        all.may_reject |= std::uint64_t{a.high} + v.k + v.detail > 0x7fffffff;
        all.high = static_cast<std::uint32_t>((std::uint64_t{1} << 8 * v.detail) - 1);
        all.end = v.a == no_value ? End{v.k} + v.detail : nowhere;
      }
      if (v.kind == ValueKind::Choice) {
        all.may_reject = true;  // its test may
        all.end = nowhere;
        all.high = std::max(a.high, b.high);
      }
      if (v.kind != ValueKind::Binary) continue;
      const auto k = constant(v.b);
      switch (static_cast<Arith>(v.detail)) {
        case Arith::Add: all.high = static_cast<std::uint32_t>(std::min(top, std::uint64_t{a.high} + b.high)); break;
        case Arith::And: all.high = std::min(a.high, b.high); break;
        case Arith::Lsh: all.high = k && *k < 32 ? static_cast<std::uint32_t>(std::min(top, std::uint64_t{a.high} << *k)) : 0xffffffff; break;
        case Arith::Rsh: all.high = k && *k < 32 ? a.high >> *k : a.high; break;
        case Arith::Div:
        case Arith::Mod: all.may_reject |= k.value_or(0) == 0; break;
        case Arith::Sub:
        case Arith::Mul:
        case Arith::Or:
        case Arith::Xor: break;
      }
    }
  }

  /// Asks for the new form of the chain that a literal is, once.
  void want(Literal l) {
    const ExprId id = plain(l).expr;
    if (!is_chain(id) || made_[at(id)] != nothing) return;
    made_[at(id)] = ExprId{0};  // asked for
    wanted_.push_back(id);
  }

  /// An expression without its place in the text; of a chain, its operands one after the other.
  struct Shape {
    std::uint8_t kind = 0, detail = 0;
    bool negated = false;
    std::uint32_t a = 0, b = 0;
    bool operator==(const Shape&) const = default;
  };
  static constexpr std::uint8_t goes_on = 0, ends = 1, itself = 2;
  static constexpr std::uint32_t most_compared = 3, most_operands = 8;  ///< of conditions; others are but like themselves

  // ---- taking apart ----------------------------------------------------------------------------------

  bool is_any(Literal l) const { return from_[l.expr].kind == (l.negated ? ExprKind::And : ExprKind::Or); }
  bool is_all(Literal l) const { return from_[l.expr].kind == (l.negated ? ExprKind::Or : ExprKind::And); }

  Literal plain(Literal l) const {
    while (from_[l.expr].kind == ExprKind::Not) l = {ExprId{from_[l.expr].a}, !l.negated};
    return l;
  }

  void take_apart(ExprId id) {
    chains_.push_back({id, from_[id].kind == ExprKind::And, {Fork{}}, {}});
    chain_ = &chains_.back();
    slots_ = {};
    slot_index_ = {};
    begin_epoch();
    alternatives({id, chain_->negated}, epoch_, 0);  // a barrier ends an epoch; there are none further in
  }

  /// What is written from here on meets no leaf from before.
  void begin_epoch() {
    epoch_ = static_cast<std::uint32_t>(paths_.size());
    paths_.push_back({epoch_, 0});
    conditions_.push_back({});
    chain_->forks[0].path = epoch_;
  }

  void alternatives(Literal any, std::uint32_t path, std::uint32_t depth) {
    const Expr& e = from_[any.expr];
    for (std::uint32_t i = 0; i < e.b; ++i) alternative({from_.child(e, i), any.negated}, depth == 0 ? epoch_ : path, depth);
  }

  void alternative(Literal term, std::uint32_t path, std::uint32_t depth) {
    term = plain(term);
    if (barrier_[at(term.expr)]) {
      put(other(term), path);
      begin_epoch();
      return;
    }
    if (const auto s = subject(term)) return join(*s, term, path);
    if (depth < most_nested && is_any(term)) return alternatives(term, path, depth + 1);
    if (depth < most_nested && is_all(term)) return conditional(term, path, depth + 1);
    put(other(term), path);
  }

  /// C1 and C2 and … and the last, which may be alternatives again.
  void conditional(Literal all, std::uint32_t path, std::uint32_t depth) {
    const Expr& e = from_[all.expr];
    for (std::uint32_t i = 0; i + 1 < e.b; ++i) path = behind({from_.child(e, i), all.negated}, path, depth);
    alternative({from_.child(e, e.b - 1), all.negated}, path, depth);
  }

  /// The path on behind a condition.
  std::uint32_t behind(Literal condition, std::uint32_t path, std::uint32_t depth) {
    condition = plain(condition);
    if (depth < most_nested && is_all(condition)) {
      const Expr& e = from_[condition.expr];
      for (std::uint32_t i = 0; i < e.b; ++i) path = behind({from_.child(e, i), condition.negated}, path, depth + 1);
      return path;
    }
    const Path step{path, class_of(condition, 0)};
    const std::uint32_t id = path_index_.intern(paths_, step, [](const Path& p) { return mix(1, p.parent, p.condition); });
    if (id == conditions_.size()) conditions_.push_back(condition);
    return id;
  }

  /// A number for what a condition says: the same for the same comparison, wherever it stands.
  std::uint32_t class_of(Literal l, std::uint32_t depth) {
    const Expr& e = from_[l.expr];
    const auto kind = static_cast<std::uint8_t>(e.kind);
    if (e.kind != ExprKind::And && e.kind != ExprKind::Or) return number({kind, e.detail, l.negated, e.a, e.b});
    if (depth == most_compared || e.b > most_operands) return number({kind, itself, l.negated, at(l.expr), 0});
    std::uint32_t all = class_of(plain({from_.child(e, 0), false}), depth + 1);
    for (std::uint32_t i = 1; i < e.b; ++i)
      all = number({kind, i + 1 == e.b ? ends : goes_on, l.negated, all, class_of(plain({from_.child(e, i), false}), depth + 1)});
    return all;
  }

  std::uint32_t number(const Shape& shape) {
    return shape_index_.intern(shapes_, shape, [](const Shape& s) {
      return mix(mix(2, s.kind, s.detail * 2u + s.negated), s.a, s.b);
    });
  }

  void join(const Subject& s, Literal written, std::uint32_t path) {
    const std::uint32_t slot = slot_index_.intern(slots_, Slot{path, s.value}, [](const Slot& x) {
      return mix(3, x.path, static_cast<std::uint32_t>(x.value));
    });
    auto& leaves = chain_->leaves;
    if (slot == leaves.size()) {
      leaves.push_back({{}, written, {}, 0});
      put({Item::Kind::Leaf, slot, {}}, path);
    }
    Leaf& leaf = leaves[slot];
    leaf.parts.insert(leaf.parts.end(), s.set.intervals().begin(), s.set.intervals().end());
    leaf.span = weir::join(leaf.span, from_.span(written.expr));
    ++leaf.count;
  }

  Item other(Literal l) {
    want(l);
    return {Item::Kind::Other, 0, l};
  }

  bool is_chain(ExprId id) const { return from_[id].kind == ExprKind::And || from_[id].kind == ExprKind::Or; }

  /// Puts an item behind all that is there, under its conditions; those that the last item stands under are shared.
  void put(Item item, std::uint32_t path) {
    trail_.clear();
    for (std::uint32_t p = path; paths_[p].parent != p; p = paths_[p].parent) trail_.push_back(p);
    std::uint32_t fork = 0;
    for (auto p = trail_.rbegin(); p != trail_.rend(); ++p) fork = fork_behind(fork, *p);
    chain_->forks[fork].items.push_back(item);
  }

  std::uint32_t fork_behind(std::uint32_t fork, std::uint32_t path) {
    auto& forks = chain_->forks;
    const auto& items = forks[fork].items;
    if (!items.empty() && items.back().kind == Item::Kind::Fork && forks[items.back().index].path == path)
      return items.back().index;
    const auto next = static_cast<std::uint32_t>(forks.size());
    want(conditions_[path]);
    forks[fork].items.push_back({Item::Kind::Fork, next, {}});
    forks.push_back({path, fork, conditions_[path], {}});
    return next;
  }

  // ---- sets ------------------------------------------------------------------------------------------

  std::optional<std::uint32_t> constant(ValueId v) const {
    return from_[v].kind == ValueKind::Constant ? std::optional(from_[v].k) : std::nullopt;
  }

  /// The value and the numbers for which a literal holds.
  std::optional<Subject> subject(Literal l) const {
    const Expr& e = from_[l.expr];
    if (e.kind == ExprKind::Member) return Subject{ValueId{e.a}, l.negated ? from_.set(e.b).complement() : from_.set(e.b)};
    if (e.kind != ExprKind::Compare) return std::nullopt;
    const auto k = constant(ValueId{e.b});
    if (!k || constant(ValueId{e.a})) return std::nullopt;
    auto s = against(ValueId{e.a}, static_cast<Relation>(e.detail), *k);
    if (s && l.negated) s->set = s->set.complement();
    return s;
  }

  std::optional<Subject> against(ValueId v, Relation op, std::uint32_t k) const {
    switch (op) {
      case Relation::Equal: return equal(v, k);
      case Relation::Greater: return Subject{v, k == 0xffffffff ? Set() : Set({k + 1, 0xffffffff})};
      case Relation::GreaterEqual: return Subject{v, Set({k, 0xffffffff})};
      case Relation::Bits: break;
    }
    return std::nullopt;
  }

  /// (x & m) == k for a mask of the upper bits of x: an interval of x.
  Subject equal(ValueId v, std::uint32_t k) const {
    const Value& masked = from_[v];
    if (masked.kind == ValueKind::Binary && static_cast<Arith>(masked.detail) == Arith::And)
      if (const auto mask = constant(masked.b)) {
        const Value& x = from_[masked.a];
        const std::uint32_t all = x.kind == ValueKind::Load && x.detail < 4 ? (1u << 8 * x.detail) - 1 : 0xffffffff;
        const std::uint32_t rest = ~*mask & all;
        if ((rest & (rest + 1)) == 0 && (k & ~(*mask & all)) == 0) return {masked.a, Set({k, k | rest})};
      }
    return {v, Set::of(k)};
  }

  // ---- cases -----------------------------------------------------------------------------------------

  /// Forks for different numbers of one value: at most one of them can hold, and halving finds it.
  struct Cases {
    ValueId value;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> forks;  ///< number, fork
    /// Numbers for which the same is asked: a leaf.
    struct Alike {
      std::uint32_t leaf;
      std::vector<Interval> numbers;
    };
    std::vector<Alike> alike;
  };
  static constexpr std::size_t worth_halving = 6, most_in_a_row = 4;

  End end_of(Literal l) const {
    const Expr& e = from_[l.expr];
    if (e.kind == ExprKind::Member) return bounds_[e.a].end;
    return e.kind == ExprKind::Compare ? std::max(bounds_[e.a].end, bounds_[e.b].end) : nowhere;
  }
  static End known(End e) { return e == nowhere ? 0 : e; }

  void find_ends(Chain& chain) {
    auto& forks = chain.forks;
    for (std::size_t i = 1; i < forks.size(); ++i)
      forks[i].had = std::max(forks[forks[i].parent].had, known(end_of(forks[i].condition)));
    for (auto i = forks.size(); i-- > 1;) {
      Fork& fork = forks[i];
      const End end = end_of(fork.condition);
      fork.needs = end;
      End shows = nowhere;
      for (const Item& item : fork.items) {
        fork.needs = std::max(fork.needs, needs(chain, item));
        shows = std::min(shows, this->shows(chain, item));
      }
      fork.shows = std::max(known(end), shows);
    }
  }
  End needs(const Chain& chain, const Item& item) const {
    if (item.kind == Item::Kind::Leaf) return end_of(chain.leaves[item.index].written);
    return item.kind == Item::Kind::Fork ? chain.forks[item.index].needs : nowhere;
  }
  End shows(const Chain& chain, const Item& item) const {
    if (item.kind == Item::Kind::Leaf) return known(end_of(chain.leaves[item.index].written));
    return item.kind == Item::Kind::Fork ? chain.forks[item.index].shows : 0;
  }

  /// Forks with the same condition become one, where they may move up to it. `shown`: what is captured whenever something
  /// between it and the end of the items holds.
  void bring_together(Chain& chain, Fork& fork) const {
    struct Met {
      std::uint32_t fork;
      End shown = nowhere;
    };
    constexpr std::size_t most_met = 8;
    std::vector<Met> met;
    std::size_t kept = 0;
    for (const Item item : fork.items) {
      const End shown = shows(chain, item);
      if (item.kind == Item::Kind::Fork) {
        Fork& next = chain.forks[item.index];
        const auto same = std::ranges::find_if(met, [&](const Met& m) { return chain.forks[m.fork].path == next.path; });
        if (same != met.end() && (same->shown == nowhere || next.needs <= std::max(next.had, same->shown))) {
          Fork& first = chain.forks[same->fork];
          first.items.insert(first.items.end(), next.items.begin(), next.items.end());
          first.needs = std::max(first.needs, next.needs);
          first.shows = std::min(first.shows, next.shows);
          for (auto m = met.begin(); m != same; ++m) m->shown = std::min(m->shown, shown);
          continue;
        }
        for (Met& m : met) m.shown = std::min(m.shown, shown);
        if (same != met.end()) met.erase(same);
        if (met.size() == most_met) met.erase(met.begin());
        met.push_back({item.index});
      } else {
        for (Met& m : met) m.shown = std::min(m.shown, shown);
      }
      fork.items[kept++] = item;
    }
    fork.items.resize(kept, Item{Item::Kind::Other, 0, {}});
  }

  /// The value and number of a fork whose condition is an equality.
  std::optional<std::pair<ValueId, std::uint32_t>> key(const Chain& chain, const Item& item) const {
    if (item.kind != Item::Kind::Fork) return std::nullopt;
    const auto s = subject(chain.forks[item.index].condition);
    if (!s || s->set.size() != 1) return std::nullopt;
    return std::pair(s->value, s->set.low());
  }

  /// Takes forks of many numbers of one value out of the items and puts their cases where the first one stood.
  std::vector<Cases> separate(const Chain& chain, Fork& fork) {
    std::vector<Cases> all;
    if (fork.items.size() < worth_halving) return all;
    std::vector<std::optional<std::pair<ValueId, std::uint32_t>>> keys;
    std::unordered_map<std::uint32_t, std::size_t> counts;
    for (const Item& item : fork.items) {
      keys.push_back(key(chain, item));
      if (keys.back()) ++counts[static_cast<std::uint32_t>(keys.back()->first)];
    }
    for (std::size_t i = 0; i < fork.items.size(); ++i) {
      if (!keys[i]) continue;
      const ValueId value = keys[i]->first;
      if (std::exchange(counts[static_cast<std::uint32_t>(value)], 0) < worth_halving) continue;
      Cases cases{value, {}, {}};
      if (!movable(chain, fork, keys, i)) continue;
      std::size_t kept = i + 1;
      cases.forks.emplace_back(keys[i]->second, fork.items[i].index);
      for (std::size_t n = i + 1; n < fork.items.size(); ++n) {
        if (keys[n] && keys[n]->first == value) {
          cases.forks.emplace_back(keys[n]->second, fork.items[n].index);
          continue;
        }
        fork.items[kept] = fork.items[n];
        keys[kept++] = keys[n];
      }
      fork.items.resize(kept, fork.items[i]);
      keys.resize(kept);
      std::ranges::sort(cases.forks);
      find_alike(chain, cases);
      fork.items[i] = {Item::Kind::Cases, static_cast<std::uint32_t>(all.size()), {}};
      keys[i].reset();
      all.push_back(std::move(cases));
    }
    return all;
  }

  /// v == a and X or v == b and X == v in {a, b} and X, of which nothing else can hold.
  void find_alike(const Chain& chain, Cases& cases) const {
    std::map<std::tuple<ValueId, std::uint32_t, std::uint32_t>, std::vector<std::size_t>> by_leaf;
    const auto is_again = [&](std::size_t i, std::size_t n) { return n < cases.forks.size() && cases.forks[i].first == cases.forks[n].first; };
    for (std::size_t i = 0; i < cases.forks.size(); ++i) {
      if (is_again(i, i - 1) || is_again(i, i + 1)) continue;  // what is asked of one number keeps its order
      const Fork& fork = chain.forks[cases.forks[i].second];
      if (fork.items.size() != 1 || fork.items[0].kind != Item::Kind::Leaf) continue;
      const Leaf& leaf = chain.leaves[fork.items[0].index];
      if (leaf.parts.size() == 1)
        by_leaf[{subject(leaf.written)->value, leaf.parts[0].low, leaf.parts[0].high}].push_back(i);
    }
    std::vector<bool> taken(cases.forks.size());
    for (const auto& [_, members] : by_leaf) {
      if (members.size() < 2) continue;
      Cases::Alike alike{chain.forks[cases.forks[members[0]].second].items[0].index, {}};
      for (const std::size_t i : members) {
        alike.numbers.push_back({cases.forks[i].first, cases.forks[i].first});
        taken[i] = true;
      }
      cases.alike.push_back(std::move(alike));
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < cases.forks.size(); ++i)
      if (!taken[i]) cases.forks[kept++] = cases.forks[i];
    cases.forks.resize(kept);
  }

  /// Whether all forks of a value may move up to the first: what they load must be there whenever something that they
  /// pass holds.
  bool movable(const Chain& chain, const Fork& fork, const auto& keys, std::size_t first) const {
    const ValueId value = keys[first]->first;
    const End there = std::max(fork.had, known(bounds_[static_cast<std::uint32_t>(value)].end));
    End shown = nowhere;
    bool barred = false;
    for (std::size_t n = first + 1; n < fork.items.size(); ++n) {
      const Item& item = fork.items[n];
      if (!keys[n] || keys[n]->first != value) {
        shown = std::min(shown, shows(chain, item));
        barred |= item.kind == Item::Kind::Other && barrier_[at(item.other.expr)];
      } else if (barred || (shown != nowhere && needs(chain, item) > std::max(there, shown))) {
        return false;
      }
    }
    return true;
  }

  /// v >= middle ? upper half : lower half, down to a few equalities in a row.
  ExprId decided(const Chain& chain, const Cases& cases, const std::vector<ExprId>& forks, Span span) {
    std::vector<ExprId> ways;
    for (const Cases::Alike& alike : cases.alike) {
      const ExprId is_one = to_.member(value(cases.value), Set::join(alike.numbers), span);
      ways.push_back(to_.all({is_one, made(chain.leaves[alike.leaf], false)}, span));
    }
    if (!cases.forks.empty()) ways.push_back(halves(value(cases.value), cases.forks, forks, span));
    return to_.any(std::move(ways), span);
  }
  ExprId halves(ValueId v, std::span<const std::pair<std::uint32_t, std::uint32_t>> cases, const std::vector<ExprId>& forks, Span span) {
    std::size_t middle = cases.size() / 2;
    while (middle < cases.size() && cases[middle].first == cases[middle - 1].first) ++middle;  // one number stays together
    if (cases.size() <= most_in_a_row || middle == cases.size()) {
      std::vector<ExprId> row;
      for (const auto& [_, fork] : cases) row.push_back(forks[fork]);
      return to_.any(std::move(row), span);
    }
    const auto is_upper = [&] { return to_.compare(Relation::GreaterEqual, v, to_.constant(cases[middle].first), span); };
    const ExprId upper = to_.all({is_upper(), halves(v, cases.subspan(middle), forks, span)}, span);
    const ExprId lower = to_.all({to_.negation(is_upper(), span), halves(v, cases.first(middle), forks, span)}, span);
    return to_.any({upper, lower}, span);
  }

  // ---- the new filter --------------------------------------------------------------------------------

  ExprId rebuilt(Chain& chain) {
    find_ends(chain);
    for (Fork& fork : chain.forks) bring_together(chain, fork);
    // Forks are numbered from the outside in.
    std::vector<ExprId> forks(chain.forks.size());
    for (auto i = chain.forks.size(); i-- > 0;) {
      Fork& fork = chain.forks[i];
      const std::vector<Cases> cases = separate(chain, fork);
      std::vector<ExprId> items;
      items.reserve(fork.items.size());
      const bool turned = chain.negated && i == 0;
      for (const Item& item : fork.items) {
        if (item.kind != Item::Kind::Cases) items.push_back(made(chain, item, forks, turned));
        else if (const ExprId e = decided(chain, cases[item.index], forks, from_.span(chain.id)); !turned) items.push_back(e);
        else items.push_back(to_.negation(e, {}));
      }
      const Span span = from_.span(chain.id);
      if (i == 0) return chain.negated ? to_.all(std::move(items), span) : to_.any(std::move(items), span);
      const ExprId inner = to_.any(std::move(items), span);
      forks[i] = to_.all({copied(fork.condition), inner}, span);
    }
    return {};
  }

  ExprId made(const Chain& chain, const Item& item, const std::vector<ExprId>& forks, bool turned) {
    switch (item.kind) {
      case Item::Kind::Leaf: return made(chain.leaves[item.index], turned);
      case Item::Kind::Fork: return turned ? to_.negation(forks[item.index], {}) : forks[item.index];
      case Item::Kind::Other: return copied({item.other.expr, item.other.negated != turned});
      case Item::Kind::Cases: break;
    }
    return {};
  }

  ExprId made(const Leaf& leaf, bool turned) {
    if (leaf.count == 1) return copied({leaf.written.expr, leaf.written.negated != turned});
    Set set = Set::join(leaf.parts);
    // A constant would take with it what stands beside it, and that may reject whole packets.
    if (set.empty() || set.is_everything())
      return to_.compare(Relation::Equal, to_.constant(0), to_.constant(set.empty() == turned ? 0 : 1), leaf.span);
    return to_.member(value(subject(leaf.written)->value), turned ? set.complement() : set, leaf.span);
  }

  ExprId copied(Literal l) {
    l = plain(l);
    const ExprId positive = copied(l.expr);
    return l.negated ? to_.negation(positive, from_.span(l.expr)) : positive;
  }

  ExprId copied(ExprId id) {
    const Expr& e = from_[id];
    const Span span = from_.span(id);
    switch (e.kind) {
      case ExprKind::True: return to_.truth(true);
      case ExprKind::False: return to_.truth(false);
      case ExprKind::Compare: {
        const ValueId a = value(ValueId{e.a});
        return to_.compare(static_cast<Relation>(e.detail), a, value(ValueId{e.b}), span);
      }
      case ExprKind::Member: return to_.member(value(ValueId{e.a}), from_.set(e.b), span);
      case ExprKind::Mark: return to_.mark(e.a, span);
      case ExprKind::Passed: return to_.passed(e.a, span);
      case ExprKind::Not:
      case ExprKind::And:
      case ExprKind::Or: break;
    }
    return made_[at(id)];  // a chain of its own, finished before
  }

  ValueId value(ValueId old) {
    if (old == no_value) return old;
    ValueId& known = values_[static_cast<std::uint32_t>(old)];
    if (known != no_value) return known;
    const Value& v = from_[old];
    ValueId made{};
    switch (v.kind) {
      case ValueKind::Constant: made = to_.constant(v.k); break;
      case ValueKind::Load: made = to_.load(v.detail, value(v.a), v.k); break;
      case ValueKind::Length: made = to_.length(); break;
      case ValueKind::Meta: made = to_.meta(static_cast<Meta>(v.detail)); break;
      case ValueKind::Negate: made = to_.negate(value(v.a)); break;
      case ValueKind::Binary: {
        const ValueId a = value(v.a);
        made = to_.binary(static_cast<Arith>(v.detail), a, value(v.b));
        break;
      }
      case ValueKind::Choice: {
        const ValueId a = value(v.a);
        made = to_.choice(copied({v.test, false}), a, value(v.b));
        break;
      }
    }
    return values_[static_cast<std::uint32_t>(old)] = made;
  }

  const Filter& from_;
  Filter to_;
  std::vector<bool> barrier_;  ///< by expression: nothing moves past it
  std::vector<Bound> bounds_;  ///< by value
  std::vector<ExprId> made_;  ///< by old expression: its new form
  std::vector<ValueId> values_;
  std::vector<ExprId> wanted_;
  std::vector<Chain> chains_;

  Chain* chain_ = nullptr;    ///< the one being taken apart
  std::uint32_t epoch_ = 0;   ///< the path that its conditions begin at
  std::vector<Slot> slots_;   ///< numbered like the chain's leaves
  InternIndex slot_index_;
  std::vector<Path> paths_;
  std::vector<Literal> conditions_;  ///< by path: its last
  InternIndex path_index_;
  std::vector<Shape> shapes_;
  InternIndex shape_index_;
  std::vector<std::uint32_t> trail_;
};

}  // namespace

Filter gather(const Filter& f) { return Gather(f).run(); }

}  // namespace weir::pred
