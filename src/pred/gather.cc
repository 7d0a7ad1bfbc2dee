// What terms end with alike goes behind them first (factor.hpp). A chain is then taken apart into the tree of chain.hpp. A later term
// gives its sets to leaves that are there; what has no leaf yet stays where it was written, for its load might reject packets that the
// terms before it accept. Then the tree is arranged, and a filter made of it. A term that has all parts of another one goes before that:
// a or a and b == a. A chain of `and` is the same with all signs turned: not (not A1 or not A2 or …).
#include "pred/gather.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "pred/chain.hpp"
#include "pred/classes.hpp"
#include "pred/factor.hpp"
#include "pred/pattern.hpp"

namespace weir::pred {
namespace {

/// The conditions on the way from the top of a chain to a place in it, as a list that shares its beginnings.
struct Path {
  std::uint32_t parent = 0;
  std::uint32_t condition = 0;  ///< its class: equal for conditions that say the same; `none` where a path begins
  static constexpr std::uint32_t none = 0xffffffff;
  bool operator==(const Path&) const = default;
};

struct Slot {
  std::uint32_t path = 0;
  ValueId value{};
  bool operator==(const Slot&) const = default;
};

class Gather {
 public:
  explicit Gather(const Filter& f) : from_(f), loads_(f), made_(f.expr_count(), nothing), values_(f.value_count(), no_value), classes_(f) {}

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
  static constexpr std::uint32_t many_terms = 100;  ///< of a long list
  static constexpr std::size_t most_on_path = 1000;  ///< one behind the other: each nests what is behind it, and stages recurse

  static std::uint32_t at(ExprId e) { return static_cast<std::uint32_t>(e); }

  /// Asks for the new form of the chain that a literal is, once.
  void want(Literal l) {
    const ExprId id = plain(from_, l).expr;
    if (!is_chain(id) || made_[at(id)] != nothing) return;
    made_[at(id)] = ExprId{0};  // asked for
    wanted_.push_back(id);
  }

  // ---- taking apart ----------------------------------------------------------------------------------

  void take_apart(ExprId id) {
    chains_.push_back({id, from_[id].kind == ExprKind::And, {Fork{}}, {}, {}});
    chain_ = &chains_.back();
    slots_ = {};
    slot_index_ = {};
    begin_epoch();
    alternatives({id, chain_->negated}, epoch_, 0);  // a barrier ends an epoch; there are none further in
  }

  /// What is written from here on meets no leaf from before.
  void begin_epoch() {
    epoch_ = intern(Path{static_cast<std::uint32_t>(paths_.size()), Path::none});  // its own parent, as no other
    lengths_.push_back(0);
    conditions_.push_back({});
    chain_->forks[0].path = epoch_;
  }

  void alternatives(Literal any, std::uint32_t path, std::uint32_t depth) {
    const Expr& e = from_[any.expr];
    if (e.b > many_terms && !learnt_) return long_list(any, path, depth);
    const std::vector<bool> absorbed = find_absorbed(any);
    if (learnt_ && !absorbed.empty()) learnt_->forget();
    for (std::uint32_t i = 0; i < e.b; ++i)
      if (absorbed.empty() || !absorbed[i]) alternative({from_.child(e, i), any.negated}, depth == 0 ? epoch_ : path, depth);
  }

  void long_list(Literal any, std::uint32_t path, std::uint32_t depth) {
    constexpr std::size_t kinds = 4;   // that alternate
    constexpr std::size_t some = 100;  // that are learnt before it is clear whether others are like them
    std::array<Pattern, kinds> patterns;
    std::size_t learnt = 0;
    for (std::uint32_t i = 0; i < from_[any.expr].b; ++i) {
      const ExprId term = from_.child(from_[any.expr], i);
      const bool pays = 2 * learnt < i + some;
      if (pays && std::ranges::any_of(patterns, [&](const Pattern& p) { return gives_like(p, term); })) continue;
      Pattern& pattern = patterns[learnt++ % kinds];
      pattern = Pattern(from_, term);
      learnt_ = &pattern;
      const std::uint32_t epoch = epoch_;
      alternative({term, any.negated}, depth == 0 ? epoch_ : path, depth);
      if (epoch != epoch_) patterns = {};
      pattern.settle();
      learnt_ = nullptr;
    }
  }

  bool gives_like(const Pattern& pattern, ExprId term) {
    if (!pattern.is_like(from_, term, numbers_)) return false;
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      const Pattern::Given& given = pattern.given()[i];
      Leaf& leaf = chain_->leaves[given.leaf];
      leaf.parts.push_back(numbers_[i]);
      count(leaf, pattern.part_of(term, given.written.expr));
    }
    return true;
  }

  /// a or a and b  ==  a, a and b or a  ==  a, for terms of any number of parts in any order: by term, whether it has all parts of one
  /// before it, or right behind it, and goes. Where a part of that one rejects a packet that is cut off, so it does in the term that
  /// goes. Nothing for many terms.
  std::vector<bool> find_absorbed(Literal any) {
    const Expr& e = from_[any.expr];
    constexpr std::uint32_t few = 8;
    if (e.b > few || from_[chain_->id].b > many_terms) return {};  // within long lists it would take most of the time
    std::vector<std::vector<std::uint32_t>> parts;
    for (std::uint32_t i = 0; i < e.b; ++i) parts.push_back(sorted_parts(plain(from_, {from_.child(e, i), any.negated})));
    std::vector<bool> absorbed(e.b);
    for (std::uint32_t i = 0; i < e.b; ++i)
      for (std::uint32_t k = 0; k < e.b && k <= i + 1 && !absorbed[i] && !loads_.stops(from_.child(e, i)); ++k)
        absorbed[i] = k != i && !absorbed[k] && (parts[i] != parts[k] || k < i) && std::ranges::includes(parts[i], parts[k]);
    return absorbed;
  }

