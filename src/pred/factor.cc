#include "pred/factor.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "pred/classes.hpp"
#include "pred/loads.hpp"

namespace weir::pred {
namespace {

/// Terms of a chain that stand side by side and end alike.
struct Alike {
  std::uint32_t count = 1;
  std::uint32_t ending = 0;  ///< how many parts they end with
};

/// The terms of chains of a filter, and what they have alike.
class Terms {
 public:
  explicit Terms(const Filter& f) : from_(f) {}

  static constexpr std::uint32_t few = 4;  ///< of a chain of which the graph's passes make as much

  /// Of a chain of `or`, or of the one that a chain of `and` is with its signs turned.
  Literal term(ExprId chain, std::uint32_t i) const {
    return plain(from_, {from_.child(from_[chain], i), from_[chain].kind == ExprKind::And});
  }

  std::uint32_t common_ending(Literal a, Literal b, std::uint32_t most) const {
    const Expr &x = from_[a.expr], &y = from_[b.expr];
    std::uint32_t n = 0;
    while (n < most && says_the_same({from_.child(x, x.b - 1 - n), a.negated}, {from_.child(y, y.b - 1 - n), b.negated}, 0)) ++n;
    return n;
  }

  /// Whether two terms side by side in a chain may end alike.
  bool may_end_alike(ExprId chain) const {
    const Expr& e = from_[chain];
    if ((e.kind != ExprKind::And && e.kind != ExprKind::Or) || e.b < few) return false;
    Literal next = term(chain, 0);
    for (std::uint32_t i = 1; i < e.b; ++i) {
      const Literal before = std::exchange(next, term(chain, i));
      if (is_all(from_, before) && is_all(from_, next) && common_ending(before, next, 1) != 0) return true;
    }
    return false;
  }

 private:
  /// Down to some chains within chains, of which `tcp` has four and `not (tcp port 22 or udp)` five; that mostly ends at the first number.
  bool says_the_same(Literal a, Literal b, std::uint32_t depth) const {
    constexpr std::uint32_t deepest = 6, most_operands = 8;
    a = plain(from_, a);
    b = plain(from_, b);
    const Expr &x = from_[a.expr], &y = from_[b.expr];
    if (a.negated != b.negated || x.kind != y.kind) return false;
    if (a.expr == b.expr) return true;
    if (x.kind != ExprKind::And && x.kind != ExprKind::Or) return x.detail == y.detail && x.a == y.a && x.b == y.b;
    if (depth == deepest || x.b != y.b || x.b > most_operands) return false;
    for (std::uint32_t i = 0; i < x.b; ++i)
      if (!says_the_same({from_.child(x, i), false}, {from_.child(y, i), false}, depth + 1)) return false;
    return true;
  }

  const Filter& from_;
};

class Factor {
 public:
  explicit Factor(const Filter& f) : from_(f), terms_(f), loads_(f), made_(f.expr_count()) {}

  std::optional<Filter> run() {
    for (std::uint32_t i = 0; i < from_.expr_count(); ++i) made_[i] = rebuilt(ExprId{i});  // parts come first
    if (to_) to_->root = made(from_.root);
    return std::move(to_);
  }

 private:
  /// An expression with its parts as they are now.
  ExprId rebuilt(ExprId id) {
    const Expr& e = from_[id];
    switch (e.kind) {
      case ExprKind::Not: return made(ExprId{e.a}) == ExprId{e.a} ? id : to_->negation(made(ExprId{e.a}), from_.span(id));
      case ExprKind::And:
      case ExprKind::Or: return rebuilt_chain(id);
      default: return id;
    }
  }

  ExprId rebuilt_chain(ExprId id) {
    const Expr& e = from_[id];
    const std::vector<std::uint32_t> parts = parts_of_terms(id);
    std::vector<ExprId> operands;
    bool differs = false;
    for (std::uint32_t i = 0; i < e.b;) {
      const Alike alike = alike_from(id, parts, i);
      const ExprId old = from_.child(e, i);
      operands.push_back(alike.ending == 0 ? made(old) : once_behind(id, i, alike));
      differs = differs || operands.back() != old;
      i += alike.count;
    }
    if (!differs) return id;
    return e.kind == ExprKind::And ? to_->all(operands, from_.span(id)) : to_->any(operands, from_.span(id));
  }

  /// By term, of a chain of `or` or of the one that a chain of `and` is with its signs turned, how many parts it has: none where it has to
  /// stay as it is. Nothing for a chain of few.
  std::vector<std::uint32_t> parts_of_terms(ExprId chain) const {
    const Expr& e = from_[chain];
    std::vector<std::uint32_t> parts;
    if (e.b < Terms::few) return parts;
    parts.reserve(e.b);
    for (std::uint32_t i = 0; i < e.b; ++i) {
      const Literal l = terms_.term(chain, i);
      parts.push_back(is_all(from_, l) && !loads_.stops(l.expr) ? from_[l.expr].b : 0);
    }
    return parts;
  }

  Alike alike_from(ExprId chain, std::span<const std::uint32_t> parts, std::uint32_t first) const {
    Alike alike;
    if (parts.empty() || parts[first] < 2) return alike;
    std::uint32_t ending = parts[first] - 1;
    for (std::uint32_t i = first + 1; i < parts.size() && parts[i] > 1; ++i) {
      const std::uint32_t common = terms_.common_ending(terms_.term(chain, first), terms_.term(chain, i), std::min(ending, parts[i] - 1));
      if (common == 0) break;
      ending = common;
      ++alike.count;
    }
    if (alike.count > 1) alike.ending = ending;
    return alike;
  }

  ExprId once_behind(ExprId chain, std::uint32_t first, Alike alike) {
    if (!to_) to_ = from_;
    const Span span = from_.span(chain);
    std::vector<ExprId> beginnings, parts;
    for (std::uint32_t i = first; i < first + alike.count; ++i) {
      const Literal l = terms_.term(chain, i);
      parts.clear();
      for (std::uint32_t k = 0; k + alike.ending < from_[l.expr].b; ++k) parts.push_back(part(l, k));
      beginnings.push_back(to_->all(parts, from_.span(l.expr)));
    }
    const Literal l = terms_.term(chain, first);
    parts = {to_->any(beginnings, span)};
    for (std::uint32_t k = from_[l.expr].b - alike.ending; k < from_[l.expr].b; ++k) parts.push_back(part(l, k));
    const ExprId all = to_->all(parts, span);
    return from_[chain].kind == ExprKind::And ? to_->negation(all, span) : all;
  }

  ExprId part(Literal all, std::uint32_t i) {
    const ExprId e = from_.child(from_[all.expr], i);
    return all.negated ? to_->negation(made(e), from_.span(e)) : made(e);
  }

  ExprId made(ExprId old) const { return made_[static_cast<std::uint32_t>(old)]; }

  const Filter& from_;
  const Terms terms_;
  const Loads loads_;
  std::optional<Filter> to_;   ///< nothing until something is found
  std::vector<ExprId> made_;   ///< by old expression: its new form
};

}  // namespace

std::optional<Filter> factored(const Filter& f) {
  const Terms terms(f);
  for (std::uint32_t i = 0; i < f.expr_count(); ++i)
    if (terms.may_end_alike(ExprId{i})) return Factor(f).run();
  return std::nullopt;
}

}  // namespace weir::pred
