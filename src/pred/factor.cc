#include "pred/factor.hpp"

#include <algorithm>
#include <numeric>

#include "pred/classes.hpp"
#include "pred/loads.hpp"

namespace weir::pred {
namespace {

/// Terms of a chain that stand side by side and end alike.
struct Alike {
  std::uint32_t count = 1;
  std::uint32_t ending = 0;  ///< how many parts they end with
};

class Factor {
 public:
  explicit Factor(const Filter& f) : from_(f), loads_(f), classes_(f), made_(f.expr_count()) {}

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
    const std::vector<Parts> terms = parts_of_terms(id);
    std::vector<ExprId> operands;
    bool differs = false;
    for (std::uint32_t i = 0; i < e.b;) {
      const Alike alike = alike_from(terms, i);
      const ExprId old = from_.child(e, i);
      operands.push_back(alike.ending == 0 ? made(old) : once_behind(id, i, alike));
      differs = differs || operands.back() != old;
      i += alike.count;
    }
    if (!differs) return id;
    return e.kind == ExprKind::And ? to_->all(operands, from_.span(id)) : to_->any(operands, from_.span(id));
  }

  using Parts = std::vector<std::uint32_t>;  ///< by part: its class; of none where a term has to stay as it is

  /// Nothing for a chain of few.
  std::vector<Parts> parts_of_terms(ExprId chain) {
    constexpr std::uint32_t few = 4;  // of which the graph's passes make as much
    const Expr& e = from_[chain];
    std::vector<Parts> terms;
    if (e.b < few) return terms;
    terms.reserve(e.b);
    for (std::uint32_t i = 0; i < e.b; ++i) {
      const Literal l = term(chain, i);
      terms.push_back(is_all(from_, l) && !loads_.stops(l.expr) ? classes_.of_parts(l) : Parts{});
    }
    return terms;
  }

  static Alike alike_from(std::span<const Parts> terms, std::size_t first) {
    Alike alike;
    if (terms.empty() || terms[first].size() < 2) return alike;
    std::size_t ending = terms[first].size() - 1;
    for (std::size_t i = first + 1; i < terms.size(); ++i) {
      const std::size_t common = common_ending(terms[first], terms[i]);
      if (common == 0) break;
      ending = std::min(ending, common);
      ++alike.count;
    }
    if (alike.count > 1) alike.ending = static_cast<std::uint32_t>(ending);
    return alike;
  }

  /// Of what is not all of one of them.
  static std::size_t common_ending(const Parts& a, const Parts& b) {
    if (a.size() < 2 || b.size() < 2) return 0;
    const auto [end, _] = std::ranges::mismatch(a.rbegin(), a.rend() - 1, b.rbegin(), b.rend() - 1);
    return static_cast<std::size_t>(end - a.rbegin());
  }

  ExprId once_behind(ExprId chain, std::uint32_t first, Alike alike) {
    if (!to_) to_ = from_;
    const Span span = from_.span(chain);
    std::vector<ExprId> beginnings, parts;
    for (std::uint32_t i = first; i < first + alike.count; ++i) {
      const Literal l = term(chain, i);
      parts.clear();
      for (std::uint32_t k = 0; k + alike.ending < from_[l.expr].b; ++k) parts.push_back(part(l, k));
      beginnings.push_back(to_->all(parts, from_.span(l.expr)));
    }
    const Literal l = term(chain, first);
    parts = {to_->any(beginnings, span)};
    for (std::uint32_t k = from_[l.expr].b - alike.ending; k < from_[l.expr].b; ++k) parts.push_back(part(l, k));
    const ExprId all = to_->all(parts, span);
    return from_[chain].kind == ExprKind::And ? to_->negation(all, span) : all;
  }

  /// A term of a chain of `or`, or of the one that a chain of `and` is with its signs turned.
  Literal term(ExprId chain, std::uint32_t i) const {
    return plain(from_, {from_.child(from_[chain], i), from_[chain].kind == ExprKind::And});
  }

  ExprId part(Literal all, std::uint32_t i) {
    const ExprId e = from_.child(from_[all.expr], i);
    return all.negated ? to_->negation(made(e), from_.span(e)) : made(e);
  }

  ExprId made(ExprId old) const { return made_[static_cast<std::uint32_t>(old)]; }

  const Filter& from_;
  const Loads loads_;
  Classes classes_;
  std::optional<Filter> to_;   ///< nothing until something is found
  std::vector<ExprId> made_;   ///< by old expression: its new form
};

}  // namespace

std::optional<Filter> factored(const Filter& f) { return Factor(f).run(); }

}  // namespace weir::pred
