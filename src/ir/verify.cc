// What a graph must be. First its form: every id exists and points downward, so that everything that follows may
// trust it. Then its guards: facts flow down from the root in topological order, values between the nodes that use them
// and the graphs of their choices, and meet where ways join. A fact is "this many bytes after this base are captured"
// or "this divisor is not 0".
//
// Facts only ever grow along a way and meet is intersection, so "good in the meet of all uses" is the same as "good
// at each use": each value and node is looked at once, however many nodes use it. Cost: linear in values and nodes,
// times the depth of a radix tree (see radix_map.hpp). Measured: 500 000 nodes with a few bases 40 to 80 ms,
// 300 000 nodes with 100 000 different bases on one path 160 ms.
// Tested by tests/unit/ir/verify_test.cc.
#include <fmt/format.h>

#include <algorithm>

#include "ir/order.hpp"
#include "ir/radix_map.hpp"
#include "ir/ranges.hpp"
#include "ir/words.hpp"

namespace weir::ir {
namespace {

using Mistake = std::optional<std::string>;


/// Which fields a kind uses. The others must be empty, or equal things would exist twice.
struct Fields {
  bool detail, k, a, b, t, f;
};

constexpr Fields fields(ValueKind kind) {
  switch (kind) {
    case ValueKind::Constant: return {false, true, false, false, false, false};
    case ValueKind::Load: return {true, true, true, false, false, false};
    case ValueKind::Length: return {false, false, false, false, false, false};
    case ValueKind::Meta: return {true, false, false, false, false, false};
    case ValueKind::Negate: return {false, false, true, false, false, false};
    case ValueKind::Binary: return {true, false, true, true, false, false};
    case ValueKind::Choice: return {false, true, false, false, false, false};
  }
  return {};
}

constexpr Fields fields(NodeKind kind) {
  switch (kind) {
    case NodeKind::Return: return {false, false, true, false, false, false};
    case NodeKind::Guard: return {true, true, true, false, true, false};
    case NodeKind::NonZero: return {false, false, true, false, true, false};
    case NodeKind::Test: return {true, false, true, true, true, true};
    case NodeKind::Member: return {false, true, true, false, true, true};
  }
  return {};
}

bool is_detail(const Value& v) {
  switch (v.kind) {
    case ValueKind::Load: return v.size() == 1 || v.size() == 2 || v.size() == 4;
    case ValueKind::Meta: return !word_of(v.meta()).empty();
    case ValueKind::Binary: return v.arith() <= Arith::Rsh;
    case ValueKind::Constant:
    case ValueKind::Length:
    case ValueKind::Negate:
    case ValueKind::Choice: break;
  }
  return true;
}

bool is_detail(const Node& n) {
  switch (n.kind) {
    case NodeKind::Guard: return n.size() != 0;
    case NodeKind::Test: return n.relation() <= Relation::Bits;
    case NodeKind::Return:
    case NodeKind::NonZero:
    case NodeKind::Member: break;
  }
  return true;
}

/// The fields of one value or node: nothing that is not used, every id below its limit.
Mistake check_fields(const Value& v, std::uint32_t id, std::size_t nodes) {
  if (v.kind > ValueKind::Choice) return fmt::format("v{}: no such kind of value", id);
  const Fields used = fields(v.kind);
  const bool baseless = v.kind == ValueKind::Load && v.a == no_value;
  if (!is_detail(v)) return fmt::format("v{}: no such size, operator or metadata", id);
  if ((!used.detail && v.detail) || (!used.k && v.k) || (!used.a && v.a != no_value) || (!used.b && v.b != no_value))
    return fmt::format("v{}: a field that its kind does not use is not empty", id);
  if ((used.a && !baseless && index(v.a) >= id) || (used.b && index(v.b) >= id))
    return fmt::format("v{}: an operand is not a smaller value", id);
  if (v.kind == ValueKind::Choice && v.k >= nodes) return fmt::format("v{}: n{} does not exist", id, v.k);
  return std::nullopt;
}

Mistake check_fields(const Node& n, std::uint32_t id, std::size_t values, std::size_t sets) {
  if (n.kind > NodeKind::Member) return fmt::format("n{}: no such kind of node", id);
  const Fields used = fields(n.kind);
  const bool baseless = n.kind == NodeKind::Guard && n.a == no_value;
  if (!is_detail(n)) return fmt::format("n{}: no such size or relation", id);
  if ((!used.detail && n.detail) || (!used.k && n.k) || (!used.b && n.b != no_value) || (!used.t && index(n.t)) ||
      (!used.f && index(n.f)))
    return fmt::format("n{}: a field that its kind does not use is not empty", id);
  if ((!baseless && index(n.a) >= values) || (used.b && index(n.b) >= values))
    return fmt::format("n{}: a value that does not exist", id);
  if (n.kind == NodeKind::Member && n.k >= sets) return fmt::format("n{}: a set that does not exist", id);
  if ((used.t && index(n.t) >= id) || (used.f && index(n.f) >= id))
    return fmt::format("n{}: a way out does not lead to a smaller node", id);
  return std::nullopt;
}

Mistake check_fields(const Program& p) {
  for (std::uint32_t id = 0; id < p.value_count(); ++id)
    if (auto m = check_fields(p[ValueId{id}], id, p.node_count())) return m;
  for (std::uint32_t id = 0; id < p.node_count(); ++id)
    if (auto m = check_fields(p[NodeId{id}], id, p.value_count(), p.set_count())) return m;
  if (index(p.root) >= p.node_count()) return fmt::format("root n{} does not exist", index(p.root));
  return std::nullopt;
}

/// Choices tie values to nodes and back: a choice must be a larger value than all that its graph uses, and a node
/// larger than the graphs of the choices it uses. Counts are one more than the largest id, 0 for none.
Mistake check_choices(const Program& p) {
  std::vector<std::uint32_t> values_below(p.node_count()), nodes_below(p.value_count());
  for (std::uint32_t id = 0; id < p.node_count(); ++id) {
    const Node& n = p[NodeId{id}];
    std::uint32_t& count = values_below[id];
    for (const ValueId v : {n.a, n.b})
      if (v != no_value) count = std::max(count, index(v) + 1);
    if (fields(n.kind).t) count = std::max(count, values_below[index(n.t)]);
    if (fields(n.kind).f) count = std::max(count, values_below[index(n.f)]);
  }
  for (std::uint32_t id = 0; id < p.value_count(); ++id) {
    const Value& v = p[ValueId{id}];
    if (v.kind == ValueKind::Choice) {
      if (values_below[v.k] > id) return fmt::format("v{}: its graph n{} uses it or a larger value", id, v.k);
      nodes_below[id] = v.k + 1;
    }
    for (const ValueId operand : {v.a, v.b})
      if (operand != no_value) nodes_below[id] = std::max(nodes_below[id], nodes_below[index(operand)]);
  }
  for (std::uint32_t id = 0; id < p.node_count(); ++id)
    for (const ValueId v : {p[NodeId{id}].a, p[NodeId{id}].b})
      if (v != no_value && nodes_below[index(v)] > id)
        return fmt::format("n{}: the graph of a choice in v{} is not of smaller nodes", id, index(v));
  return std::nullopt;
}

/// Bytes from a base (no_value: the start of the packet, as also for a constant base) to an end.
struct Extent {
  ValueId base = no_value;
  std::uint64_t end = 0;
};

Extent extent(const Program& p, ValueId base, std::uint32_t k, std::uint32_t size) {
  const std::uint64_t end = std::uint64_t{k} + size;
  const auto fixed = constant_of(p, base);
  return fixed ? Extent{no_value, *fixed + end} : Extent{base, end};
}

class Guards {
 public:
  explicit Guards(const Program& p)
      : p_(p), at_node_(p.node_count(), unknown), at_value_(p.value_count(), unknown) {}