  std::vector<std::uint32_t> sorted_parts(Literal term) {
    std::vector<std::uint32_t> parts = classes_.of_parts(term);
    std::ranges::sort(parts);
    return parts;
  }

  void alternative(Literal term, std::uint32_t path, std::uint32_t depth) {
    term = plain(from_, term);
    if (loads_.stops(term.expr)) {
      put(other(term), path);
      begin_epoch();
      return;
    }
    if (const auto s = subject(from_, term)) return join(*s, term, path);
    if (depth < most_nested && is_any(from_, term)) return alternatives(term, path, depth + 1);
    if (depth < most_nested && fits_behind(term, path)) return conditional(term, path, depth + 1);
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
    condition = plain(from_, condition);
    if (depth < most_nested && fits_behind(condition, path)) {
      const Expr& e = from_[condition.expr];
      for (std::uint32_t i = 0; i < e.b; ++i) path = behind({from_.child(e, i), condition.negated}, path, depth + 1);
      return path;
    }
    const std::uint32_t id = intern(Path{path, classes_.of(condition)});
    if (id == conditions_.size()) {
      lengths_.push_back(lengths_[path] + 1);
      conditions_.push_back(condition);
    }
    return id;
  }

  std::uint32_t intern(const Path& path) {
    return path_index_.intern(paths_, path, [](const Path& p) { return mix(1, p.parent, p.condition); });
  }

  /// Whether its operands may be conditions of their own. A list that something must not meet stays in one piece, and is gathered itself.
  bool fits_behind(Literal l, std::uint32_t path) const {
    constexpr std::uint32_t few = 3;
    const std::uint32_t count = from_[l.expr].b;
    return is_all(from_, l) && (!l.negated || count <= few) && lengths_[path] + count <= most_on_path;
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
    if (learnt_) learnt_->add(from_, written, s.value, slot);
    Leaf& leaf = leaves[slot];
    leaf.parts.insert(leaf.parts.end(), s.set.intervals().begin(), s.set.intervals().end());
    count(leaf, written.expr);
  }

  void count(Leaf& leaf, ExprId written) {
    leaf.span = weir::join(leaf.span, from_.span(written));
    ++leaf.count;
  }

  Item other(Literal l) {
    if (learnt_) learnt_->forget();
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

  // ---- cases -----------------------------------------------------------------------------------------

  static constexpr std::size_t most_in_a_row = 4;

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
    arrange(chain, from_, loads_);
    // Forks are numbered from the outside in.
    std::vector<ExprId> forks(chain.forks.size());
    for (auto i = chain.forks.size(); i-- > 0;) {
      const Fork& fork = chain.forks[i];
      std::vector<ExprId> items;
      items.reserve(fork.items.size());
      const bool turned = chain.negated && i == 0;
      for (const Item& item : fork.items) items.push_back(made(chain, item, forks, turned));
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
      case Item::Kind::Fork: return signed_as(forks[item.index], turned);
      case Item::Kind::Cases: return signed_as(decided(chain, chain.cases[item.index], forks, from_.span(chain.id)), turned);
      case Item::Kind::Other: return copied({item.other.expr, item.other.negated != turned});
    }
    return {};
  }

  ExprId signed_as(ExprId e, bool turned) { return turned ? to_.negation(e, {}) : e; }

  ExprId made(const Leaf& leaf, bool turned) {
    if (leaf.count == 1) return copied({leaf.written.expr, leaf.written.negated != turned});
    if (!joined_ || !std::ranges::equal(joined_->parts, leaf.parts)) joined_ = Joined{leaf.parts, Set::join(leaf.parts)};
    const Set& set = joined_->set;
    // A constant would take with it what stands beside it, and that may reject whole packets.
    if (set.empty() || set.is_everything())
      return to_.compare(Relation::Equal, to_.constant(0), to_.constant(set.empty() == turned ? 0 : 1), leaf.span);
    return to_.member(value(subject(from_, leaf.written)->value), turned ? set.complement() : set, leaf.span);
  }

  ExprId copied(Literal l) {
    l = plain(from_, l);
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
  Loads loads_;
  std::vector<ExprId> made_;  ///< by old expression: its new form
  std::vector<ValueId> values_;
  std::vector<ExprId> wanted_;
  std::vector<Chain> chains_;

  struct Joined {
    std::span<const Interval> parts;
    Set set;
  };
  std::optional<Joined> joined_;  ///< of the leaf before, which mostly has the same numbers

  Chain* chain_ = nullptr;    ///< the one being taken apart
  std::uint32_t epoch_ = 0;   ///< the path that its conditions begin at
  std::vector<Slot> slots_;   ///< numbered like the chain's leaves
  InternIndex slot_index_;
  std::vector<Path> paths_;
  std::vector<std::size_t> lengths_;  ///< by path: how many conditions
  std::vector<Literal> conditions_;   ///< by path: its last
  InternIndex path_index_;
  Classes classes_;
  std::vector<std::uint32_t> trail_;
  std::vector<Interval> numbers_;  ///< of a term that is like a pattern
  Pattern* learnt_ = nullptr;      ///< of the term that is taken apart, in a long list
};

}  // namespace

Filter gather(const Filter& f) {
  const auto once_behind = factored(f);
  return Gather(once_behind ? *once_behind : f).run();
}

}  // namespace weir::pred
