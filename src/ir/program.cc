// The pools of values and nodes: open addressing on ids, linear probing, at most half full. A slot holds 32 bits of
// the hash beside the id: probing and growing then never look at the pool, and cache misses are what a big graph
// costs. Tested by tests/unit/ir/program_test.cc.
#include "ir/program.hpp"

#include <cassert>

namespace weir::ir {
namespace {

constexpr std::uint64_t free_slot = ~std::uint64_t{0};
constexpr std::size_t first_capacity = 256;

constexpr std::uint64_t mix(std::uint64_t h, std::uint64_t low, std::uint64_t high) {
  h = (h ^ (low | high << 32)) * 0x9e3779b97f4a7c15;
  return h ^ h >> 32;
}

std::uint64_t head(std::uint8_t kind, std::uint8_t detail) {
  return static_cast<std::uint64_t>(kind) | static_cast<std::uint64_t>(detail) << 8;
}

std::uint64_t hash(const Value& v) {
  const std::uint64_t h = mix(0, head(static_cast<std::uint8_t>(v.kind), v.detail), v.k);
  return mix(h, static_cast<std::uint32_t>(v.a), static_cast<std::uint32_t>(v.b));
}

std::uint64_t hash(const Node& n) {
  std::uint64_t h = mix(0, head(static_cast<std::uint8_t>(n.kind), n.detail), n.k);
  h = mix(h, static_cast<std::uint32_t>(n.a), static_cast<std::uint32_t>(n.b));
  return mix(h, static_cast<std::uint32_t>(n.t), static_cast<std::uint32_t>(n.f));
}

/// The same entries in a table of twice the size.
std::vector<std::uint64_t> grown(const std::vector<std::uint64_t>& old) {
  std::vector<std::uint64_t> index(old.size() * 2, free_slot);
  const std::size_t mask = index.size() - 1;
  for (const std::uint64_t entry : old) {
    if (entry == free_slot) continue;
    std::size_t slot = entry >> 32 & mask;
    while (index[slot] != free_slot) slot = (slot + 1) & mask;
    index[slot] = entry;
  }
  return index;
}

/// The first words somebody gave stay; an id made without words takes those of the next to ask.
void keep(Span& span, Span asked) {
  if (span.empty()) span = asked;
}

}  // namespace

template <class T>
std::uint32_t Program::intern(std::vector<T>& pool, std::vector<std::uint64_t>& index, const T& item, bool& is_new) {
  if (index.empty()) index.assign(first_capacity, free_slot);
  if ((pool.size() + 1) * 2 > index.size()) index = grown(index);
  const std::size_t mask = index.size() - 1;
  const std::uint32_t key = static_cast<std::uint32_t>(hash(item));
  std::size_t slot = key & mask;
  for (; index[slot] != free_slot; slot = (slot + 1) & mask) {
    const std::uint32_t id = static_cast<std::uint32_t>(index[slot]);
    if (index[slot] >> 32 == key && pool[id] == item) return is_new = false, id;
  }
  const std::uint32_t id = static_cast<std::uint32_t>(pool.size());
  assert(id != static_cast<std::uint32_t>(free_slot));
  is_new = true;
  index[slot] = std::uint64_t{key} << 32 | id;
  pool.push_back(item);
  return id;
}

ValueId Program::add(const Value& v, Span span) {
  bool is_new = false;
  const std::uint32_t id = intern(values_, value_index_, v, is_new);
  if (is_new) value_spans_.push_back(span);
  else keep(value_spans_[id], span);
  return ValueId{id};
}

NodeId Program::add(const Node& n, Span span) {
  bool is_new = false;
  const std::uint32_t id = intern(nodes_, node_index_, n, is_new);
  if (is_new) node_spans_.push_back(span);
  else keep(node_spans_[id], span);
  return NodeId{id};
}

ValueId Program::constant(std::uint32_t k) { return add(Value{ValueKind::Constant, 0, k}); }

ValueId Program::load(std::uint32_t size, ValueId base, std::uint32_t displacement, Span span) {
  assert(size == 1 || size == 2 || size == 4);
  return add(Value{ValueKind::Load, static_cast<std::uint8_t>(size), displacement, base}, span);
}

ValueId Program::length() { return add(Value{ValueKind::Length}); }

ValueId Program::meta(Meta m) { return add(Value{ValueKind::Meta, static_cast<std::uint8_t>(m)}); }

ValueId Program::negate(ValueId a) { return add(Value{ValueKind::Negate, 0, 0, a}); }

ValueId Program::binary(Arith op, ValueId a, ValueId b) {
  return add(Value{ValueKind::Binary, static_cast<std::uint8_t>(op), 0, a, b});
}

ValueId Program::choice(NodeId choice_root, Span span) {
  return add(Value{ValueKind::Choice, 0, static_cast<std::uint32_t>(choice_root)}, span);
}

void Program::trim() {
  value_index_ = {};
  node_index_ = {};
  values_.shrink_to_fit();
  nodes_.shrink_to_fit();
  value_spans_.shrink_to_fit();
  node_spans_.shrink_to_fit();
}

NodeId Program::ret(ValueId value) { return add(Node{NodeKind::Return, 0, 0, value}); }

NodeId Program::guard(std::uint32_t size, ValueId base, std::uint32_t displacement, NodeId next, Span span) {
  assert(size > 0 && size < 256);
  return add(Node{NodeKind::Guard, static_cast<std::uint8_t>(size), displacement, base, no_value, next}, span);
}

NodeId Program::nonzero(ValueId value, NodeId next, Span span) {
  return add(Node{NodeKind::NonZero, 0, 0, value, no_value, next}, span);
}

NodeId Program::test(Relation op, ValueId a, ValueId b, NodeId t, NodeId f, Span span) {
  return add(Node{NodeKind::Test, static_cast<std::uint8_t>(op), 0, a, b, t, f}, span);
}

std::optional<std::uint32_t> constant_of(const Program& p, ValueId v) {
  if (v == no_value || p[v].kind != ValueKind::Constant) return std::nullopt;
  return p[v].k;
}

}  // namespace weir::ir
