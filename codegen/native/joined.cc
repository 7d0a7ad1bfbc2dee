// Which tests of a graph can be asked together: adjacent bytes by one comparison, cheap tests with one outcome by one branch.
#include <algorithm>
#include <cstddef>

#include "native/bytes.hpp"
#include "native/walk.hpp"

namespace weir::native {

using namespace ir;

namespace {

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

std::optional<Walk::Wide> Walk::wide_from(NodeId id) const {
  constexpr std::size_t most_links = 8;
  Wide w{{}, {}, {}, follow(program_[id].f)};
  NodeId at = id;
  for (; w.links.size() < most_links; at = follow(program_[w.links.back()].t)) {
    const Node& n = program_[at];
    if (n.kind != NodeKind::Test || n.relation() != Relation::Equal || follow(n.f) != w.otherwise) break;
    const Value& v = program_[n.a];
    const auto k = constant_of(program_, n.b);
    if (v.kind != ValueKind::Load || !k || *k > highest(v.size())) break;
    if (!w.pieces.empty() && w.pieces.back().base != v.a) break;
    w.pieces.push_back({v.a, v.k, v.size(), swapped(*k, v.size())});
    w.links.push_back(at);
  }
  // The chain ends with the last link that is part of a wider piece.
  while (w.pieces.size() > 1) {
    const Piece last = w.pieces.back();
    if (std::any_of(w.pieces.begin(), w.pieces.end() - 1, [&](Piece p) { return join(p, last); })) break;
    w.pieces.pop_back();
    w.links.pop_back();
  }
  if (w.pieces.size() < 2 || !join_all(w.pieces)) return std::nullopt;
  w.then = follow(program_[w.links.back()].t);
  return w;
}

std::optional<Walk::Either> Walk::either_from(NodeId id, const std::function<bool(const Node&)>& is_cheap) const {
  constexpr std::size_t most_links = 4;
  const Node& n = program_[id];
  for (const bool when : {true, false}) {
    Either e{{{id, when}}, follow(when ? n.t : n.f), follow(when ? n.f : n.t)};
    while (e.links.size() < most_links && e.rest != e.there) {
      const Node& m = program_[e.rest];
      if (!m.forks() || !is_cheap(m)) break;
      const NodeId t = follow(m.t), f = follow(m.f);
      if (t == f || (t != e.there && f != e.there)) break;
      e.links.push_back({e.rest, t == e.there});
      e.rest = t == e.there ? f : t;
    }
    if (e.links.size() >= 2 && e.rest != e.there) return e;
  }
  return std::nullopt;
}

}  // namespace weir::native