  Mistake check() {
    const std::vector<Item> items = order(p_);
    at_node_[index(p_.root)] = RadixMaps::empty;
    for (auto item = items.rbegin(); item != items.rend(); ++item) {
      if (item->is_node) flow_through(item->node());
      else if (!flow_through(item->value())) return blame(items, item->value());
    }
    return std::nullopt;
  }

 private:
  using Facts = RadixMaps::Map;
  static constexpr Facts unknown{0xffffffff};  ///< nothing has flowed here yet

  static std::uint64_t captured(ValueId base) { return index(base); }
  static std::uint64_t not_zero(ValueId divisor) { return std::uint64_t{1} << 32 | index(divisor); }

  void flow_into(Facts& to, Facts facts) { to = to == unknown ? facts : maps_.meet(to, facts); }
  void flow_into(ValueId v, Facts facts) {
    if (v != no_value) flow_into(at_value_[index(v)], facts);
  }
  void flow_into(NodeId n, Facts facts) { flow_into(at_node_[index(n)], facts); }

  void flow_through(NodeId id) {
    const Node& n = p_[id];
    const Facts facts = at_node_[index(id)];
    flow_into(n.a, facts);
    flow_into(n.b, facts);
    switch (n.kind) {
      case NodeKind::Return: break;
      case NodeKind::Guard: flow_into(n.t, guarded(facts, extent(p_, n.a, n.k, n.size()))); break;
      case NodeKind::NonZero: flow_into(n.t, maps_.raised(facts, not_zero(n.a), 1)); break;
      case NodeKind::Test:
      case NodeKind::Member:
        flow_into(n.t, facts);
        flow_into(n.f, facts);
        break;
    }
  }

