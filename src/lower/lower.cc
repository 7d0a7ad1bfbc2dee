#include "lower/lower.hpp"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "base/column.hpp"
#include "ir/ranges.hpp"
#include "lower/marks.hpp"

namespace weir::lower {
namespace {

using ir::NodeId;
using pred::Expr;
using pred::ExprId;
using pred::ExprKind;
using pred::ValueKind;

/// A node for each state of a set: where to go on from there.
struct Table {
  std::uint32_t set = 0;
  NodeId first{};            // of the first state: mostly there is one, and no vector is needed
  std::vector<NodeId> more;  // of the others
};

class Lowering {
 public:
  Lowering(const pred::Filter& f, const Limits& limits, Guards guards)
      : filter_(f),
        limits_(limits),
        guards_(guards),
        ranges_(program_),
        reach_(f, sets_, limits.tunnel_states),
        fixed_values_(f.value_count(), ir::no_value),
        depends_(f.mark_count == 0 ? 0 : f.value_count(), Unknown) {}

  Result<ir::Program> run() {
    if (reach_.overflow()) return too_many_states();
    program_.reserve(filter_.value_count() + 2, filter_.expr_count() + 16);
    const NodeId reject = program_.ret(0u), accept = program_.ret(filter_.accept);
    program_.root = expr(filter_.root, everywhere(accept), everywhere(reject), 0).first;
    if (overflow_) return too_large();
    return std::move(program_);
  }

 private:
  // ---- ways out, by state ------------------------------------------------------------------------

  /// A table that answers every state with the same node.
  static constexpr std::uint32_t every_state = 0xffffffff;
  static Table everywhere(NodeId n) { return {every_state, n, {}}; }

  NodeId at(const Table& t, Passed state) const {
    if (t.more.empty()) return t.first;
    const auto states = sets_[t.set];
    const auto i = std::lower_bound(states.begin(), states.end(), state) - states.begin();
    return i == 0 ? t.first : t.more[static_cast<std::size_t>(i - 1)];
  }

  template <class Make>
  Table for_each_state(std::uint32_t in, Make make) {
    const std::size_t count = sets_[in].size();
    Table table{in, make(sets_[in][0]), {}};
    for (std::size_t i = 1; i < count; ++i) table.more.push_back(make(sets_[in][i]));
    return table;
  }

  // ---- expressions ---------------------------------------------------------------------------------

  /// Where to enter an expression whose ways out are `t` and `f`, for each state of `in`.
  Table expr(ExprId id, Table t, Table f, std::uint32_t in) {
    for (;;) {
      const Expr& e = filter_[id];
      switch (e.kind) {
        case ExprKind::True: return for_each_state(in, [&](Passed p) { return at(t, p); });
        case ExprKind::False: return for_each_state(in, [&](Passed p) { return at(f, p); });
        case ExprKind::Mark:
          return for_each_state(in, [&](Passed p) { return at(t, p | Passed{1} << e.a); });
        case ExprKind::Passed:
          return for_each_state(in, [&](Passed p) { return at(p >> e.a & 1 ? t : f, p); });
        case ExprKind::Compare:
        case ExprKind::Member:
          return for_each_state(in, [&](Passed p) { return compare(id, at(t, p), at(f, p), p); });
        case ExprKind::Not:
          std::swap(t, f);
          id = ExprId{e.a};
          continue;
        case ExprKind::And:
        case ExprKind::Or: {
          Table& onward = e.kind == ExprKind::And ? t : f;
          for (std::uint32_t i = e.b; i-- > 1;) {
            const ExprId child = filter_.child(e, i);
            onward = expr(child, t, f, reach_.has_mark(id) ? reach_.into(child) : in);
          }
          id = filter_.child(e, 0);
          continue;
        }
      }
    }
  }

  NodeId compare(ExprId id, NodeId t, NodeId f, Passed state) {
    if (program_.node_count() > limits_.nodes) {
      overflow_ = true;
      return t;
    }
    const Expr& e = filter_[id];
    if (e.kind == ExprKind::Member) return member(e, filter_.span(id), t, f, state);
    const ir::ValueId a = value(pred::ValueId{e.a}, state), b = value(pred::ValueId{e.b}, state);
    const Span span = filter_.span(id);
    return guarded({a, b}, program_.test(static_cast<Relation>(e.detail), a, b, t, f, span), span);
  }

  NodeId member(const Expr& e, Span span, NodeId t, NodeId f, Passed state) {
    const ir::ValueId a = value(pred::ValueId{e.a}, state);
    return guarded({a}, program_.member(a, filter_.set(e.b), t, f, span), span);
  }

  // ---- guards --------------------------------------------------------------------------------------

  /// `next` behind all the guards that the values need, outside choices, which have their own.
  NodeId guarded(std::initializer_list<ir::ValueId> values, NodeId next, Span span) {
    needs_.clear();
    ++visit_;
    for (const ir::ValueId v : values) collect(v);
    for (auto v = needs_.rbegin(); v != needs_.rend(); ++v) {
      const ir::Value& need = program_[*v];
      next = need.kind == ir::ValueKind::Load ? program_.guard(need.size(), need.a, need.k, next, span)
                                              : program_.nonzero(need.b, next, span);
    }
    return next;
  }

