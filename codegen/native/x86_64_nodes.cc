#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <limits>

#include "native/x86_64.hpp"

namespace weir::native::x86_64 {

using namespace ir;

namespace {

/// Beyond so many bytes of code nobody gains by it: it no longer fits the caches.
constexpr std::size_t most_bytes = 16u << 20;
constexpr std::size_t first_bytes = 16u << 10;  ///< enough for most filters
/// Graphs with more nodes are there once: twice as much code would cost more than guards do.
constexpr std::size_t most_nodes_twice = 4000;

/// Code is written where it never runs: Xbyak's own memory is whole pages, whose protection it changes back and forth.
class Heap : public Xbyak::Allocator {
 public:
  std::uint8_t* alloc(std::size_t size) override { return static_cast<std::uint8_t*>(std::malloc(size)); }
  void free(std::uint8_t* p) override { std::free(p); }
  bool useProtect() const override { return false; }
};

Xbyak::Allocator* heap() {
  static Heap only;  // it has no state
  return &only;
}

std::vector<NodeId> nodes_below(const ir::Program& p, NodeId root) {
  std::unordered_map<std::uint32_t, bool> found{{static_cast<std::uint32_t>(root), true}};
  std::vector<NodeId> all{root};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Node& n = p[all[i]];
    if (n.kind == NodeKind::Return) continue;
    for (const NodeId to : {n.t, n.forks() ? n.f : n.t})
      if (found.try_emplace(static_cast<std::uint32_t>(to), true).second) all.push_back(to);
  }
  return all;
}

}  // namespace

// ---- what is known at a place ---------------------------------------------------------------------------

void Machine::meet(const Machine& other) {
  for (std::size_t i = 0; i < pool_size; ++i)
    if (registers[i] != other.registers[i]) registers[i] = {};
  at_home &= other.at_home;
  std::erase_if(captured, [&](Fact& f) {
    const auto same = std::ranges::find(other.captured, f.base, &Fact::base);
    if (same == other.captured.end()) return true;
    f.end = std::min(f.end, same->end);
    return false;
  });
}

bool Machine::has(ValueId base, std::uint64_t end) const {
  const auto known = std::ranges::find(captured, base, &Fact::base);
  return known != captured.end() && known->end >= end;
}

void Machine::learn(ValueId base, std::uint64_t end) {
  constexpr std::size_t most_facts = 8;  // every place has its own copy
  if (const auto known = std::ranges::find(captured, base, &Fact::base); known != captured.end()) {
    known->end = std::max(known->end, end);
  } else {
    if (captured.size() == most_facts) captured.erase(captured.begin());
    captured.push_back({base, end});
  }
}

// ---- the walk ---------------------------------------------------------------------------------------------

Select::Select(const ir::Program& p, const Plan& plan, std::uint32_t frame, Form form)
    : Xbyak::CodeGenerator(first_bytes, Xbyak::AutoGrow, heap()), program_(p), plan_(plan), ranges_(p), frame_(frame), form_(form) {
  setDefaultJmpNEAR(true);
  next_word_ = plan.home_count();
  most_words_ = next_word_;
  if (form == Form::Batch) return;  // which has the packet at hand
  if (plan.needs_metadata()) {
    next_word_ += next_word_ % 2;  // a pointer takes two
    metadata_word_ = next_word_;
    next_word_ += 2;
  }
  if (plan.needs_length()) length_word_ = next_word_++;
  most_words_ = next_word_;
}

void Select::run() {
  if (form_ == Form::Batch) {
    batch();
  } else {
    if (frame_ != 0) sub(rsp, frame_);
    if (plan_.needs_length()) mov(dword[stack_word(length_word_)], edx);
    if (plan_.needs_metadata()) mov(qword[stack_word(metadata_word_)], rcx);
    graphs();
    L(reject_);
    xor_(eax, eax);
    end();
  }
  put_tables();
  if (!too_long_) ready();
}

/// The code of one packet.
void Select::graphs() {
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
}

Select::Graph Select::graph_of(NodeId root) const {
  Graph g;
  const auto nodes = nodes_below(program_, root);
  g.places.reserve(nodes.size());
  for (const NodeId id : nodes) {
    const Node& n = program_[id];
    if (n.kind == NodeKind::Return) continue;
    ++g.places[static_cast<std::uint32_t>(n.t)].pending;
    if (n.forks()) ++g.places[static_cast<std::uint32_t>(n.f)].pending;
  }
  ++g.places[static_cast<std::uint32_t>(root)].pending;  // the way in
  return g;
}

