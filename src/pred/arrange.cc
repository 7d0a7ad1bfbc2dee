#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>

#include "pred/chain.hpp"

namespace weir::pred {
namespace {

/// Fewer are found as fast one after the other.
constexpr std::size_t worth_halving = 6;

/// Captured for certain; an end that is nowhere says nothing.
End known(End e) { return e == nowhere ? 0 : e; }

class Arrangement {
 public:
  Arrangement(Chain& chain, const Filter& f, const Loads& loads) : chain_(chain), filter_(f), loads_(loads) {}

  void run() {
    find_ends();
    for (Fork& fork : chain_.forks) bring_together(fork);
    for (auto fork = chain_.forks.rbegin(); fork != chain_.forks.rend(); ++fork) separate(*fork);  // from the inside out
  }

 private:
  /// The value and number of a fork whose condition is an equality.
  using Key = std::optional<std::pair<ValueId, std::uint32_t>>;

  // ---- what is captured -----------------------------------------------------------------------------

  void find_ends() {
    auto& forks = chain_.forks;
    for (std::size_t i = 1; i < forks.size(); ++i)  // numbered from the outside in
      forks[i].had = std::max(forks[forks[i].parent].had, known(loads_.end_of(forks[i].condition.expr)));
    for (auto i = forks.size(); i-- > 1;) {
      Fork& fork = forks[i];
      fork.needs = loads_.end_of(fork.condition.expr);
      fork.shows = nowhere;
      for (const Item& item : fork.items) {
        fork.needs = std::max(fork.needs, needs(item));
        fork.shows = std::min(fork.shows, shows(item));
      }
      fork.shows = std::max(fork.shows, known(loads_.end_of(fork.condition.expr)));
    }
  }

  End needs(const Item& item) const {
    if (item.kind == Item::Kind::Leaf) return loads_.end_of(chain_.leaves[item.index].written.expr);
    return item.kind == Item::Kind::Fork ? chain_.forks[item.index].needs : nowhere;
  }
  End shows(const Item& item) const {
    if (item.kind == Item::Kind::Leaf) return known(loads_.end_of(chain_.leaves[item.index].written.expr));
    return item.kind == Item::Kind::Fork ? chain_.forks[item.index].shows : 0;
  }

  // ---- one condition ----------------------------------------------------------------------------------

  /// A fork that others may join.
  struct Met {
    std::uint32_t fork;
    End shown = nowhere;  ///< captured whenever something behind it holds
  };

  /// Forks with the same condition become one, where they may move up to it.
  void bring_together(Fork& fork) {
    constexpr std::size_t most_met = 8;
    std::vector<Met> met;
    std::size_t kept = 0;
    for (const Item item : fork.items) {
      const bool is_fork = item.kind == Item::Kind::Fork;
      const auto same = is_fork ? std::ranges::find_if(met, [&](const Met& m) { return is_same(m, item); }) : met.end();
      const bool joins = same != met.end() && may_join(*same, item);
      for (auto m = met.begin(); m != (joins ? same : met.end()); ++m) m->shown = std::min(m->shown, shows(item));
      if (joins) {
        join(chain_.forks[same->fork], chain_.forks[item.index]);
        continue;
      }
      if (same != met.end()) met.erase(same);
      if (is_fork && met.size() == most_met) met.erase(met.begin());
      if (is_fork) met.push_back({item.index});
      fork.items[kept++] = item;
    }
    fork.items.resize(kept, Item{Item::Kind::Other, 0, {}});
  }

  bool is_same(const Met& m, const Item& item) const { return chain_.forks[m.fork].path == chain_.forks[item.index].path; }
  bool may_join(const Met& m, const Item& item) const {
    const Fork& next = chain_.forks[item.index];
    return m.shown == nowhere || next.needs <= std::max(next.had, m.shown);
  }

  static void join(Fork& first, const Fork& next) {
    first.items.insert(first.items.end(), next.items.begin(), next.items.end());
    first.needs = std::max(first.needs, next.needs);
    first.shows = std::min(first.shows, next.shows);
  }

  // ---- many numbers of one value -------------------------------------------------------------------------

