#include "optimize/known.hpp"

#include <algorithm>

namespace weir::optimize {

using namespace ir;

bool Known::Fact::possible(std::uint32_t k) const {
  return k >= range.low && k <= range.high && std::find(excluded.begin(), excluded.end(), k) == excluded.end();
}

void Known::Fact::exclude(std::uint32_t k) {
  if (!possible(k)) return;
  if (k == range.low && range.low < range.high) {
    ++range.low;
  } else if (k == range.high && range.low < range.high) {
    --range.high;
  } else {
    if (excluded.size() == most_excluded) excluded.erase(excluded.begin());
    excluded.push_back(k);
  }
}

std::optional<Known::Question> Known::question(const Program& p, Ranges& ranges, const Node& n) {
  Question q{{n.a, 0xffffffff}, ranges.of(n.a), Relation::Bits, 0xffffffff};
  if (n.kind == NodeKind::Test) {
    const auto k = constant_of(p, n.b);
    if (!k) return std::nullopt;
    q.op = n.relation();
    q.k = *k;
  }
  const Value& v = p[n.a];
  if (v.kind == ValueKind::Binary && v.arith() == Arith::And)
    if (const auto mask = constant_of(p, v.b)) q.subject = {v.a, *mask};
  if (q.op == Relation::Bits) {
    q.subject.mask &= q.k;
    if (q.subject.mask != 0xffffffff) q.range = {0, q.subject.mask};
  }
  return q;
}

const Known::Fact* Known::find(Subject s) const {
  for (const Fact& f : facts_)
    if (f.subject == s) return &f;
  return nullptr;
}

/// What is known of the subject itself, or what a number that is known under a wider mask says of it.
std::optional<Known::Fact> Known::derive(const Question& q) const {
  if (const Fact* f = find(q.subject)) return *f;
  for (const Fact& f : facts_)
    if (f.subject.value == q.subject.value && (q.subject.mask & ~f.subject.mask) == 0 && f.range.low == f.range.high) {
      const std::uint32_t k = f.range.low & q.subject.mask;
      return Fact{q.subject, {k, k}, {}};
    }
  return std::nullopt;
}

std::optional<bool> Known::decides(const Program& p, Ranges& ranges, const Node& test) const {
  const auto q = question(p, ranges, test);
  if (!q) return std::nullopt;
  const auto f = derive(*q);
  if (!f) return std::nullopt;
  const Interval r = f->range;
  switch (q->op) {
    case Relation::Equal:
      if (!f->possible(q->k)) return false;
      if (r.low == r.high) return true;
      break;
    case Relation::Greater:
      if (r.low > q->k) return true;
      if (r.high <= q->k) return false;
      break;
    case Relation::GreaterEqual:
      if (r.low >= q->k) return true;
      if (r.high < q->k) return false;
      break;
    case Relation::Bits:
      if (!f->possible(0)) return true;
      if (r.high == 0) return false;
      break;
  }
  return std::nullopt;
}

void Known::learn(const Program& p, Ranges& ranges, const Node& test, bool outcome) {
  const auto q = question(p, ranges, test);
  if (!q) return;
  Fact f = derive(*q).value_or(Fact{q->subject, q->range, {}});
  const auto at_least = [&](std::uint64_t k) { f.range.low = static_cast<std::uint32_t>(std::max<std::uint64_t>(f.range.low, k)); };
  const auto below = [&](std::uint64_t k) { f.range.high = static_cast<std::uint32_t>(std::min<std::uint64_t>(f.range.high, k ? k - 1 : 0)); };
  switch (q->op) {
    case Relation::Equal:
      if (outcome)
        f = {q->subject, {q->k, q->k}, {}};
      else
        f.exclude(q->k);
      break;
    case Relation::Greater: outcome ? at_least(std::uint64_t{q->k} + 1) : below(std::uint64_t{q->k} + 1); break;
    case Relation::GreaterEqual: outcome ? at_least(q->k) : below(q->k); break;
    case Relation::Bits:
      if (!outcome)
        f = {q->subject, {0, 0}, {}};
      else if ((q->subject.mask & (q->subject.mask - 1)) == 0)
        f = {q->subject, {q->subject.mask, q->subject.mask}, {}};
      else
        f.exclude(0);
      break;
  }
  std::erase_if(facts_, [&](const Fact& old) { return old.subject == f.subject; });
  if (facts_.size() == most_facts) facts_.erase(facts_.begin());
  facts_.push_back(std::move(f));
}

/// Numbers that neither way allows stay excluded, be it by an interval or by name.
Known::Fact Known::join(const Fact& a, const Fact& b) {
  Fact both{a.subject, {std::min(a.range.low, b.range.low), std::max(a.range.high, b.range.high)}, {}};
  for (const Fact* f : {&a, &b})
    for (const std::uint32_t k : f->excluded)
      if (!a.possible(k) && !b.possible(k) && both.possible(k) && both.excluded.size() < most_excluded)
        both.excluded.push_back(k);
  return both;
}

void Known::meet(const Known& other) {
  std::vector<Fact> both;
  for (const Fact& f : facts_)
    if (const Fact* o = other.find(f.subject)) both.push_back(join(f, *o));
  facts_ = std::move(both);
}

}  // namespace weir::optimize