/// All places of a copy that are reached, each when all ways to it are known.
void Select::select(Graph& g) {
  while (!too_long_) {
    const NodeId id = next(g);
    if (id == NodeId{std::numeric_limits<std::uint32_t>::max()}) return;
    if (!g.ready.empty()) g.ready.pop_back();
    else g.returns.pop_back();
    Place& place = g.places[static_cast<std::uint32_t>(id)];
    const auto verdict = program_[id].kind == NodeKind::Return && g.join == nullptr ? constant_of(program_, program_[id].a) : std::nullopt;
    if (verdict) {
      end_constant(place, *verdict);
    } else {
      begin(place);
      node(g, id);
    }
    if (getSize() > most_bytes) too_long_ = true;
  }
}

/// The node that is selected after this one; none when nothing is left.
NodeId Select::next(Graph& g) {
  if (!g.ready.empty()) return g.ready.back();
  if (!g.returns.empty()) return g.returns.back();
  return NodeId{std::numeric_limits<std::uint32_t>::max()};
}

void Select::node(Graph& g, NodeId id) {
  const Node& n = program_[id];
  if (n.kind != NodeKind::Return) mark(program_.span(id));
  switch (n.kind) {
    case NodeKind::Return: return leaf(g, n);
    case NodeKind::Guard: return guard(g, id, n);
    case NodeKind::NonZero: {
      const Register r = value(n.a);
      test(r32(r), r32(r));
      jz(reject_);
      return go_to(g, n.t);
    }
    case NodeKind::Test: return wide_test(g, id) || either(g, n) ? void() : question(g, n);
    case NodeKind::Member: return either(g, n) ? void() : member(g, n);
  }
}

void Select::guard(Graph& g, NodeId id, const Node& n) {
  const std::uint64_t own_end = end_of(n);
  if (machine_.has(n.a, own_end)) return go_to(g, n.t);
  std::uint64_t end = own_end;
  Xbyak::Label* fails = &reject_;
  if (g.as_written != nullptr) {
    end = plan_.merged_end(n.a, own_end);
    if (end != own_end) fails = nullptr;
  }
  if (n.a == no_value) {
    if (end <= 0x7fffffff) {
      cmp(rsi, static_cast<std::uint32_t>(end));
    } else {
      mov(rax, end);
      cmp(rsi, rax);
    }
  } else {
    const Xbyak::RegExp past = address(n.a, end, {});
    lea(rax, ptr[past]);
    cmp(rsi, rax);
  }
  if (fails == nullptr) {
    Place& other = g.as_written->places[static_cast<std::uint32_t>(id)];
    arrive(other);
    fails = &other.label;
  }
  jb(*fails);
  machine_.learn(n.a, end);
  go_to(g, n.t);
}

void Select::leaf(Graph& g, const Node& n) {
  if (g.join != nullptr) {
    const Register r = value(n.a);
    mov(dword[stack_word(*plan_.home(g.choice))], r32(r));
    machine_.at_home |= std::uint64_t{1} << *plan_.home(g.choice);
    arrive(*g.join);
    // The last leaf falls through.
    if (!(g.ready.empty() && g.returns.empty())) jmp(g.join->label);
    return;
  }
  const Register r = value(n.a);
  if (form_ == Form::Batch) {
    test(r32(r), r32(r));
    return end_with(Condition::NotEqual);
  }
  mov(eax, r32(r));
  end();
}

void Select::end_constant(Place& place, std::uint32_t k) {
  if (form_ == Form::Batch) {  // jumps to it go there at once
    const Xbyak::Label& there = k != 0 ? accept_ : reject_;
    jmp(there);
    if (place.label.getId() != 0) assignL(place.label, there);  // Xbyak takes labels that nobody used for one and the same
    return;
  }
  L(place.label);
  if (k == 0) xor_(eax, eax);
  else mov(eax, k);
  end();
}

void Select::end() {
  if (frame_ != 0) add(rsp, frame_);
  ret();
}

void Select::question(Graph& g, const Node& n) {
  if (verdict(g, n)) return;
  const Condition c = flags(n);
  branch(g, c, n.t, n.f);
}

/// A test between two constant verdicts needs no branch, which could be mispredicted.
bool Select::verdict(Graph& g, const Node& n) {
  if (!are_verdicts(g, n.t, n.f)) return false;
  const Condition c = flags(n);
  return_either(c, n.t, n.f);
  release(g, n.t);
  release(g, n.f);
  return true;
}

/// Whether both nodes return constants, one of them 0.
bool Select::are_verdicts(const Graph& g, NodeId t, NodeId f) const {
  if (g.join != nullptr || program_[t].kind != NodeKind::Return || program_[f].kind != NodeKind::Return) return false;
  const auto yes = constant_of(program_, program_[t].a), no = constant_of(program_, program_[f].a);
  return yes && no && (*yes == 0) != (*no == 0);
}

