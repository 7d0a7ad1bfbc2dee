// pred/evaluate.cc with formulas. Marks are truths: whether evaluation has come by.
#include <optional>
#include <unordered_map>

#include "prove/partial.hpp"

namespace weir::prove {
namespace {

using pred::Expr;
using pred::ExprId;
using pred::ExprKind;
using pred::Value;
using pred::ValueId;
using pred::ValueKind;

class Evaluation {
 public:
  Evaluation(const pred::Filter& f, Algebra& algebra, Extent extent)
      : f_(f), algebra_(algebra), partials_(algebra, extent), reached_(partials_.yes()),
        passed_(f.mark_count, algebra.truth(false)) {}

  Meaning run() {
    Partial all = test(f_.root);
    all.value = algebra_.choose(all.value, algebra_.constant(f_.accept), algebra_.constant(0));
    all = partials_.returned(all);
    return {all.value, all.within};
  }

 private:
  static bool is_chain(const Expr& e) { return e.kind == ExprKind::And || e.kind == ExprKind::Or; }

  Partial test(ExprId id) {
    // The left spine of a chain of alternating and/or is as long as the chain: it is walked, not recursed into.
    std::vector<const Expr*> spine;
    const Expr* e = &f_[id];
    for (; is_chain(*e); e = &f_[f_.child(*e, 0)]) spine.push_back(e);
    Partial verdict = leaf(*e);
    for (; !spine.empty(); spine.pop_back()) verdict = rest(*spine.back(), verdict);
    return verdict;
  }

  /// The verdict of a chain whose first operand came out as `verdict`.
  Partial rest(const Expr& chain, Partial verdict) {
    if (!has_marks()) return joined(chain, verdict, 1, chain.b);
    const Ref before = reached_;
    for (std::uint32_t i = 1; i < chain.b; ++i) {
      reached_ = algebra_.both(before, goes_on(chain) ? verdict.value : algebra_.negation(verdict.value));
      verdict = link(chain, verdict, test(f_.child(chain, i)));
    }
    reached_ = before;
    return verdict;
  }

  /// `first` and the operands [begin, end) behind it. In halves: formulas grow with the operands, and linking one after the other
  /// would make a long list's anew for each.
  Partial joined(const Expr& chain, const Partial& first, std::uint32_t begin, std::uint32_t end) {
    if (begin == end) return first;
    const std::uint32_t middle = begin + (end - begin) / 2;
    const Partial left = joined(chain, first, begin, middle);
    return link(chain, left, joined(chain, test(f_.child(chain, middle)), middle + 1, end));
  }

  /// Two operands of a chain: the second is evaluated where the first does not decide.
  Partial link(const Expr& chain, const Partial& a, const Partial& b) {
    const Partial decided = partials_.sure(algebra_.truth(!goes_on(chain)));
    return partials_.then(a, goes_on(chain) ? partials_.choose(a.value, b, decided) : partials_.choose(a.value, decided, b));
  }

  static bool goes_on(const Expr& chain) { return chain.kind == ExprKind::And; }

  Partial leaf(const Expr& e) {
    switch (e.kind) {
      case ExprKind::True: return partials_.sure(algebra_.truth(true));
      case ExprKind::False: return partials_.sure(algebra_.truth(false));
      case ExprKind::Compare: {
        const Partial a = value(ValueId{e.a}), b = value(ValueId{e.b});
        Partial result = partials_.then(a, b);
        result.value = algebra_.compare(static_cast<Relation>(e.detail), a.value, b.value);
        return result;
      }
      case ExprKind::Member: {
        Partial a = value(ValueId{e.a});
        a.value = algebra_.member(a.value, f_.set(e.b));
        return a;
      }
      case ExprKind::Not: {
        Partial inner = test(ExprId{e.a});
        inner.value = algebra_.negation(inner.value);
        return inner;
      }
      case ExprKind::Mark:
        passed_[e.a] = algebra_.either(passed_[e.a], reached_);
        known_.clear();
        return partials_.sure(algebra_.truth(true));
      case ExprKind::Passed: return partials_.sure(passed_[e.a]);
      case ExprKind::And:
      case ExprKind::Or: break;
    }
    return partials_.rejected();
  }

  Partial value(ValueId id) {
    const auto key = static_cast<std::uint32_t>(id);
    if (const auto known = known_.find(key); known != known_.end()) return known->second;
    const Partial result = compute(f_[id]);
    known_.emplace(key, result);
    return result;
  }

  Partial compute(const Value& v) {
    switch (v.kind) {
      case ValueKind::Constant: return partials_.sure(algebra_.constant(v.k));
      case ValueKind::Length: return partials_.sure(algebra_.length());
      case ValueKind::Meta: return partials_.sure(algebra_.meta(static_cast<Meta>(v.detail)));
      case ValueKind::Load: {
        const Partial base = v.a == pred::no_value ? partials_.sure(algebra_.constant(0)) : value(v.a);
        const Partial guard = partials_.guard(base.value, std::uint64_t{v.k} + v.detail);
        const Ref address = algebra_.binary(Arith::Add, base.value, algebra_.constant(v.k));
        return partials_.then(base, partials_.then(guard, partials_.sure(algebra_.load(v.detail, address))));
      }
      case ValueKind::Negate: {
        Partial a = value(v.a);
        a.value = algebra_.binary(Arith::Sub, algebra_.constant(0), a.value);
        return a;
      }
      case ValueKind::Binary: {
        const Partial a = value(v.a), b = value(v.b);
        const auto op = static_cast<Arith>(v.detail);
        Partial both = partials_.then(a, b);
        if (op == Arith::Div || op == Arith::Mod) both = partials_.then(both, partials_.nonzero(b.value));
        both.value = algebra_.binary(op, a.value, b.value);
        return both;
      }
      case ValueKind::Choice: {
        const Partial chosen = test(v.test);
        const Partial a = value_if(chosen.value, v.a), b = value_if(algebra_.negation(chosen.value), v.b);
        return partials_.then(chosen, partials_.choose(chosen.value, a, b));
      }
    }
    return partials_.rejected();
  }

  Partial value_if(Ref chosen, ValueId id) {
    const Ref before = reached_;
    if (has_marks()) reached_ = algebra_.both(before, chosen);
    const Partial result = value(id);
    reached_ = before;
    return result;
  }

  bool has_marks() const { return f_.mark_count != 0; }

  const pred::Filter& f_;
  Algebra& algebra_;
  Partials partials_;
  Ref reached_;              ///< whether evaluation gets here; kept only where there are marks
  std::vector<Ref> passed_;  ///< by mark
  std::unordered_map<std::uint32_t, Partial> known_;  ///< values, until a mark may change them
};

}  // namespace

Meaning meaning_of(const pred::Filter& f, Algebra& algebra, Extent extent) { return Evaluation(f, algebra, extent).run(); }

}  // namespace weir::prove
