#include <optional>
#include <unordered_map>
#include <vector>

#include "pred/filter.hpp"

namespace weir::pred {
namespace {

/// One evaluation: the packet, and the marks it has come by. Nothing means "rejected, there and then".
class Evaluation {
 public:
  Evaluation(const Filter& f, const Packet& packet) : f_(f), packet_(packet), passed_(f.mark_count) {}

  std::optional<bool> test(ExprId id) {
    // The left spine of a chain of alternating and/or is as long as the chain: it is walked, not recursed into.
    std::vector<const Expr*> spine;
    const Expr* e = &f_[id];
    for (; is_chain(*e); e = &f_[f_.child(*e, 0)]) spine.push_back(e);
    std::optional<bool> verdict = leaf(*e);
    for (; verdict && !spine.empty(); spine.pop_back()) verdict = rest(*spine.back(), *verdict);
    return verdict;
  }

 private:
  static bool is_chain(const Expr& e) { return e.kind == ExprKind::And || e.kind == ExprKind::Or; }

  /// The verdict of a chain whose first operand came out as `verdict`.
  std::optional<bool> rest(const Expr& chain, bool verdict) {
    const bool goes_on = chain.kind == ExprKind::And;
    for (std::uint32_t i = 1; i < chain.b && verdict == goes_on; ++i) {
      const std::optional<bool> next = test(f_.child(chain, i));
      if (!next) return next;
      verdict = *next;
    }
    return verdict;
  }

  std::optional<bool> leaf(const Expr& e) {
    switch (e.kind) {
      case ExprKind::True: return true;
      case ExprKind::False: return false;
      case ExprKind::Compare: {
        const auto a = value(ValueId{e.a});
        if (!a) return std::nullopt;
        const auto b = value(ValueId{e.b});
        if (!b) return std::nullopt;
        return holds(static_cast<Relation>(e.detail), *a, *b);
      }
      case ExprKind::Member: {
        const auto a = value(ValueId{e.a});
        return a ? std::optional(f_.set(e.b).contains(*a)) : std::nullopt;
      }
      case ExprKind::Not: {
        const auto inner = test(ExprId{e.a});
        return inner ? std::optional(!*inner) : std::nullopt;
      }
      case ExprKind::Mark:
        passed_[e.a] = true;
        chosen_.clear();  // what was chosen may depend on it
        return true;
      case ExprKind::Passed: return passed_[e.a];
      case ExprKind::And:
      case ExprKind::Or: break;
    }
    return std::nullopt;
  }

  std::optional<std::uint32_t> value(ValueId id) {
    const Value& v = f_[id];
    switch (v.kind) {
      case ValueKind::Constant: return v.k;
      case ValueKind::Length: return packet_.length;
      case ValueKind::Meta: return packet_.meta.get(static_cast<Meta>(v.detail));
      case ValueKind::Load: {
        const auto base = v.a == no_value ? std::optional(0u) : value(v.a);
        return base ? load(packet_.bytes, *base, v.k, v.detail) : base;
      }
      case ValueKind::Negate: {
        const auto a = value(v.a);
        return a ? std::optional(0u - *a) : a;
      }
      case ValueKind::Binary: {
        const auto a = value(v.a);
        if (!a) return a;
        const auto b = value(v.b);
        return b ? apply(static_cast<Arith>(v.detail), *a, *b) : b;
      }
      case ValueKind::Choice: return choice(id, v);
    }
    return std::nullopt;
  }

  /// Choices inside choices share what they choose from: each is made once.
  std::optional<std::uint32_t> choice(ValueId id, const Value& v) {
    if (const auto known = chosen_.find(static_cast<std::uint32_t>(id)); known != chosen_.end()) return known->second;
    const auto chosen = test(v.test);
    if (!chosen) return std::nullopt;
    const auto result = value(*chosen ? v.a : v.b);
    if (result) chosen_.emplace(static_cast<std::uint32_t>(id), *result);
    return result;
  }

  const Filter& f_;
  const Packet& packet_;
  std::unordered_map<std::uint32_t, std::uint32_t> chosen_;
  std::vector<bool> passed_;
};

}  // namespace

std::uint32_t evaluate(const Filter& f, const Packet& packet) {
  return Evaluation(f, packet).test(f.root).value_or(false) ? f.accept : 0;
}

}  // namespace weir::pred
