#include "cbpf/tails.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "base/column.hpp"
#include "base/intern.hpp"

namespace weir::cbpf {
namespace {

bool is_same(const Block::Line& a, const Block::Line& b) { return a.code == b.code && a.k == b.k; }

/// A block whose ways out are settled, equal to those that do the same.
struct Tail {
  const Blocks* blocks;
  BlockId id;

  bool operator==(const Tail& other) const {
    const Block &a = (*blocks)[id], &b = (*blocks)[other.id];
    const bool jumps = a.end == Block::End::Jump;
    return a.end == b.end && is_same(a.last, b.last) && (!(jumps || a.end == Block::End::Goto) || a.t == b.t) &&
           (!jumps || a.f == b.f) && std::ranges::equal(blocks->lines_of(a), blocks->lines_of(b), is_same);
  }
};

std::uint64_t hash(const Tail& tail) {
  const Block& b = (*tail.blocks)[tail.id];
  const bool jumps = b.end == Block::End::Jump;
  std::uint64_t h = mix(static_cast<std::uint64_t>(b.end), b.last.code, b.last.k);
  h = mix(h, jumps || b.end == Block::End::Goto ? at(b.t) : 0, jumps ? at(b.f) : 0);
  for (const Block::Line& l : tail.blocks->lines_of(b)) h = mix(h, l.code, l.k);
  return h;
}

}  // namespace

void merge_tails(Blocks& blocks) {
  Column<BlockId> instead(blocks.all.size());
  for (std::uint32_t i = 0; i < instead.size(); ++i) instead[i] = BlockId{i};
  std::vector<Tail> known;
  known.reserve(blocks.order.size());
  InternIndex index;
  index.expect(blocks.order.size());
  for (std::size_t i = blocks.order.size(); i-- > 0;) {  // jumps lead forward: ways out are settled
    const BlockId id = blocks.order[i];
    Block& b = blocks[id];
    if (b.end == Block::End::Jump || b.end == Block::End::Goto) b.t = instead[b.t];
    if (b.end == Block::End::Jump) b.f = instead[b.f];
    // What the block before runs into is there for free; to reach a twin would take a jump.
    const Block* before = i == 0 ? nullptr : &blocks[blocks.order[i - 1]];
    const bool is_run_into = !before || (before->end == Block::End::Goto && before->t == id);
    const BlockId twin = known[index.intern(known, Tail{&blocks, id}, hash)].id;
    if (twin != id && !is_run_into) instead[id] = twin;
  }
}

namespace {

bool jump_alike(const Block& a, const Block& b) {
  return a.end == Block::End::Jump && b.end == Block::End::Jump && is_same(a.last, b.last) && a.t == b.t && a.f == b.f;
}

/// Whether the block at a place in the order is entered by jumps alone, so that it can be moved.
bool is_jumped_to(const Blocks& blocks, std::size_t place) {
  if (place == 0) return false;
  const Block& before = blocks[blocks.order[place - 1]];
  return before.end != Block::End::Goto || before.t != blocks.order[place];
}

/// The place of a block that does no more than the jump at the end of another one.
std::optional<std::size_t> place_of_jump(const Blocks& blocks, const Block& b) {
  for (std::size_t i = 0; i < blocks.order.size(); ++i) {
    const Block& other = blocks[blocks.order[i]];
    if (other.line_count == 0 && jump_alike(b, other) && is_jumped_to(blocks, i)) return i;
  }
  return std::nullopt;
}

}  // namespace

void run_into_tails(Blocks& blocks) {
  constexpr std::size_t many = 200;
  auto& order = blocks.order;
  if (order.size() > many) return;
  std::vector<BlockId> jumps;  // blocks that are no more
  for (const BlockId id : order)
    if (blocks[id].line_count == 0 && blocks[id].end == Block::End::Jump) jumps.push_back(id);
  for (std::size_t i = 0; i < order.size(); ++i) {
    Block& b = blocks[order[i]];
    if (b.end != Block::End::Jump || b.line_count == 0 || !is_jumped_to(blocks, i)) continue;
    if (std::ranges::none_of(jumps, [&](BlockId id) { return jump_alike(b, blocks[id]); })) continue;
    const auto jump = place_of_jump(blocks, b);
    if (!jump) continue;
    b.end = Block::End::Goto;
    b.t = order[*jump];
    // Side by side, at the later of both places: all that leads there is before it.
    const auto at_place = [&](std::size_t place) { return order.begin() + static_cast<std::ptrdiff_t>(place); };
    if (i < *jump) std::rotate(at_place(i), at_place(i) + 1, at_place(*jump));
    else std::rotate(at_place(*jump), at_place(*jump) + 1, at_place(i) + 1);
  }
}

}  // namespace weir::cbpf
