// The pools of values and nodes. Tested by tests/unit/ir/program_test.cc.
#include "ir/program.hpp"

#include <cassert>

namespace weir::ir {
namespace {

std::uint64_t head(std::uint8_t kind, std::uint8_t detail) {
  return static_cast<std::uint64_t>(kind) | static_cast<std::uint64_t>(detail) << 8;
}

std::uint64_t hash_value(const Value& v) {
  const std::uint64_t h = mix(0, head(static_cast<std::uint8_t>(v.kind), v.detail), v.k);
  return mix(h, static_cast<std::uint32_t>(v.a), static_cast<std::uint32_t>(v.b));
}

std::uint64_t hash_node(const Node& n) {
  std::uint64_t h = mix(0, head(static_cast<std::uint8_t>(n.kind), n.detail), n.k);
  h = mix(h, static_cast<std::uint32_t>(n.a), static_cast<std::uint32_t>(n.b));
  return mix(h, static_cast<std::uint32_t>(n.t), static_cast<std::uint32_t>(n.f));
}

/// The first words somebody gave stay; an id made without words takes those of the next to ask.
void keep(Span& span, Span asked) {
  if (span.empty()) span = asked;
}

}  // namespace

Program::Program(const Program& other)
    : root(other.root), pool_(std::make_shared<Pool>(*other.pool_)), nodes_(other.nodes_), node_index_(other.node_index_) {}

Program Program::beside(const Program& other) {
  Program p(other.pool_);
  p.root = other.root;
  p.nodes_ = other.nodes_;
  return p;
}

ValueId Program::add(const Value& v, Span span) {
  const std::uint32_t id = pool_->value_index.intern(pool_->values, v, hash_value);
  keep(pool_->values[id].span, span);
  pool_->has_choices |= v.kind == ValueKind::Choice;
  return ValueId{id};
}

NodeId Program::add(const Node& n, Span span) {
  const std::uint32_t id = node_index_.intern(nodes_, n, hash_node);
  keep(nodes_[id].span, span);
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

void Program::reserve(std::size_t values, std::size_t nodes) {
  pool_->values.reserve(values);
  pool_->value_index.expect(values);
  nodes_.reserve(nodes);
  node_index_.expect(nodes);
}

void Program::trim() {
  pool_->value_index = {};
  pool_->set_index = {};
  node_index_ = {};
  give_back(pool_->values);
  give_back(nodes_);
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

NodeId Program::member(ValueId a, Set numbers, NodeId t, NodeId f, Span span) {
  return add(Node{NodeKind::Member, 0, add(std::move(numbers)), a, no_value, t, f}, span);
}

std::uint32_t Program::add(Set numbers) {
  numbers.settle();
  return pool_->set_index.intern(pool_->sets, std::move(numbers), [](const Set& s) { return hash(s); });
}

}  // namespace weir::ir
