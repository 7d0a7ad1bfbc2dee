#include <bit>
#include <cstddef>

#include "native/aarch64.hpp"

namespace weir::native::aarch64 {

using namespace ir;

namespace {

/// Beyond so many bytes of code nobody gains by it: it no longer fits the caches.
constexpr std::size_t most_bytes = 16u << 20;
/// Graphs with more nodes are there once: twice as much code would cost more than guards do.
constexpr std::size_t most_nodes_twice = 4000;
constexpr std::size_t usual_bytes = 4096;
constexpr std::uint64_t highest_beside_flags = 31;  ///< in a `ccmp`

/// Flags with which a condition holds.
a64::StatusFlags flags_for(a64::Condition c) {
  switch (c) {
    case a64::eq: return a64::ZFlag;
    case a64::hs:
    case a64::hi: return a64::CFlag;
    default: return a64::NoFlag;  // ne, lo, ls
  }
}

}  // namespace

Select::Question Select::Question::opposite() const {
  Question q = *this;
  q.condition = a64::InvertCondition(condition);
  return q;
}

// ---- the walk ---------------------------------------------------------------------------------------------

Select::Select(const ir::Program& p, const Plan& plan, std::uint32_t frame, Reach reach)
    : Walk(p), plan_(plan), ranges_(p), frame_(frame), reach_(reach), asm_(std::make_unique<a64::MacroAssembler>(usual_bytes)) {
  for (std::uint32_t h = 0; h < plan.home_count(); ++h)
    if (!home_register(h)) ++next_word_;
  most_words_ = next_word_;
}

void Select::run() {
  if (frame_ != 0) asm_->Sub(a64::sp, a64::sp, frame_);
  Graph as_written = graph_of(program_.root);
  if (plan_.node_count() <= most_nodes_twice) {
    Graph merged = graph_of(program_.root);
    merged.as_written = &as_written;
    go_to(merged, program_.root);
    select(merged);
    release(as_written, program_.root);  // where nothing leads; only to nodes behind it
  } else {
    go_to(as_written, program_.root);
  }
  select(as_written);
  asm_->Bind(&reject_);
  asm_->Mov(a64::w0, 0);
  end();
  asm_->FinalizeCode();
}

/// All places of a copy that are reached, each when all ways to it are known.
void Select::select(Graph& g) {
  while (!too_long_ && g.next()) {
    const NodeId id = g.take_next();
    begin(g[id]);
    node(g, id);
    if (asm_->GetSizeOfCodeGenerated() > most_bytes) too_long_ = true;
  }
}

void Select::node(Graph& g, NodeId id) {
  const Node& n = program_[id];
  if (n.kind != NodeKind::Return) mark(program_.span(id));
  switch (n.kind) {
    case NodeKind::Return: return leaf(g, n);
    case NodeKind::Guard: return guard(g, id, n);
    case NodeKind::NonZero:
      asm_->Cbz(w(value(n.a)), &reject_);
      return go_to(g, n.t);
    case NodeKind::Test: return wide_test(g, id) || either(g, id) ? void() : answer(g, settled(ask(n)), n);
    case NodeKind::Member: return either(g, id) ? void() : member(g, n);
  }
}

void Select::guard(Graph& g, NodeId id, const Node& n) {
  const std::uint64_t own_end = end_of(n);
  if (machine_.has(n.a, own_end)) return go_to(g, n.t);
  const std::uint64_t end = g.as_written != nullptr ? plan_.merged_end(n.a, own_end) : own_end;
  const auto bytes = static_cast<std::int64_t>(end);  // as VIXL's operands are
  if (n.a == no_value) {
    asm_->Cmp(a64::x1, bytes);
  } else {
    // Summed in 64 bits: without wrap. The upper half of a register with a length is anything.
    const Reg base = value(n.a);
    if (program_[n.a].kind == ValueKind::Length) {
      asm_->Mov(a64::w4, w(base));
      asm_->Add(a64::x4, a64::x4, bytes);
    } else {
      asm_->Add(a64::x4, x(base), bytes);
    }
    asm_->Cmp(a64::x1, a64::x4);
  }
  a64::Label* fails = &reject_;
  if (end != own_end) {
    Place& other = (*g.as_written)[id];
    arrive(other);
    fails = label(other);
  }
  asm_->B(fails, a64::lo);
  machine_.learn(n.a, end);
  go_to(g, n.t);
}

void Select::leaf(Graph& g, const Node& n) {
  if (g.join != nullptr) {
    const Reg r = value(n.a);
    const std::uint32_t home = *plan_.home(g.choice);
    if (const auto own = home_register(home)) asm_->Mov(w(*own), w(r));
    else asm_->Str(w(r), home_word(home));
    machine_.at_home |= std::uint64_t{1} << home;
    arrive(*g.join);
    if (g.next()) asm_->B(label(*g.join));  // the last leaf falls through
    return;
  }
  if (const auto k = constant_of(program_, n.a)) asm_->Mov(a64::w0, *k);
  else asm_->Mov(a64::w0, w(value(n.a)));
  end();
}

void Select::end() {
  if (frame_ != 0) asm_->Add(a64::sp, a64::sp, frame_);
  asm_->Ret();
}

/// Between two constant verdicts there need not be a branch, which could be mispredicted.
void Select::answer(Graph& g, const Question& q, const Node& n) {
  if (!are_verdicts(g, n.t, n.f)) return branch(g, q, n);
  compare(q);
  return_either(q.condition, n.t, n.f);
  release(g, n.t);
  release(g, n.f);
}

void Select::return_either(a64::Condition c, NodeId t, NodeId f) {
  const std::uint32_t yes = *constant_of(program_, program_[t].a), no = *constant_of(program_, program_[f].a);
  if (yes == 0) c = a64::InvertCondition(c);
  asm_->Mov(a64::w4, yes != 0 ? yes : no);
  asm_->Csel(a64::w0, a64::w4, a64::wzr, c);
  end();
}

// ---- several tests at once ---------------------------------------------------------------------------------

bool Select::wide_test(Graph& g, NodeId id) {
  const auto wide = wide_from(id);
  if (!wide) return false;
  for (std::size_t i = 1; i < wide->links.size(); ++i) mark(program_.span(wide->links[i]));
  const Reg base = pointer(wide->pieces.front().base);
  Question q;
  for (const Piece& p : wide->pieces) {
    const bool is_first = &p == &wide->pieces.front();
    if (!is_first) jump(q.opposite(), label(g[wide->otherwise]));
    q = {.left = 4, .k = p.value, .wide = p.size == 8};
    if (is_first) {  // registers of the pool change before the first jump only
      pin(base);
      q = settled(q);
      unpin(base);
    } else if (q.wide) {
      q.right = 5;
      asm_->Mov(a64::x5, p.value);
    }
    fetch(4, p.size, base, p.at);
  }
  leave(g, program_[id], wide->then, wide->otherwise);
  finish_branch(g, q, wide->then, wide->otherwise);
  return true;
}

/// Whether asking costs less than a branch that is mispredicted now and then: a load, a mask, a look into a table; and
/// without a jump, or anything that would touch the flags of tests before. `base`: what is at hand besides the packet.
bool Select::is_cheap(const Node& n, ValueId base) {
  const Value* v = &program_[n.a];
  if (n.kind == NodeKind::Test) {
    if (!constant_of(program_, n.b)) return false;
    if (v->kind == ValueKind::Binary && v->arith() == Arith::And && constant_of(program_, v->b)) v = &program_[v->a];
  } else if (!is_straight(plan_of(n).plan)) {
    return false;
  }
  return v->kind == ValueKind::Load && (v->a == no_value || v->a == base);
}

/// All are asked, and one branch is taken for all; which of them holds cannot be predicted.
bool Select::either(Graph& g, NodeId id) {
  const Node& n = program_[id];
  constexpr std::size_t most_wanted = 5;  // one for the pointer, and what the costliest look into a set takes
  if (unpinned() < most_wanted) return false;
  const Value& v = program_[n.a];
  const ValueId load = v.kind == ValueKind::Binary ? v.a : n.a;
  const ValueId base = program_[load].kind == ValueKind::Load ? program_[load].a : no_value;
  if (!is_cheap(n, base)) return false;
  const auto chain = either_from(id, [&](const Node& m) { return is_cheap(m, base); });
  if (!chain) return false;
  const Reg packet = pointer(base);
  pin(packet);
  a64::Condition all{};
  for (const Either::Link& l : chain->links) {
    const Node& m = program_[l.node];
    mark(program_.span(l.node));
    Question q = m.kind == NodeKind::Member ? membership(m, {nullptr, nullptr}) : ask(m);
    if (!l.when) q = q.opposite();
    if (l.node == id) compare(settled(q));
    else compare_unless(all, settled(q, highest_beside_flags));
    all = q.condition;
  }
  unpin(packet);
  if (are_verdicts(g, chain->there, chain->rest)) {
    return_either(all, chain->there, chain->rest);
    release(g, n.t);
    release(g, n.f);
    return true;
  }
  leave(g, n, chain->there, chain->rest);
  finish_branch(g, {.kind = Question::Kind::Flags, .condition = all}, chain->there, chain->rest);
  return true;
}

// ---- flags ----------------------------------------------------------------------------------------------

void Select::compare(const Question& q) {
  if (q.kind == Question::Kind::Flags) return;
  const a64::Register left = q.wide ? x(q.left) : w(q.left);
  // A number of 32 bits with its sign: small negative ones fit instructions, too.
  const a64::Operand right = q.right ? a64::Operand(q.wide ? x(*q.right) : w(*q.right))
                                     : a64::Operand(static_cast<std::int64_t>(static_cast<std::int32_t>(q.k)));
  if (q.kind == Question::Kind::Bits) asm_->Tst(left, q.right ? right : a64::Operand(static_cast<std::int64_t>(q.k)));
  else asm_->Cmp(left, right);
}

void Select::compare_unless(a64::Condition already, const Question& q) {
  const a64::Condition unless = a64::InvertCondition(already);
  Reg left = q.left;
  a64::Operand right(0);
  if (q.kind == Question::Kind::Bits) {
    asm_->And(a64::w4, w(left), q.right ? a64::Operand(w(*q.right)) : a64::Operand(static_cast<std::int64_t>(q.k)));
    left = 4;
  } else {
    right = q.right ? a64::Operand(w(*q.right)) : a64::Operand(static_cast<std::int64_t>(q.k));
  }
  asm_->Ccmp(w(left), right, flags_for(q.condition), unless);
}

void Select::jump(const Question& q, a64::Label* to) {
  const bool is_equality = q.condition == a64::eq || q.condition == a64::ne;
  if (q.kind == Question::Kind::Compare && !q.right && q.k == 0 && is_equality) {
    if (q.condition == a64::eq) asm_->Cbz(w(q.left), to);
    else asm_->Cbnz(w(q.left), to);
  } else if (q.kind == Question::Kind::Bits && !q.right && std::has_single_bit(q.k)) {
    const auto bit = static_cast<unsigned>(std::countr_zero(q.k));
    if (q.condition == a64::eq) asm_->Tbz(w(q.left), bit, to);
    else asm_->Tbnz(w(q.left), bit, to);
  } else {
    compare(q);
    asm_->B(to, q.condition);
  }
}

// ---- edges ----------------------------------------------------------------------------------------------

a64::Label* Select::label(Place& place) {
  if (!place.label) {
    place.label = static_cast<std::uint32_t>(labels_.size());
    labels_.emplace_back();
  }
  return &labels_[*place.label];
}

void Select::begin(Place& place) {
  if (place.label) asm_->Bind(&labels_[*place.label]);
  machine_ = std::move(place.machine);
}

void Select::go_to(Graph& g, NodeId to) {
  const NodeId target = follow(to);
  Place& place = g[target];
  ++place.pending;
  arrive(place);
  release(g, to);
  release(g, target);
  if (g.next() != target) asm_->B(label(place));
}

void Select::branch(Graph& g, const Question& q, const Node& n) {
  const NodeId then = follow(n.t), otherwise = follow(n.f);
  leave(g, n, then, otherwise);
  finish_branch(g, q, then, otherwise);
}

/// The jumps of a branch: what is selected next needs none.
void Select::finish_branch(Graph& g, const Question& q, NodeId then, NodeId otherwise) {
  const auto following = g.next();
  if (following == then) {
    if (then != otherwise) jump(q.opposite(), label(g[otherwise]));
  } else {
    jump(q, label(g[then]));
    if (following != otherwise) asm_->B(label(g[otherwise]));
  }
}

void Select::mark(Span span) {
  if (span.empty()) return;
  if (!marks_.empty() && marks_.back().span == span) return;
  const std::size_t at = asm_->GetSizeOfCodeGenerated();
  if (!marks_.empty() && marks_.back().offset == at) marks_.pop_back();
  marks_.push_back({at, span});
}

}  // namespace weir::native::aarch64