  /// Loads and divisions under a value, innermost first, each once.
  void collect(ir::ValueId id) {
    const ir::Value v = program_[id];
    if (v.kind == ir::ValueKind::Choice || v.kind == ir::ValueKind::Constant) return;
    if (v.kind == ir::ValueKind::Load && v.a == ir::no_value && !is_wanted(v)) return;
    visited_.grow(program_.value_count());
    if (std::exchange(visited_[id], visit_) == visit_) return;
    if (v.a != ir::no_value) collect(v.a);
    if (v.b != ir::no_value) collect(v.b);
    const bool divides = v.kind == ir::ValueKind::Binary && (v.arith() == Arith::Div || v.arith() == Arith::Mod);
    if ((v.kind == ir::ValueKind::Load && is_wanted(v)) || (divides && ir::constant_of(program_, v.b).value_or(0) == 0))
      needs_.push_back(id);
  }

  bool is_wanted(const ir::Value& load) {
    return guards_ == Guards::All || ranges_.passage({ir::NodeKind::Guard, load.detail, load.k, load.a}) != ir::Ranges::Passage::Always;
  }

  // ---- values --------------------------------------------------------------------------------------

  ir::ValueId value(pred::ValueId id, Passed state) {
    const auto n = static_cast<std::uint32_t>(id);
    if (!depends(id)) {
      if (fixed_values_[n] == ir::no_value) {
        const ir::ValueId made = build(id, 0);
        fixed_values_[n] = made;
      }
      return fixed_values_[n];
    }
    auto& of_state = values_by_state_[state];
    if (const auto known = of_state.find(n); known != of_state.end()) return known->second;
    const ir::ValueId made = build(id, state);
    values_by_state_[state].emplace(n, made);
    return made;
  }

  ir::ValueId build(pred::ValueId id, Passed state) {
    const pred::Value& v = filter_[id];
    switch (v.kind) {
      case ValueKind::Constant: return program_.constant(v.k);
      case ValueKind::Length: return program_.length();
      case ValueKind::Meta: return program_.meta(static_cast<Meta>(v.detail));
      case ValueKind::Load:
        return program_.load(v.detail, v.a == pred::no_value ? ir::no_value : value(v.a, state), v.k);
      case ValueKind::Negate: return program_.negate(value(v.a, state));
      case ValueKind::Binary: {
        const ir::ValueId a = value(v.a, state);
        return program_.binary(static_cast<Arith>(v.detail), a, value(v.b, state));
      }
      case ValueKind::Choice: return choice(v, state);
    }
    return ir::no_value;
  }

  ir::ValueId choice(const pred::Value& v, Passed state) {
    const Expr& test = filter_[v.test];
    if (test.kind == ExprKind::Passed) return value(state >> test.a & 1 ? v.a : v.b, state);
    const Span span = filter_.span(v.test);
    const auto leaf = [&](pred::ValueId chosen) {
      const ir::ValueId made = value(chosen, state);
      return everywhere(guarded({made}, program_.ret(made), span));
    };
    Table when_true = leaf(v.a), when_false = leaf(v.b);
    const Table entry = expr(v.test, std::move(when_true), std::move(when_false), sets_.number({state}));
    return program_.choice(entry.first, span);
  }

  // ---- which values depend on marks ------------------------------------------------------------------

  enum Dependence : std::uint8_t { Unknown, Fixed, OnMarks };

  bool depends(pred::ValueId id) {
    if (filter_.mark_count == 0) return false;
    Dependence& known = depends_[id];
    if (known == Unknown) {
      const pred::Value& v = filter_[id];
      const bool found = (v.a != pred::no_value && depends(v.a)) || (v.b != pred::no_value && depends(v.b)) ||
                         (v.kind == ValueKind::Choice && depends(v.test));
      known = found ? OnMarks : Fixed;
    }
    return known == OnMarks;
  }

  bool depends(ExprId id) {
    const Expr& e = filter_[id];
    if (e.kind == ExprKind::Passed) return true;
    if (e.kind == ExprKind::Not) return depends(ExprId{e.a});
    if (e.kind == ExprKind::Compare) return depends(pred::ValueId{e.a}) || depends(pred::ValueId{e.b});
    if (e.kind == ExprKind::Member) return depends(pred::ValueId{e.a});
    if (e.kind == ExprKind::And || e.kind == ExprKind::Or)
      for (std::uint32_t i = 0; i < e.b; ++i)
        if (depends(filter_.child(e, i))) return true;
    return false;
  }

  std::unexpected<Diagnostic> too_large() const {
    return fail(Code::TooLarge, {}, fmt::format("the filter needs more than {} tests", limits_.nodes), "split it");
  }

  std::unexpected<Diagnostic> too_many_states() const {
    return fail(Code::TooLarge, {}, fmt::format("the tunnels of the filter can match in more than {} combinations", limits_.tunnel_states),
                "what follows geneve, vxlan and (with --linux-ext) vlan is built for each combination: use fewer of them");
  }

  const pred::Filter& filter_;
  const Limits& limits_;
  const Guards guards_;
  ir::Program program_;
  ir::Ranges ranges_;
  StateSets sets_;
  Reach reach_;
  Column<ir::ValueId> fixed_values_;
  std::unordered_map<Passed, std::unordered_map<std::uint32_t, ir::ValueId>> values_by_state_;
  Column<Dependence> depends_;
  std::vector<ir::ValueId> needs_;
  Column<std::uint32_t> visited_;
  std::uint32_t visit_ = 0;
  bool overflow_ = false;
};

}  // namespace

Result<ir::Program> lower(const pred::Filter& filter, const Limits& limits, Guards guards) {
  if (filter.mark_count > max_marks)
    return fail(Code::TooLarge, {}, fmt::format("the filter has {} tunnels, at most {} can be followed", filter.mark_count, max_marks),
                "use fewer of geneve, vxlan and (with --linux-ext) vlan");
  return Lowering(filter, limits, guards).run();
}

}  // namespace weir::lower
