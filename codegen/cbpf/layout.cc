// From the last block to the first: where a block begins is then known before anything jumps to it, so each jump is
// settled once. Positions count from the end of the program.
#include "base/column.hpp"
#include "cbpf/blocks.hpp"

namespace weir::cbpf {
namespace {

constexpr std::size_t reach = 255;  // jt and jf are 8 bits
constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

/// By block: something leads there.
Column<bool> used(const Blocks& blocks) {
  Column<bool> used(blocks.all.size());
  used[blocks.order.front()] = true;
  for (const BlockId id : blocks.order) {
    const Block& b = blocks[id];
    if (!used[id] || b.end == Block::End::Return) continue;
    used[b.t] = true;
    if (b.end == Block::End::Jump) used[b.f] = true;
  }
  return used;
}

class Layout {
 public:
  explicit Layout(const Blocks& blocks) : blocks_(blocks), nearest_(blocks.all.size(), nowhere), used_(used(blocks)) {
    std::size_t size = 0;
    for (const BlockId id : blocks.order) {
      size += blocks[id].line_count + 1;
      for (const Block::Line& line : blocks.lines_of(blocks[id])) stores_ |= line.code == op::ST || line.code == op::STX;
    }
    make_room(size);
  }

  Program run() {
    for (auto id = blocks_.order.rbegin(); id != blocks_.order.rend(); ++id)
      if (used_[*id]) place(*id);
    const auto unused = static_cast<std::ptrdiff_t>(room_);
    program_.instructions.erase(program_.instructions.begin(), program_.instructions.begin() + unused);
    program_.spans.erase(program_.spans.begin(), program_.spans.begin() + unused);
    return std::move(program_);
  }

 private:
  std::size_t size() const { return program_.instructions.size() - room_; }

  void push(Instruction i, Span span) {
    constexpr std::size_t some = 64;  // stepping stones are not counted before
    if (room_ == 0) [[unlikely]] make_room(some);
    --room_;
    program_.instructions[room_] = i;
    program_.spans[room_] = span;
  }

  /// Before what is placed.
  void make_room(std::size_t count) {
    program_.instructions.insert(program_.instructions.begin(), count, {});
    program_.spans.insert(program_.spans.begin(), count, {});
    room_ += count;
  }

  /// Instructions between one that is placed next and the nearest way into a block.
  std::size_t distance(BlockId to) const { return size() - 1 - nearest_[to]; }

  void place(BlockId id) {
    const Block& b = blocks_[id];
    switch (b.end) {
      case Block::End::Return: push({b.last.code, 0, 0, b.last.k}, b.last.span); break;
      case Block::End::Goto: go_to(b.t, b.last.span, 0); break;
      case Block::End::Jump: jump(b); break;
      case Block::End::Open: break;
    }
    const auto lines = blocks_.lines_of(b);
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) push({line->code, 0, 0, line->k}, line->span);
    nearest_[id] = size() - 1;
  }

  /// Continues in a block: nothing where it follows, its return where it is one, otherwise a jump. `least`: from which
  /// distance on code is needed.
  void go_to(BlockId to, Span span, std::size_t least) {
    const std::size_t d = distance(to);
    if (d == 0 && least == 0) return;
    // The kernel checks scratch memory line by line and does not see that nothing comes from a return to what stands
    // behind it (net/core/filter.c, check_load_and_stores): where scratch memory is used, returns stay at the end.
    const Block& b = blocks_[to];
    if (b.end == Block::End::Return && b.line_count == 0 && !stores_)
      push({b.last.code, 0, 0, b.last.k}, b.last.span);
    else
      push({op::JMP | op::JA, 0, 0, static_cast<std::uint32_t>(d)}, span);
  }

  /// A stepping stone right behind the jump, which later jumps use too.
  void bring_near(BlockId to, Span span) {
    go_to(to, span, 1);
    nearest_[to] = size() - 1;
  }

  void jump(const Block& b) {
    while (distance(b.t) > reach || distance(b.f) > reach) bring_near(distance(b.t) > reach ? b.t : b.f, b.last.span);
    push({b.last.code, static_cast<std::uint8_t>(distance(b.t)), static_cast<std::uint8_t>(distance(b.f)), b.last.k}, b.last.span);
  }

  const Blocks& blocks_;
  Column<std::size_t> nearest_;  ///< by block: position of the last placed way into it
  const Column<bool> used_;      ///< by block
  bool stores_ = false;
  Program program_;
  std::size_t room_ = 0;  ///< so many entries at the beginning are still to be written
};

}  // namespace

Program layout(const Blocks& blocks) { return Layout(blocks).run(); }

std::size_t length(const Blocks& blocks) {
  const Column<bool> is_used = used(blocks);
  Column<std::size_t> begin(blocks.all.size());  // counted from the end, as above
  std::size_t size = 0;
  for (auto id = blocks.order.rbegin(); id != blocks.order.rend(); ++id) {
    const Block& b = blocks[*id];
    if (!is_used[*id]) continue;
    size += b.line_count + (b.end == Block::End::Goto ? begin[b.t] != size : b.end != Block::End::Open);
    begin[*id] = size;
  }
  return size <= reach ? size : layout(blocks).instructions.size();
}

}  // namespace weir::cbpf