void Select::return_either(Condition c, NodeId t, NodeId f) {
  const std::uint32_t yes = *constant_of(program_, program_[t].a), no = *constant_of(program_, program_[f].a);
  if (yes == 0) c = opposite(c);
  if (form_ == Form::Batch) return end_with(c);
  mov(edx, yes != 0 ? yes : no);  // keeps the flags, which xor would not
  mov(eax, 0);
  switch (c) {
    case Condition::Equal: cmove(eax, edx); break;
    case Condition::NotEqual: cmovne(eax, edx); break;
    case Condition::Below:
    case Condition::Carry: cmovb(eax, edx); break;
    case Condition::AboveEqual:
    case Condition::NotCarry: cmovae(eax, edx); break;
    case Condition::BelowEqual: cmovbe(eax, edx); break;
    case Condition::Above: cmova(eax, edx); break;
  }
  end();
}

// ---- edges ----------------------------------------------------------------------------------------------

NodeId Select::follow(NodeId to) const {
  for (;;) {
    const Node& n = program_[to];
    if (n.kind != NodeKind::Guard || !machine_.has(n.a, end_of(n))) return to;
    to = n.t;
  }
}

/// One way to a place is done with. When it was the last one, the place is ready, or out of reach, and then so may be
/// what lies behind it.
void Select::release(Graph& g, NodeId to) {
  std::vector<NodeId> left{to};
  while (!left.empty()) {
    const NodeId id = left.back();
    left.pop_back();
    Place& place = g.places[static_cast<std::uint32_t>(id)];
    if (--place.pending != 0) continue;
    const Node& n = program_[id];
    if (place.reached) {
      (n.kind == NodeKind::Return ? g.returns : g.ready).push_back(id);
    } else if (n.kind != NodeKind::Return) {
      left.push_back(n.t);
      if (n.forks()) left.push_back(n.f);
    }
  }
}

void Select::arrive(Place& place) {
  if (place.reached) place.machine.meet(machine_);
  else place.machine = machine_;
  place.reached = true;
}

void Select::begin(Place& place) {
  L(place.label);
  machine_ = std::move(place.machine);
}

void Select::go_to(Graph& g, NodeId to) {
  const NodeId target = follow(to);
  Place& place = g.places[static_cast<std::uint32_t>(target)];
  ++place.pending;
  arrive(place);
  release(g, to);
  release(g, target);
  if (next(g) != target) jmp(place.label);
}

Select::Condition Select::opposite(Condition c) {
  switch (c) {
    case Condition::Equal: return Condition::NotEqual;
    case Condition::NotEqual: return Condition::Equal;
    case Condition::Below: return Condition::AboveEqual;
    case Condition::AboveEqual: return Condition::Below;
    case Condition::BelowEqual: return Condition::Above;
    case Condition::Above: return Condition::BelowEqual;
    case Condition::Carry: return Condition::NotCarry;
    case Condition::NotCarry: return Condition::Carry;
  }
  return c;
}

void Select::jump(Condition c, const Xbyak::Label& to) {
  switch (c) {
    case Condition::Equal: return je(to);
    case Condition::NotEqual: return jne(to);
    case Condition::Below:
    case Condition::Carry: return jb(to);
    case Condition::AboveEqual:
    case Condition::NotCarry: return jae(to);
    case Condition::BelowEqual: return jbe(to);
    case Condition::Above: return ja(to);
  }
}

void Select::set(Condition c, const Xbyak::Reg8& to) {
  switch (c) {
    case Condition::Equal: return sete(to);
    case Condition::NotEqual: return setne(to);
    case Condition::Below:
    case Condition::Carry: return setb(to);
    case Condition::AboveEqual:
    case Condition::NotCarry: return setae(to);
    case Condition::BelowEqual: return setbe(to);
    case Condition::Above: return seta(to);
  }
}

Xbyak::Label& Select::way(Graph& g, NodeId to) { return g.places[static_cast<std::uint32_t>(to)].label; }

void Select::branch(Graph& g, Condition c, NodeId t, NodeId f) {
  const NodeId then = follow(t), otherwise = follow(f);
  Place& yes = g.places[static_cast<std::uint32_t>(then)];  // references into an unordered_map outlive insertions
  Place& no = g.places[static_cast<std::uint32_t>(otherwise)];
  ++yes.pending;
  ++no.pending;
  arrive(yes);
  arrive(no);
  release(g, t);
  release(g, f);
  release(g, otherwise);
  release(g, then);
  finish_branch(g, c, then, otherwise);
}

/// The jumps of a branch: what is selected next needs none.
void Select::finish_branch(Graph& g, Condition c, NodeId then, NodeId otherwise) {
  const NodeId following = next(g);
  if (following == then) {
    if (then != otherwise) jump(opposite(c), way(g, otherwise));
  } else {
    jump(c, way(g, then));
    if (following != otherwise) jmp(way(g, otherwise));
  }
}

void Select::mark(Span span) {
  if (span.empty()) return;
  if (!marks_.empty() && marks_.back().span == span) return;
  if (!marks_.empty() && marks_.back().offset == getSize()) marks_.pop_back();
  marks_.push_back({getSize(), span});
}

}  // namespace weir::native::x86_64
