// ir/evaluate.cc with formulas: nodes from the last to the first, each once.
#include <algorithm>
#include <optional>

#include "prove/partial.hpp"

namespace weir::prove {
namespace {

using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Value;
using ir::ValueId;
using ir::ValueKind;

class Evaluation {
 public:
  Evaluation(const ir::Program& p, Algebra& algebra, Extent extent)
      : p_(p), algebra_(algebra), partials_(algebra, extent), values_(p.value_count()), inner_(p.node_count()) {}

  Meaning run() {
    const std::vector<NodeId> nodes = from(p_.root);
    // Values first, in the order in which they are asked for: the algebra may order its questions by that.
    for (auto n = nodes.rbegin(); n != nodes.rend(); ++n) {
      if (p_[*n].a != ir::no_value) value(p_[*n].a);
      if (p_[*n].b != ir::no_value) value(p_[*n].b);
    }
    std::vector<std::optional<Partial>> results(p_.node_count());
    for (const NodeId n : nodes) results[number(n)] = partials_.returned(node(p_[n], results));
    const Partial& root = *results[number(p_.root)];
    return {root.value, root.within};
  }

 private:
  static std::uint32_t number(NodeId n) { return static_cast<std::uint32_t>(n); }
  static std::uint32_t number(ValueId v) { return static_cast<std::uint32_t>(v); }

  /// All nodes from here on, ways out before what leads to them.
  std::vector<NodeId> from(NodeId root) const {
    std::vector<NodeId> found, left{root};
    std::vector<bool> seen(number(root) + 1);
    while (!left.empty()) {
      const NodeId n = left.back();
      left.pop_back();
      if (seen[number(n)]) continue;
      seen[number(n)] = true;
      found.push_back(n);
      if (p_[n].kind == NodeKind::Return) continue;
      left.push_back(p_[n].t);
      if (p_[n].forks()) left.push_back(p_[n].f);
    }
    std::ranges::sort(found);
    return found;
  }

  Partial node(const Node& n, const std::vector<std::optional<Partial>>& results) {
    const Partial a = n.a == ir::no_value ? partials_.sure(algebra_.constant(0)) : value(n.a);
    switch (n.kind) {
      case NodeKind::Return: return a;
      case NodeKind::Guard: {
        const Partial guard = partials_.guard(a.value, std::uint64_t{n.k} + n.size());
        return partials_.then(a, partials_.then(guard, *results[number(n.t)]));
      }
      case NodeKind::NonZero: return partials_.then(a, partials_.then(partials_.nonzero(a.value), *results[number(n.t)]));
      case NodeKind::Test: {
        const Partial b = value(n.b);
        const Ref test = algebra_.compare(n.relation(), a.value, b.value);
        const Partial next = partials_.choose(test, *results[number(n.t)], *results[number(n.f)]);
        return partials_.then(partials_.then(a, b), next);
      }
      case NodeKind::Member: {
        const Ref test = algebra_.member(a.value, p_.set_of(n));
        return partials_.then(a, partials_.choose(test, *results[number(n.t)], *results[number(n.f)]));
      }
    }
    return partials_.rejected();
  }

  Partial value(ValueId id) {
    auto& known = values_[number(id)];
    if (!known) {
      const Partial result = compute(p_[id]);
      values_[number(id)] = result;
    }
    return *values_[number(id)];
  }

  Partial compute(const Value& v) {
    switch (v.kind) {
      case ValueKind::Constant: return partials_.sure(algebra_.constant(v.k));
      case ValueKind::Length: return partials_.sure(algebra_.length());
      case ValueKind::Meta: return partials_.sure(algebra_.meta(v.meta()));
      case ValueKind::Choice: return choice(v.root());
      case ValueKind::Load:
      case ValueKind::Negate:
      case ValueKind::Binary: break;
    }
    const Partial a = v.a == ir::no_value ? partials_.sure(algebra_.constant(0)) : value(v.a);
    if (v.kind == ValueKind::Load) {
      const Partial guard = partials_.guard(a.value, std::uint64_t{v.k} + v.size());
      const Ref address = algebra_.binary(Arith::Add, a.value, algebra_.constant(v.k));
      return partials_.then(a, partials_.then(guard, partials_.sure(algebra_.load(v.size(), address))));
    }
    if (v.kind == ValueKind::Negate) return {algebra_.binary(Arith::Sub, algebra_.constant(0), a.value), a.there, a.within};
    const Partial b = value(v.b);
    Partial both = partials_.then(a, b);
    if (v.arith() == Arith::Div || v.arith() == Arith::Mod) both = partials_.then(both, partials_.nonzero(b.value));
    both.value = algebra_.binary(v.arith(), a.value, b.value);
    return both;
  }

  Partial choice(NodeId root) {
    for (const NodeId n : from(root))
      if (!inner_[number(n)]) inner_[number(n)] = node(p_[n], inner_);
    return *inner_[number(root)];
  }

  const ir::Program& p_;
  Algebra& algebra_;
  Partials partials_;
  std::vector<std::optional<Partial>> values_;
  std::vector<std::optional<Partial>> inner_;  ///< nodes of choices, which have to tell 0 from "rejected"
};

}  // namespace

Meaning meaning_of(const ir::Program& p, Algebra& algebra, Extent extent) { return Evaluation(p, algebra, extent).run(); }

}  // namespace weir::prove