  /// Takes forks of many numbers of one value out of the items and puts their cases where the first one stood.
  void separate(Fork& fork) {
    if (fork.items.size() < worth_halving) return;
    std::vector<Key> keys;
    std::unordered_map<std::uint32_t, std::size_t> counts;
    for (const Item& item : fork.items) {
      keys.push_back(key(item));
      if (keys.back()) ++counts[static_cast<std::uint32_t>(keys.back()->first)];
    }
    for (std::size_t i = 0; i < fork.items.size(); ++i) {
      if (!keys[i]) continue;
      const std::size_t count = std::exchange(counts[static_cast<std::uint32_t>(keys[i]->first)], 0);  // looked at once
      if (count >= worth_halving && may_move_up(fork, keys, i)) take_out(fork, keys, i);
    }
  }

  Key key(const Item& item) const {
    if (item.kind != Item::Kind::Fork) return std::nullopt;
    const auto s = subject(filter_, chain_.forks[item.index].condition);
    if (!s || s->set.size() != 1) return std::nullopt;
    return std::pair(s->value, s->set.low());
  }

  /// Whether all forks of a value may move up to the first: what they load must be there whenever something that they
  /// pass holds.
  bool may_move_up(const Fork& fork, const std::vector<Key>& keys, std::size_t first) const {
    const ValueId value = keys[first]->first;
    const End there = std::max(fork.had, known(loads_.end_of(value)));
    End shown = nowhere;
    bool stopped = false;
    for (std::size_t n = first + 1; n < fork.items.size(); ++n) {
      const Item& item = fork.items[n];
      if (!keys[n] || keys[n]->first != value) {
        shown = std::min(shown, shows(item));
        stopped |= item.kind == Item::Kind::Other && loads_.stops(item.other.expr);
      } else if (stopped || (shown != nowhere && needs(item) > std::max(there, shown))) {
        return false;
      }
    }
    return true;
  }

  void take_out(Fork& fork, std::vector<Key>& keys, std::size_t first) {
    Cases cases{keys[first]->first, {}, {}};
    std::size_t kept = first + 1;
    for (std::size_t n = first; n < fork.items.size(); ++n) {
      if (keys[n] && keys[n]->first == cases.value) {
        cases.forks.emplace_back(keys[n]->second, fork.items[n].index);
        continue;
      }
      fork.items[kept] = fork.items[n];
      keys[kept++] = keys[n];
    }
    fork.items.resize(kept, fork.items[first]);
    keys.resize(kept);
    std::ranges::sort(cases.forks);
    find_alike(cases);
    fork.items[first] = {Item::Kind::Cases, static_cast<std::uint32_t>(chain_.cases.size()), {}};
    keys[first].reset();
    chain_.cases.push_back(std::move(cases));
  }

  /// v == a and X or v == b and X == v in {a, b} and X, for numbers of which nothing else is asked.
  void find_alike(Cases& cases) const {
    using LeafKey = std::tuple<ValueId, std::uint32_t, std::uint32_t>;  // a value and one interval
    std::map<LeafKey, std::vector<std::size_t>> by_leaf;
    for (std::size_t i = 0; i < cases.forks.size(); ++i) {
      const Fork& fork = chain_.forks[cases.forks[i].second];
      if (!is_alone(cases, i) || fork.items.size() != 1 || fork.items[0].kind != Item::Kind::Leaf) continue;
      const Leaf& leaf = chain_.leaves[fork.items[0].index];
      if (leaf.parts.size() == 1)
        by_leaf[{subject(filter_, leaf.written)->value, leaf.parts[0].low, leaf.parts[0].high}].push_back(i);
    }
    std::vector<bool> taken(cases.forks.size());
    for (const auto& [_, members] : by_leaf) {
      if (members.size() < 2) continue;
      Cases::Alike alike{chain_.forks[cases.forks[members[0]].second].items[0].index, {}};
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

  /// What is asked of one number keeps its order, so it has to be all.
  static bool is_alone(const Cases& cases, std::size_t i) {
    const auto has = [&](std::size_t n) { return n < cases.forks.size() && cases.forks[n].first == cases.forks[i].first; };
    return !has(i - 1) && !has(i + 1);
  }

  Chain& chain_;
  const Filter& filter_;
  const Loads& loads_;
};

}  // namespace

void arrange(Chain& chain, const Filter& f, const Loads& loads) { Arrangement(chain, f, loads).run(); }

}  // namespace weir::pred
