#include <algorithm>
#include <functional>

#include "cbpf/select.hpp"

namespace weir::cbpf {

using namespace ir;

namespace {

std::uint16_t jump_code(Relation r) {
  switch (r) {
    case Relation::Equal: return op::JMP | op::JEQ;
    case Relation::Greater: return op::JMP | op::JGT;
    case Relation::GreaterEqual: return op::JMP | op::JGE;
    case Relation::Bits: return op::JMP | op::JSET;
  }
  return 0;
}

}  // namespace

Blocks Select::run() {
  blocks_.reserve(std::min<std::size_t>(2 * program_.node_count() + 8, enough_lines));
  reject_ = blocks_.add();
  blocks_[reject_].end = Block::End::Return;
  blocks_[reject_].last = {op::RET | op::K, 0, {}};
  Entries entries(program_.node_count());
  // One `ret #0` for the graph's rejecting leaf and for all checks that code needs beside it.
  for (std::uint32_t i = 0; i < program_.node_count(); ++i)
    if (const Node& n = program_[NodeId{i}]; n.kind == NodeKind::Return && constant_of(program_, n.a) == 0u)
      entries.add(NodeId{i}).block = reject_;
  arrive(way(entries, program_.root));
  for (auto i = static_cast<std::uint32_t>(program_.root) + 1; i-- > 0 && !too_long_;) {
    const Entry* e = entries.find(NodeId{i});
    if (!e || !e->reached || e->block == reject_) continue;
    begin(*e);
    entries.drop(NodeId{i});  // nothing leads back: a long filter must not keep the state of every place
    graph_node(NodeId{i}, entries, {});
  }
  blocks_.begin(reject_);
  return std::move(blocks_);
}

/// One node, whose code begins in the current block.
void Select::graph_node(NodeId id, Entries& entries, Leaves leaves) {
  const Node& n = program_[id];
  if (n.kind != NodeKind::Return && !program_.span(id).empty()) span_ = program_.span(id);
  switch (n.kind) {
    case NodeKind::Return: return leaf(n, leaves);
    case NodeKind::Guard:
    case NodeKind::NonZero:
      guard(n);
      return go_to(way(entries, n.t));
    case NodeKind::Test: {
      if (is_in_chain(n)) return link(n, entries);
      Entry& t = way(entries, n.t);
      return branch(n, t, way(entries, n.f));
    }
    case NodeKind::Member: {
      if (const auto* place = families_.find(id); place && !leaves.join) return row(*place, entries);
      Entry& t = way(entries, n.t);
      return member(n, t, way(entries, n.f));
    }
  }
}

/// A guard that no instruction of its test is: the load or the division for its own sake.
void Select::guard(const Node& n) {
  if (n.kind == NodeKind::Guard) {
    load({ValueKind::Load, n.detail, n.k, n.a, no_value});
    machine_.a = no_value;
    return;
  }
  to_a(n.a);
  Entry next{blocks_.add(), {}, false}, rejected{reject_, {}, true};
  jump(op::JMP | op::JEQ, 0, rejected, next);
  begin(next);
}

void Select::leaf(const Node& n, Leaves leaves) {
  if (leaves.join) {
    to_a(n.a);
    machine_.a = leaves.choice;
    return go_to(*leaves.join);
  }
  Block::Line line{op::RET | op::K, 0, {}};
  if (const auto k = constant_of(program_, n.a)) {
    line.k = *k;
  } else {
    to_a(n.a);
    line.code = op::RET | op::A;
  }
  blocks_[current_].end = Block::End::Return;
  blocks_[current_].last = line;
}

void Select::branch(const Node& n, Entry& t, Entry& f) {
  if (const auto k = constant_of(program_, n.b)) {
    if (with_upper_bits(n, *k, t, f)) return;
    to_a(n.a);
    return jump(jump_code(n.relation()), *k, t, f);
  }
  const bool symmetric = n.relation() == Relation::Equal || n.relation() == Relation::Bits;
  if (symmetric && trouble(n.b, n.a) < trouble(n.a, n.b))
    operands(n.b, n.a);
  else
    operands(n.a, n.b);
  jump(jump_code(n.relation()) | op::X, 0, t, f);
}

/// Behind a test for one number the one whether others of the same value go on, if two instructions ask that (sets.cc).
const Node* Select::link_behind(const Node& n) const {
  if (n.kind != NodeKind::Test || n.relation() != Relation::Equal) return nullptr;
  const Node& next = program_[skip_free(n.f)];
  if (next.kind != NodeKind::Member || next.a != n.a || ranges_.of(n.a).high > 0xff) return nullptr;
  const auto k = constant_of(program_, n.b);
  return k && !program_.set_of(next).contains(*k) && products_.of(program_.set_of(next)) ? &next : nullptr;
}

/// Whether it is one of several that end alike: then what is asked at the end stands once.
bool Select::is_in_chain(const Node& n) {
  const Node* member = has_chain_ == false ? nullptr : link_behind(n);
  if (!member || has_chain_) return member != nullptr;
  std::size_t links = 0;
  for (std::uint32_t i = 0; i < program_.node_count(); ++i) {
    const Node& other = program_[NodeId{i}];
    const Node* behind = other.kind == NodeKind::Test && other.b == n.b && other.t == n.t ? link_behind(other) : nullptr;
    links += behind && behind->k == member->k && behind->f == member->f;
  }
  has_chain_ = links > 2;
  return *has_chain_;
}

/// v == k ? T : (v in S ? N : F)  ==  v in S ? N : (v == k ? T : F), where k is not in S; and of products, as S is asked of one:
/// v == k  ==  v * factor == k * factor, for the product has no bits twice.
void Select::link(const Node& n, Entries& entries) {
  const Node& member = *link_behind(n);
  const Product product = *products_.of(program_.set_of(member));
  to_a(n.a);
  put(op::ALU | op::MUL, product.factor);
  machine_.a = no_value;
  Entry end{blocks_.add(), {}, false};
  jump(op::JMP | op::JSET, product.bits, end, way(entries, member.t));
  begin(end);
  Entry& t = way(entries, n.t);
  jump(op::JMP | op::JEQ, *constant_of(program_, n.b) * product.factor, t, way(entries, member.f));
}

/// Puts the nodes of a choice behind those of choices around it, in their order.
void Select::collect_below(NodeId root) {
  const auto first = static_cast<std::ptrdiff_t>(below_.size());
  below_.push_back(root);
  for (auto next = static_cast<std::size_t>(first); next < below_.size(); ++next) {
    const Node& n = program_[below_[next]];
    if (n.kind == NodeKind::Return) continue;
    for (const NodeId to : {n.t, n.forks() ? n.f : n.t})
      if (std::find(below_.begin() + first, below_.end(), to) == below_.end()) below_.push_back(to);
  }
  std::sort(below_.begin() + first, below_.end(), std::greater{});
}

/// The graph of a choice in line: its leaves put the chosen value into A and go on behind it.
void Select::choose(ValueId choice, NodeId root) {
  Entries entries;
  Entry join{blocks_.add(), {}, false};
  const Span outside = span_;
  const NodeId first = skip_free(root);
  bool at_first = true;
  const std::size_t begin_of_choice = below_.size();
  collect_below(root);
  const std::size_t end_of_choice = below_.size();
  for (std::size_t i = begin_of_choice; i != end_of_choice; ++i) {
    const NodeId id = below_[i];
    if (id == first && at_first) {
      at_first = false;  // goes on in the current block
    } else if (const Entry* e = entries.find(id); e && e->reached) {
      begin(*e);
      entries.drop(id);
    } else {
      continue;
    }
    graph_node(id, entries, {choice, &join});
    span_ = outside;
  }
  below_.resize(begin_of_choice);
  begin(join);
}

// ---- guards that cost nothing ------------------------------------------------------------------------

NodeId Select::skip_free(NodeId n) const {
  while (checks_itself(program_[n])) n = program_[n].t;
  return n;
}

/// Whether the test behind a guard makes the guarded load or division itself, so that the machine rejects.
bool Select::checks_itself(const Node& guard) const {
  if (guard.kind != NodeKind::Guard && guard.kind != NodeKind::NonZero) return false;
  const Node* next = &program_[guard.t];
  while (next->kind == NodeKind::Guard || next->kind == NodeKind::NonZero) next = &program_[next->t];
  return contains(next->a, guard) || (next->kind == NodeKind::Test && contains(next->b, guard));
}

bool Select::contains(ValueId tree, const Node& guard) const {
  if (tree == no_value) return false;
  const Value& v = program_[tree];
  if (v.kind == ValueKind::Choice) return false;
  const bool divides = v.kind == ValueKind::Binary && (v.arith() == Arith::Div || v.arith() == Arith::Mod);
  if (guard.kind == NodeKind::NonZero ? divides && v.b == guard.a
                                      : v.kind == ValueKind::Load && v.a == guard.a && v.k == guard.k && v.detail == guard.detail)
    return true;
  return contains(v.a, guard) || contains(v.b, guard);
}

// ---- blocks and edges ---------------------------------------------------------------------------------

Select::Entry& Select::way(Entries& entries, NodeId to) {
  const NodeId first = skip_free(to);
  if (Entry* known = entries.find(first)) return *known;
  Entry& e = entries.add(first);
  e.block = blocks_.add();
  return e;
}

/// What the machine holds now, it holds on one way into `e`.
void Select::arrive(Entry& e) {
  if (e.reached)
    e.machine.meet(machine_);
  else
    e.machine = machine_;
  e.reached = true;
}

void Select::begin(const Entry& e) {
  current_ = e.block;
  machine_ = e.machine;
  blocks_.begin(current_);
}

void Select::go_to(Entry& e) {
  arrive(e);
  Block& b = blocks_[current_];
  b.end = Block::End::Goto;
  b.t = e.block;
  b.last.span = span_;
}

void Select::jump(std::uint16_t code, std::uint32_t k, Entry& t, Entry& f) {
  arrive(t);
  if (&t != &f) arrive(f);
  Block& b = blocks_[current_];
  b.end = Block::End::Jump;
  b.last = {code, k, span_};
  b.t = t.block;
  b.f = f.block;
}

/// Rejects when A is greater than k.
void Select::reject_unless_at_most(std::uint32_t k) {
  Entry next{blocks_.add(), {}, false}, rejected{reject_, {}, true};
  jump(op::JMP | op::JGT, k, rejected, next);
  begin(next);
}

/// Rejects here; what the graph has behind it is selected all the same, but nothing leads there.
void Select::reject() {
  Entry nowhere{blocks_.add(), machine_, true}, rejected{reject_, {}, true};
  go_to(rejected);
  begin(nowhere);
}

void Select::put(std::uint16_t code, std::uint32_t k) {
  if (++lines_ > enough_lines) too_long_ = true;
  if (!too_long_) blocks_.put({code, k, span_});
}

}  // namespace weir::cbpf