  /// A base is not negative, so what is captured after it is captured after the start of the packet.
  Facts guarded(Facts facts, Extent bytes) {
    facts = maps_.raised(facts, captured(no_value), bytes.end);
    return maps_.raised(facts, captured(bytes.base), bytes.end);
  }

  /// Whether the value may be evaluated; its operands get their facts and their turn.
  bool flow_through(ValueId id) {
    const Value& v = p_[id];
    const Facts facts = at_value_[index(id)];
    flow_into(v.a, facts);
    flow_into(v.b, facts);
    if (v.kind == ValueKind::Choice) flow_into(v.root(), facts);
    return is_safe(v, facts);
  }

  bool is_safe(const Value& v, Facts facts) const {
    if (v.kind == ValueKind::Load) {
      const Extent bytes = extent(p_, v.a, v.k, v.size());
      return maps_.at(facts, captured(bytes.base)) >= bytes.end;
    }
    if (v.kind == ValueKind::Binary && (v.arith() == Arith::Div || v.arith() == Arith::Mod))
      return ranges_.of(v.b).low > 0 || maps_.at(facts, not_zero(v.b)) != 0;
    return true;
  }

  /// The message: names the first node that uses the value where it is not safe.
  Mistake blame(const std::vector<Item>& items, ValueId bad) const {
    std::string at;
    for (auto item = items.rbegin(); item != items.rend() && at.empty(); ++item)
      if (item->is_node && at_node_[item->id] != unknown && !is_safe(p_[bad], at_node_[item->id]) &&
          uses(item->node(), bad))
        at = fmt::format("n{} ({}): ", item->id, expression(p_, item->node()));
    const bool is_load = p_[bad].kind == ValueKind::Load;
    return fmt::format("{}v{} = {} has no {} above it on every path", at, index(bad), expression(p_, bad),
                       is_load ? "guard" : "nonzero check");
  }

  bool uses(NodeId id, ValueId wanted) const {
    std::vector<ValueId> open = {p_[id].a, p_[id].b};
    std::vector<bool> seen(p_.value_count());
    while (!open.empty()) {
      const ValueId v = open.back();
      open.pop_back();
      // Operands are smaller ids: nothing below the wanted one can lead to it.
      if (v == no_value || index(v) < index(wanted) || seen[index(v)]) continue;
      if (v == wanted) return true;
      seen[index(v)] = true;
      open.push_back(p_[v].a);
      open.push_back(p_[v].b);
    }
    return false;
  }

  const Program& p_;
  mutable Ranges ranges_{p_};  // remembers what it has been asked
  RadixMaps maps_;
  std::vector<Facts> at_node_, at_value_;
};

}  // namespace

std::optional<std::string> verify(const Program& p) {
  if (auto mistake = check_fields(p)) return mistake;
  if (auto mistake = check_choices(p)) return mistake;
  return Guards(p).check();
}

}  // namespace weir::ir
