// Several tests at once: adjacent bytes by one comparison, cheap tests with one outcome by one branch.
#include <algorithm>
#include <cstddef>

#include "native/x86_64.hpp"

namespace weir::native::x86_64 {

using namespace ir;

namespace {

/// Bytes at a place that have to be these; `value` as they lie in memory.
struct Piece {
  ValueId base;
  std::uint32_t at, size;
  std::uint64_t value;
};

/// Joins two pieces where they lie side by side and fill a load together.
bool join(Piece& a, const Piece& b) {
  if (a.base != b.base || a.size != b.size || a.size == 8) return false;
  if (std::uint64_t{a.at} + a.size == b.at) {
    a.value |= b.value << 8 * a.size;
  } else if (std::uint64_t{b.at} + b.size == a.at) {
    a.value = a.value << 8 * a.size | b.value;
    a.at = b.at;
  } else {
    return false;
  }
  a.size *= 2;
  return true;
}

/// Joins what can be joined, in the order in which it was asked; whether anything could.
bool join_all(std::vector<Piece>& pieces) {
  bool any = false;
  for (std::size_t i = 0; i < pieces.size(); ++i)
    for (std::size_t j = i + 1; j < pieces.size();) {
      if (join(pieces[i], pieces[j])) {
        pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(j));
        any = true;
        i = 0;
        j = 1;
      } else {
        ++j;
      }
    }
  return any;
}

}  // namespace

/// A chain of equalities of adjacent bytes with one outcome when they fail: asked in pieces of up to eight bytes.
bool Select::wide_test(Graph& g, NodeId id) {
  constexpr std::size_t most_links = 8;
  std::vector<NodeId> links;
  std::vector<Piece> pieces;
  const NodeId otherwise = follow(program_[id].f);
  NodeId at = id;
  for (; links.size() < most_links; at = follow(program_[links.back()].t)) {
    const Node& n = program_[at];
    if (n.kind != NodeKind::Test || n.relation() != Relation::Equal || follow(n.f) != otherwise) break;
    const Value& v = program_[n.a];
    const auto k = constant_of(program_, n.b);
    if (v.kind != ValueKind::Load || !k || *k > highest(v.size())) break;
    if (!pieces.empty() && pieces.back().base != v.a) break;
    pieces.push_back({v.a, v.k, v.size(), swapped(*k, v.size())});
    links.push_back(at);
  }
  // The chain ends with the last link that is part of a wider piece.
  while (pieces.size() > 1) {
    const Piece last = pieces.back();
    if (std::any_of(pieces.begin(), pieces.end() - 1, [&](Piece p) { return join(p, last); })) break;
    pieces.pop_back();
    links.pop_back();
  }
  if (pieces.size() < 2 || !join_all(pieces)) return false;
  for (std::size_t i = 1; i < links.size(); ++i) mark(program_.span(links[i]));
  const NodeId then = follow(program_[links.back()].t);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Piece& p = pieces[i];
    const Xbyak::RegExp where = address(p.base, p.at, rdi);
    const auto k = static_cast<std::int64_t>(p.value);
    if (p.size == 8 && (k < 0 || k > 0x7fffffff)) {
      mov(rcx, p.value);
      cmp(qword[where], rcx);
    } else if (p.size == 8) {
      cmp(qword[where], static_cast<std::uint32_t>(k));
    } else if (p.size == 4) {
      cmp(dword[where], static_cast<std::uint32_t>(k));
    } else if (p.size == 2) {
      cmp(word[where], sign_extended(static_cast<std::uint32_t>(k), 2));
    } else {
      cmp(byte[where], static_cast<std::uint32_t>(k));
    }
    if (i + 1 < pieces.size()) jne(way(g, otherwise));
  }
  auto& t = g.places[static_cast<std::uint32_t>(then)];
  auto& f = g.places[static_cast<std::uint32_t>(otherwise)];
  ++t.pending;
  ++f.pending;
  arrive(t);
  arrive(f);
  release(g, program_[id].t);
  release(g, program_[id].f);
  release(g, otherwise);
  release(g, then);
  finish_branch(g, Condition::Equal, then, otherwise);
  return true;
}

/// Whether asking costs less than a branch that is mispredicted now and then: a load, a mask, one look into a table.
bool Select::is_cheap(const Node& n) {
  if (n.kind == NodeKind::Member) {
    if (program_[n.a].kind != ValueKind::Load) return false;
    const SetPlan& plan = plan_of(n);
    // With displacements, two loads and more wait for one another: a branch lets the next packet begin meanwhile.
    const auto* h = std::get_if<SetPlan::Hash>(&plan.how);
    return is_straight(plan) && (h == nullptr || h->bucket_bits == 0);
  }
  if (n.kind != NodeKind::Test || !constant_of(program_, n.b)) return false;
  const Value* v = &program_[n.a];
  if (v->kind == ValueKind::Binary && v->arith() == Arith::And && constant_of(program_, v->b)) v = &program_[v->a];
  return v->kind == ValueKind::Load;
}

/// `port 80`, `host a`: two and more cheap tests of which one alone leads to the same place. All are asked, and one branch
/// is taken for all; which of them holds cannot be predicted.
bool Select::either(Graph& g, const Node& n) {
  constexpr std::size_t most_links = 4;
  struct Link {
    const Node* node;
    bool when;  ///< the answer that leads there
    Span words;
  };
  if (unpinned() < 3 || !is_cheap(n)) return false;
  for (const bool when : {true, false}) {
    const NodeId there = follow(when ? n.t : n.f);
    std::vector<Link> links{{&n, when, {}}};
    NodeId rest = follow(when ? n.f : n.t);
    while (links.size() < most_links && rest != there) {
      const Node& m = program_[rest];
      if (!is_cheap(m)) break;
      const NodeId t = follow(m.t), f = follow(m.f);
      if (t == f || (t != there && f != there)) break;
      links.push_back({&m, t == there, program_.span(rest)});
      rest = t == there ? f : t;
    }
    if (links.size() < 2 || rest == there) continue;
    const Register any = take();
    for (const Link& l : links) {
      mark(l.words);
      ++pins_[any];
      Ways none{nullptr, nullptr};
      Condition c = l.node->kind == NodeKind::Member ? membership(*l.node, none) : flags(*l.node);
      --pins_[any];
      if (!l.when) c = opposite(c);
      if (l.node == &n) {
        set(c, r8(any));
      } else {
        set(c, al);
        or_(r8(any), al);  // its flags are those of the answers so far
      }
    }
    if (are_verdicts(g, there, rest)) {
      return_either(Condition::NotEqual, there, rest);
      release(g, n.t);
      release(g, n.f);
      return true;
    }
    Place& yes = g.places[static_cast<std::uint32_t>(there)];
    Place& no = g.places[static_cast<std::uint32_t>(rest)];
    ++yes.pending;
    ++no.pending;
    arrive(yes);
    arrive(no);
    release(g, n.t);
    release(g, n.f);
    release(g, rest);
    release(g, there);
    return finish_branch(g, Condition::NotEqual, there, rest), true;
  }
  return false;
}

}  // namespace weir::native::x86_64
