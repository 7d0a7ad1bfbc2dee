#include "prove/diagrams.hpp"

#include <algorithm>
#include <array>

namespace weir::prove {
namespace {

constexpr std::uint32_t top = 0xffffffff;
constexpr Ref nothing{top};

/// Results of `choose` that are remembered at a time.
constexpr std::size_t most_chosen = 2'000'000;

constexpr std::size_t most_questions = 4000;

}  // namespace

Diagrams::Diagrams(Clock::time_point deadline, std::size_t most_edges)
    : index_(1 << 12, 0), deadline_(deadline), most_edges_(most_edges) {}

// ---- nodes ------------------------------------------------------------------------------------------

/// Paths are as long as there are terms to ask for, and the functions below recurse along them.
void Diagrams::note_question(TermId term) {
  const auto n = static_cast<std::uint32_t>(term);
  if (n >= asked_.size()) asked_.resize(n + 1, false);
  if (asked_[n]) return;
  asked_[n] = true;
  if (++questions_ > most_questions) throw GivenUp("too many different values are tested");
}

void Diagrams::check_budget() {
  if (edges_.size() > most_edges_) throw GivenUp("the tests combine in too many ways");
  if (++steps_ % 1024 == 0 && Clock::now() > deadline_) throw GivenUp("the time is over");
}

std::uint64_t Diagrams::rank(TermId t) const {
  const std::uint64_t last = terms_[t].kind == TermKind::Room ? std::uint64_t{1} << 32 : 0;
  return last | static_cast<std::uint32_t>(t);
}

Ref Diagrams::leaf(TermId value) {
  const auto n = static_cast<std::uint32_t>(value);
  if (n >= leaves_.size()) leaves_.resize(n + 1, nothing);
  if (leaves_[n] == nothing) {
    leaves_[n] = Ref{static_cast<std::uint32_t>(nodes_.size())};
    nodes_.push_back({value, 0, 0});
  }
  return leaves_[n];
}

/// The node of these edges, which end at `top`; edges side by side that go to one place are joined first.
Ref Diagrams::make(TermId term, std::vector<Edge>& edges) {
  std::size_t end = 0;
  for (const Edge& e : edges) {
    if (end != 0 && edges[end - 1].to == e.to) edges[end - 1].high = e.high;
    else edges[end++] = e;
  }
  edges.resize(end);
  return end == 1 ? edges[0].to : intern(term, edges);
}

Ref Diagrams::intern(TermId term, std::span<const Edge> edges) {
  check_budget();
  if ((nodes_.size() + 1) * 2 > index_.size()) grow_index();
  std::uint64_t hash = mix(0, static_cast<std::uint32_t>(term), edges.size());
  for (const Edge& e : edges) hash = mix(hash, e.high, static_cast<std::uint32_t>(e.to));
  const std::size_t mask = index_.size() - 1;
  std::size_t at = hash & mask;
  for (; index_[at] != 0; at = (at + 1) & mask) {
    const Ref known{index_[at] - 1};
    if ((*this)[known].term == term && std::ranges::equal(this->edges(known), edges)) return known;
  }
  const Ref made{static_cast<std::uint32_t>(nodes_.size())};
  index_[at] = static_cast<std::uint32_t>(nodes_.size()) + 1;
  nodes_.push_back({term, static_cast<std::uint32_t>(edges_.size()), static_cast<std::uint32_t>(edges.size())});
  edges_.insert(edges_.end(), edges.begin(), edges.end());
  return made;
}

void Diagrams::grow_index() {
  index_.assign(index_.size() * 2, 0);
  const std::size_t mask = index_.size() - 1;
  for (std::uint32_t n = 0; n < nodes_.size(); ++n) {
    const Node& node = nodes_[n];
    if (node.count == 0) continue;
    std::uint64_t hash = mix(0, static_cast<std::uint32_t>(node.term), node.count);
    for (const Edge& e : edges(Ref{n})) hash = mix(hash, e.high, static_cast<std::uint32_t>(e.to));
    std::size_t at = hash & mask;
    while (index_[at] != 0) at = (at + 1) & mask;
    index_[at] = n + 1;
  }
}

// ---- values -------------------------------------------------------------------------------------------

Ref Diagrams::replace_leaves(Ref d, const OfTerm& by, Memo& memo) {
  if (is_leaf(d)) return by((*this)[d].term);
  const auto key = static_cast<std::uint32_t>(d);
  if (const auto known = memo.find(key); known != memo.end()) return known->second;
  const TermId term = (*this)[d].term;
  const std::vector<Edge> before(edges(d).begin(), edges(d).end());
  std::vector<Edge> after;
  bool in_order = true;
  for (const Edge& e : before) {
    after.push_back({e.high, replace_leaves(e.to, by, memo)});
    in_order = in_order && rank(after.back().to) > rank(term);
  }
  Ref result = after.back().to;
  if (in_order) {
    result = make(term, after);
  } else {  // what replaces a leaf asks for what comes before this node
    const auto all = ways(d);
    for (const auto& [to, set] : all) result = choose(indicator(term, set), replace_leaves(to, by, memo), result);
  }
  memo.emplace(key, result);
  return result;
}

Ref Diagrams::combine(Ref a, Ref b, const OfTerms& by, std::unordered_map<std::uint64_t, Ref>& memo) {
  if (is_leaf(a) && is_leaf(b)) return leaf(by((*this)[a].term, (*this)[b].term));
  const std::uint64_t key = std::uint64_t{static_cast<std::uint32_t>(a)} << 32 | static_cast<std::uint32_t>(b);
  if (const auto known = memo.find(key); known != memo.end()) return known->second;
  const std::uint64_t first = std::min(rank(a), rank(b));
  const TermId term = rank(a) == first ? (*this)[a].term : (*this)[b].term;
  const bool split_a = rank(a) == first, split_b = rank(b) == first;
  std::vector<Edge> made;
  std::size_t i = (*this)[a].first, j = (*this)[b].first;
  for (std::uint32_t high = 0; made.empty() || high != top;) {
    const Edge x = split_a ? edges_[i] : Edge{top, a}, y = split_b ? edges_[j] : Edge{top, b};
    high = std::min(x.high, y.high);
    made.push_back({high, combine(x.to, y.to, by, memo)});
    i += x.high == high;
    j += y.high == high;
  }
  const Ref result = make(term, made);
  memo.emplace(key, result);
  return result;
}

Ref Diagrams::load(std::uint32_t size, Ref address) {
  Memo memo;
  return replace_leaves(address, [&](TermId t) { return leaf(terms_.load(size, t)); }, memo);
}

Ref Diagrams::room(Bytes of, Ref offset) {
  Memo memo;
  return replace_leaves(offset, [&](TermId t) { return leaf(terms_.room(of, t)); }, memo);
}

Ref Diagrams::binary(Arith op, Ref a, Ref b) {
  std::unordered_map<std::uint64_t, Ref> memo;
  return combine(a, b, [&](TermId x, TermId y) { return terms_.binary(op, x, y); }, memo);
}

// ---- truths -------------------------------------------------------------------------------------------

Ref Diagrams::compare(Relation op, Ref a, Ref b) {
  if (op == Relation::Bits) return member(binary(Arith::And, a, b), Set(Interval{1, top}));
  if (op == Relation::GreaterEqual) return negation(compare(Relation::Greater, b, a));
  std::unordered_map<std::uint64_t, Ref> memo;
  return member(combine(a, b, [&](TermId x, TermId y) { return terms_.compare(op, x, y); }, memo), Set::of(1));
}

Ref Diagrams::member(Ref value, const Set& set) {
  if (set.empty()) return truth(false);
  Memo memo;
  return replace_leaves(value, [&](TermId t) { return indicator(t, set); }, memo);
}

/// Whether a term lies in a set, as a node or a constant.
Ref Diagrams::indicator(TermId asked, const Set& of) {
  const auto [term, set] = terms_.peeled(asked, of);
  const Interval range = terms_.range(term);
  const Set possible = set & Set(range);
  if (possible.empty()) return truth(false);
  if (possible == Set(range)) return truth(true);
  if (const auto simple = terms_.against_constant(term)) {
    const Ref when_true = indicator(simple->first, simple->second);
    return possible.contains(1) ? when_true : negation(when_true);
  }
  note_question(term);
  std::vector<Edge> edges;
  const Ref yes = truth(true), no = truth(false);
  std::uint64_t next = range.low;
  for (const Interval i : possible.intervals()) {
    if (i.low > next) edges.push_back({i.low - 1, no});
    edges.push_back({i.high, yes});
    next = std::uint64_t{i.high} + 1;
  }
  if (next <= range.high) edges.push_back({range.high, no});
  edges.back().high = top;  // numbers beyond the range go the way of the nearest: they do not exist
  return make(term, edges);
}

Ref Diagrams::choose(Ref c, Ref a, Ref b) {
  if (a == b) return a;
  if (is_leaf(c)) return c == truth(true) ? a : b;
  if (a == truth(true) && b == truth(false)) return c;
  const Key key{c, a, b};
  if (const auto known = chosen_.find(key); known != chosen_.end()) return known->second;
  const std::array<Ref, 3> of{c, a, b};
  const std::uint64_t first = std::min({rank(c), rank(a), rank(b)});
  TermId term{};
  std::array<std::size_t, 3> at{};
  std::array<bool, 3> splits{};
  for (std::size_t n = 0; n < 3; ++n) {
    splits[n] = rank(of[n]) == first;
    at[n] = (*this)[of[n]].first;
    if (splits[n]) term = (*this)[of[n]].term;
  }
  std::vector<Edge> made;
  for (std::uint32_t high = 0; made.empty() || high != top;) {
    std::array<Edge, 3> e{};
    for (std::size_t n = 0; n < 3; ++n) e[n] = splits[n] ? edges_[at[n]] : Edge{top, of[n]};
    high = std::min({e[0].high, e[1].high, e[2].high});
    made.push_back({high, choose(e[0].to, e[1].to, e[2].to)});
    for (std::size_t n = 0; n < 3; ++n) at[n] += e[n].high == high;
  }
  const Ref result = make(term, made);
  if (chosen_.size() > most_chosen) chosen_.clear();
  chosen_.emplace(key, result);
  return result;
}

// ---- into another algebra -------------------------------------------------------------------------------

std::vector<std::pair<Ref, Set>> Diagrams::ways(Ref node) const {
  std::vector<std::pair<Ref, std::vector<Interval>>> parts;
  std::unordered_map<std::uint32_t, std::size_t> place;
  std::uint32_t low = 0;
  for (const Edge& e : edges(node)) {
    const auto [at, is_new] = place.emplace(static_cast<std::uint32_t>(e.to), parts.size());
    if (is_new) parts.push_back({e.to, {}});
    parts[at->second].second.push_back({low, e.high});
    low = e.high + 1;
  }
  std::vector<std::pair<Ref, Set>> all;
  for (auto& [to, intervals] : parts) all.emplace_back(to, Set::join(std::move(intervals)));
  return all;
}

Ref Diagrams::Translation::truth(Ref d) {
  if (from.is_leaf(d)) return to.truth(d == from.truth(true));
  const auto key = static_cast<std::uint32_t>(d);
  if (const auto known = truths.find(key); known != truths.end()) return known->second;
  const auto ways = from.ways(d);
  Ref result = truth(ways.back().first);
  for (std::size_t i = ways.size() - 1; i-- > 0;)
    result = to.choose(test(from[d].term, ways[i].second), truth(ways[i].first), result);
  truths.emplace(key, result);
  return result;
}

/// From the top to "true", by an edge of each node: one that leads there, and of those not always the same.
Ref Diagrams::Translation::way(Ref d, std::uint32_t which) {
  Ref all = to.truth(true);
  while (!from.is_leaf(d)) {
    std::vector<std::pair<Interval, Ref>> open;
    std::uint32_t low = 0;
    for (const Edge& e : from.edges(d)) {
      if (e.to != from.truth(false)) open.emplace_back(Interval{low, e.high}, e.to);
      low = e.high + 1;
    }
    const auto& [interval, next] = open[which % open.size()];
    all = to.both(all, test(from[d].term, Set(interval)));
    d = next;
  }
  return all;
}

Ref Diagrams::Translation::test(TermId t, const Set& set) {
  const Term term = from.terms_[t];
  if (term.kind != TermKind::Compare) return to.member(value(t), set);
  const Ref holds = to.compare(static_cast<Relation>(term.detail), value(term.a), value(term.b));
  return set.contains(1) ? holds : to.negation(holds);
}

Ref Diagrams::Translation::value(TermId t) {
  const auto key = static_cast<std::uint32_t>(t);
  if (const auto known = terms.find(key); known != terms.end()) return known->second;
  const Ref result = compute(t);
  terms.emplace(key, result);
  return result;
}

Ref Diagrams::Translation::compute(TermId id) {
  const Term t = from.terms_[id];
  switch (t.kind) {
    case TermKind::Constant: return to.constant(t.k);
    case TermKind::Length: return to.length();
    case TermKind::Meta: return to.meta(static_cast<Meta>(t.detail));
    case TermKind::Load: return to.load(t.detail, value(t.a));
    case TermKind::Binary: {
      const Ref a = value(t.a);
      return to.binary(t.arith(), a, value(t.b));
    }
    case TermKind::Room: return to.room(static_cast<Bytes>(t.detail), value(t.a));
    case TermKind::Compare: return to.choose(test(id, Set::of(1)), to.constant(1), to.constant(0));
  }
  return to.constant(0);
}

}  // namespace weir::prove
