#include "cbpf/tails.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace weir::cbpf {
namespace {

using Line = std::tuple<std::uint16_t, std::uint32_t>;
using Content = std::tuple<std::vector<Line>, std::uint8_t, Line, std::uint32_t, std::uint32_t>;

std::uint32_t at(BlockId id) { return static_cast<std::uint32_t>(id); }

Content content(const Block& b) {
  std::vector<Line> lines;
  for (const Block::Line& l : b.lines) lines.emplace_back(l.code, l.k);
  const bool jumps = b.end == Block::End::Jump;
  return {std::move(lines), static_cast<std::uint8_t>(b.end), {b.last.code, b.last.k},
          jumps || b.end == Block::End::Goto ? at(b.t) : 0, jumps ? at(b.f) : 0};
}

}  // namespace

void merge_tails(Blocks& blocks) {
  std::vector<BlockId> instead(blocks.all.size());
  for (std::uint32_t i = 0; i < instead.size(); ++i) instead[i] = BlockId{i};
  std::map<Content, BlockId> known;
  for (std::size_t i = blocks.order.size(); i-- > 0;) {  // jumps lead forward: ways out are settled
    const BlockId id = blocks.order[i];
    Block& b = blocks[id];
    if (b.end == Block::End::Jump || b.end == Block::End::Goto) b.t = instead[at(b.t)];
    if (b.end == Block::End::Jump) b.f = instead[at(b.f)];
    // What the block before runs into is there for free; to reach a twin would take a jump.
    const Block* before = i == 0 ? nullptr : &blocks[blocks.order[i - 1]];
    const bool is_run_into = !before || (before->end == Block::End::Goto && before->t == id);
    const auto [twin, is_new] = known.try_emplace(content(b), id);
    if (!is_new && !is_run_into) instead[at(id)] = twin->second;
  }
}

}  // namespace weir::cbpf
