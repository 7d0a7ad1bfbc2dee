#include "c/variables.hpp"

#include <algorithm>

namespace weir::c {
namespace {

using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Value;
using ir::ValueId;
using ir::ValueKind;

constexpr std::uint32_t deepest = 4;


/// Values whose text is short, however often it stands there.
bool is_short(const ir::Program& p, const Value& v) {
  const auto plain = [&](ValueId of) {
    return of == ir::no_value || (p[of].kind != ValueKind::Binary && p[of].kind != ValueKind::Choice && p[of].a == ir::no_value);
  };
  switch (v.kind) {
    case ValueKind::Constant:
    case ValueKind::Length:
    case ValueKind::Meta: return true;
    case ValueKind::Load: return v.a == ir::no_value;
    case ValueKind::Binary: return ir::constant_of(p, v.b) && plain(v.a);
    case ValueKind::Negate:
    case ValueKind::Choice: return false;
  }
  return false;
}

/// How often a value's text would stand there.
std::vector<std::uint32_t> count_uses(const ir::Program& p) {
  std::vector<std::uint32_t> uses(p.value_count(), 0);
  const auto use = [&](ValueId v) {
    if (v != ir::no_value) ++uses[index(v)];
  };
  for (std::uint32_t id = 0; id < p.value_count(); ++id) {
    use(p[ValueId{id}].a);
    use(p[ValueId{id}].b);
  }
  for (std::uint32_t id = 0; id < p.node_count(); ++id) {
    use(p[NodeId{id}].a);
    use(p[NodeId{id}].b);
  }
  return uses;
}

/// Loads that one condition compares several times.
std::vector<bool> compared_often(const ir::Program& p) {
  std::vector<bool> often(p.value_count(), false);
  for (std::uint32_t id = 0; id < p.node_count(); ++id) {
    const Node& n = p[NodeId{id}];
    const std::size_t times = n.kind == NodeKind::Member ? comparisons(p.set_of(n).intervals(), {}) : 0;
    if (times > 1 && times <= most_comparisons) often[index(n.a)] = true;
  }
  return often;
}

}  // namespace

std::vector<bool> variables(const ir::Program& p) {
  const std::vector<std::uint32_t> uses = count_uses(p);
  const std::vector<bool> often = compared_often(p);
  std::vector<bool> has(p.value_count(), false);
  std::vector<std::uint32_t> depth(p.value_count(), 0);
  for (std::uint32_t id = 0; id < p.value_count(); ++id) {
    const Value& v = p[ValueId{id}];
    for (const ValueId operand : {v.a, v.b})
      if (operand != ir::no_value) depth[id] = std::max(depth[id], depth[index(operand)] + 1);
    const bool in_condition = often[id] && (v.kind == ValueKind::Load || v.kind == ValueKind::Binary);
    has[id] = v.kind == ValueKind::Choice || in_condition || (uses[id] > 1 && !is_short(p, v)) || depth[id] > deepest;
    if (has[id]) depth[id] = 0;
  }
  return has;
}

}  // namespace weir::c
