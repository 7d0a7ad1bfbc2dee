#include "lower/marks.hpp"

#include <algorithm>
#include <iterator>

namespace weir::lower {

using pred::Expr;
using pred::ExprId;
using pred::ExprKind;

std::uint32_t StateSets::number(std::vector<Passed> states) {
  std::sort(states.begin(), states.end());
  states.erase(std::unique(states.begin(), states.end()), states.end());
  if (std::ranges::equal(states, none_)) return 0;
  const auto [at, is_new] = numbers_.try_emplace(states, static_cast<std::uint32_t>(more_.size() + 1));
  if (is_new) more_.push_back(std::move(states));
  return at->second;
}

std::uint32_t StateSets::join(std::uint32_t a, std::uint32_t b) {
  if (a == b) return a;
  std::vector<Passed> both;
  std::ranges::set_union((*this)[a], (*this)[b], std::back_inserter(both));
  return number(std::move(both));
}

Reach::Reach(const pred::Filter& f, StateSets& sets, std::size_t limit)
    : filter_(f), sets_(sets), limit_(limit) {
  if (f.mark_count == 0) return;
  has_mark_.grow(f.expr_count());
  for (std::uint32_t i = 0; i < f.expr_count(); ++i) {  // children come first
    const Expr& e = f[ExprId{i}];
    if (e.kind == ExprKind::Mark) has_mark_[i] = true;
    if (e.kind == ExprKind::Not) has_mark_[i] = has_mark_[e.a];
    if (e.kind == ExprKind::And || e.kind == ExprKind::Or)
      for (std::uint32_t n = 0; n < e.b; ++n)
        if (has_mark(f.child(e, n))) has_mark_[i] = true;
  }
  into_.resize(f.expr_count());
  walk(f.root, 0);
}

Reach::Exits Reach::walk(ExprId e, std::uint32_t in) {
  std::vector<ExprId> spine;  // a chain of alternating and/or leans left as deep as it is long
  for (;; e = filter_.child(filter_[e], 0)) {
    into_[static_cast<std::uint32_t>(e)] = in;
    const ExprKind kind = filter_[e].kind;
    if (!has_mark(e) || (kind != ExprKind::And && kind != ExprKind::Or)) break;
    spine.push_back(e);
  }
  Exits exits = has_mark(e) ? leaf(filter_[e], in) : Exits{in, in};
  for (; !spine.empty(); spine.pop_back()) exits = rest(filter_[spine.back()], exits);
  return exits;
}

Reach::Exits Reach::leaf(const Expr& e, std::uint32_t in) {
  if (e.kind == ExprKind::Not) {
    const Exits inner = walk(ExprId{e.a}, in);
    return {inner.on_false, inner.on_true};
  }
  std::vector<Passed> states(sets_[in].begin(), sets_[in].end());
  for (Passed& p : states) p |= Passed{1} << e.a;
  const std::uint32_t out = sets_.number(std::move(states));
  return {out, out};
}

Reach::Exits Reach::rest(const Expr& chain, Exits exits) {
  const bool is_and = chain.kind == ExprKind::And;
  for (std::uint32_t i = 1; i < chain.b && !overflow_; ++i) {
    const Exits next = walk(filter_.child(chain, i), is_and ? exits.on_true : exits.on_false);
    exits = is_and ? Exits{next.on_true, sets_.join(exits.on_false, next.on_false)}
                   : Exits{sets_.join(exits.on_true, next.on_true), next.on_false};
    overflow_ |= sets_[exits.on_true].size() > limit_ || sets_[exits.on_false].size() > limit_;
  }
  return exits;
}

}  // namespace weir::lower
