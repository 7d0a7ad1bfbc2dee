#include "ir/adjacent.hpp"

#include <algorithm>
#include <cstddef>

namespace weir::ir {

namespace {

constexpr std::size_t most_links = 8;
constexpr std::uint32_t widest = 8;

/// Joins two pieces where they lie side by side and fill a load together.
bool join(Piece& a, const Piece& b) {
  if (a.base != b.base || a.size != b.size || a.size == widest) return false;
  const bool b_first = std::uint64_t{b.at} + b.size == a.at;
  if (!b_first && std::uint64_t{a.at} + a.size != b.at) return false;
  const Piece &first = b_first ? b : a, &second = b_first ? a : b;
  a = {a.base, first.at, a.size * 2, first.value << 8 * a.size | second.value};
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

/// What a link asks for; nothing where a node is none.
std::optional<Piece> piece_of(const Program& p, const Node& n) {
  if (n.kind != NodeKind::Test || n.relation() != Relation::Equal) return std::nullopt;
  const Value& v = p[n.a];
  const auto k = constant_of(p, n.b);
  if (v.kind != ValueKind::Load || !k || std::uint64_t{*k} >> 8 * v.size() != 0) return std::nullopt;
  return Piece{v.a, v.k, v.size(), *k};
}

}  // namespace

std::optional<Adjacent> adjacent_from(const Program& p, NodeId id, const std::function<NodeId(NodeId)>& follow,
                                      const std::function<bool(NodeId)>& may_go_on) {
  Adjacent all{{}, {}, {}, follow(p[id].f)};
  for (NodeId at = id; all.links.size() < most_links; at = follow(p[at].t)) {
    const auto piece = piece_of(p, p[at]);
    if (!piece || follow(p[at].f) != all.otherwise || (at != id && !may_go_on(at))) break;
    if (!all.pieces.empty() && all.pieces.back().base != piece->base) break;
    all.pieces.push_back(*piece);
    all.links.push_back(at);
  }
  // The chain ends with the last link that is part of a wider piece.
  while (all.pieces.size() > 1) {
    const Piece last = all.pieces.back();
    if (std::any_of(all.pieces.begin(), all.pieces.end() - 1, [&](Piece piece) { return join(piece, last); })) break;
    all.pieces.pop_back();
    all.links.pop_back();
  }
  if (all.pieces.size() < 2 || !join_all(all.pieces)) return std::nullopt;
  all.then = follow(p[all.links.back()].t);
  return all;
}

}  // namespace weir::ir
