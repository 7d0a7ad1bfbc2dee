// Pieces of code that ask the same of two places of a packet, as of the ports behind IPv4 and IPv6: where one of them loads behind X,
// it serves the other, too, once X is a constant. Both begin right behind one test; where they lead to different places, that test is
// asked again behind them.
//   t ? (ldxb …; ldh [x + 14]; jeq … A : N) : (ldh [54]; jeq … B : N)  ==  t ? ldxb … : ldx #40; ldh [x + 14]; jeq … (t ? A : B) : N
// Or one of them stands behind a row of tests, as for protocols, several of which lead there: ahead of the row X is set for all of
// them. Where the other one does, too, X is set ahead of both, and the ends of the rows, which then lead to the same, are one:
//   a in {p, q} ? (ldxb …; ldh [x + 14]; …) : N; b in {p, q} ? (ldh [54]; …) : N
//   ==  ldxb …; a == p ? P : a in {q} ? P : N; ldx #40; b == p ? P : b in {q} ? P : N, where P: ldh [x + 14]; …
// Lowers the number of instructions. Tested by tests/unit/cbpf/emit_test.cc.
#include "cbpf/share.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/column.hpp"
#include "cbpf/tails.hpp"

namespace weir::cbpf {
namespace {

bool is_load(std::uint16_t code, std::uint16_t mode) { return (code & 0x07) == op::LD && (code & 0xe0) == mode; }
bool writes_x(std::uint16_t code) { return (code & 0x07) == op::LDX || code == (op::MISC | op::TAX); }
bool reads_x(std::uint16_t code) {
  const std::uint16_t kind = code & 0x07;
  return is_load(code, op::IND) || code == op::STX || code == (op::MISC | op::TXA) ||
         ((kind == op::ALU || kind == op::JMP) && (code & op::X));
}

/// Two blocks that do the same, and where they lead.
struct Pair {
  BlockId kept, dropped;
  bool operator==(const Pair&) const = default;
};

/// Two pieces of code, by their blocks.
struct Twins {
  std::vector<Pair> pairs;            ///< the first ones are the heads
  std::optional<std::uint32_t> x;     ///< for what is dropped
  std::optional<Pair> ends;           ///< to which they lead, where those differ
};

class Sharing {
 public:
  /// `worth_it`: as many instructions less; X, and asking again, cost what comes that way.
  Sharing(const Blocks& blocks, std::size_t worth_it) : blocks_(blocks), worth_it_(worth_it) { split(); look(); }

  /// The blocks with the pieces of one test shared, for the first test where that is worth it.
  std::optional<Blocks> find() const {
    for (const BlockId test : blocks_.order)
      if (ways_in_[at(test)] != 0 && may_part(blocks_[test]))
        if (auto shared = share(test)) return shared;
    return std::nullopt;
  }

  /// The same, of pieces behind a row of so many tests.
  std::optional<Blocks> find_behind_row(std::uint32_t least_ways) const {
    for (const BlockId dropped : blocks_.order) {
      if (ways_in_[at(dropped)] < least_ways || !begins_with(dropped, op::ABS)) continue;
      const auto head = head_of_row(dropped);
      if (!head || needs_x_[at(*head)]) continue;
      for (const BlockId kept : blocks_.order)
        if (ways_in_[at(kept)] != 0 && begins_with(kept, op::IND))
          if (auto shared = shared_behind_row(*head, kept, dropped)) return shared;
    }
    return std::nullopt;
  }

 private:
  /// Behind what is put into X a block of its own begins: there a piece of code may.
  void split() {
    std::vector<BlockId> order;
    for (const BlockId id : blocks_.order) {
      order.push_back(id);
      const auto lines = blocks_.lines_of(blocks_[id]);
      const auto last = std::ranges::find_if(lines.rbegin(), lines.rend(), writes_x, &Block::Line::code);
      const auto first = static_cast<std::uint32_t>(lines.rend() - last);
      if (first == 0 || first == lines.size()) continue;
      const BlockId rest = blocks_.add();
      Block& b = blocks_[id];
      blocks_[rest] = b;
      blocks_[rest].first_line += first;
      blocks_[rest].line_count -= first;
      b.line_count = first;
      b.end = Block::End::Goto;
      b.t = rest;
      order.push_back(rest);
    }
    blocks_.order = std::move(order);
  }

  /// How many ways lead to each block, and from where; and whether X matters there.
  void look() {
    ways_in_ = Column<std::uint32_t>(blocks_.all.size());
    before_ = Column<BlockId>(blocks_.all.size());
    place_ = Column<std::uint32_t>(blocks_.all.size());
    needs_x_ = Column<char>(blocks_.all.size());
    ways_in_[at(blocks_.order.front())] = 1;
    for (std::uint32_t i = 0; i < blocks_.order.size(); ++i) {
      const BlockId id = blocks_.order[i];
      place_[at(id)] = i;
      if (ways_in_[at(id)] == 0) continue;
      for (const BlockId to : ways_out(blocks_[id])) {
        ++ways_in_[at(to)];
        before_[at(to)] = id;
      }
    }
    for (auto id = blocks_.order.rbegin(); id != blocks_.order.rend(); ++id) needs_x_[at(*id)] = needs_x(blocks_[*id]);
  }

  struct Ways {
    std::array<BlockId, 2> to;
    std::size_t count;
    const BlockId* begin() const { return to.data(); }
    const BlockId* end() const { return to.data() + count; }
  };
  static Ways ways_out(const Block& b) {
    const std::size_t count = b.end == Block::End::Jump ? 2 : b.end == Block::End::Goto ? 1 : 0;
    return {{b.t, b.f}, count};
  }

  static bool leads_to(const Block& b, BlockId to) {
    return std::ranges::any_of(ways_out(b), [&](BlockId way) { return way == to; });
  }

  bool needs_x(const Block& b) const {
    for (const Block::Line& line : blocks_.lines_of(b)) {
      if (reads_x(line.code)) return true;
      if (writes_x(line.code)) return false;
    }
    if (b.end == Block::End::Jump && reads_x(b.last.code)) return true;
    return std::ranges::any_of(ways_out(b), [&](BlockId to) { return needs_x_[at(to)] != 0; });
  }

  /// Whether it ends in a test that can be asked again by one load.
  bool may_part(const Block& b) const {
    const auto lines = blocks_.lines_of(b);
    return b.end == Block::End::Jump && !lines.empty() && is_load(lines.back().code, op::ABS) && !reads_x(b.last.code);
  }

  /// Past what only sets X, and past further tests of the same load: where a piece may begin on one side of a test.
  std::vector<BlockId> begins(BlockId side) const {
    std::vector<BlockId> all;
    for (BlockId id = side; ways_in_[at(id)] == 1;) {
      const Block& b = blocks_[id];
      if (b.line_count != 0 && !writes_x(blocks_.lines_of(b).back().code)) {
        all.push_back(id);
        break;
      }
      if (b.end == Block::End::Goto) {
        id = b.t;
      } else if (b.end == Block::End::Jump && b.line_count == 0) {
        const bool onward = ways_in_[at(b.t)] == 1 && blocks_[b.t].end != Block::End::Return;
        id = onward ? b.t : b.f;
      } else {
        break;
      }
    }
    return all;
  }

  std::optional<Blocks> share(BlockId test) const {
    const Block& b = blocks_[test];
    for (const bool straight : {true, false})
      for (const BlockId kept : begins(straight ? b.t : b.f))
        for (const BlockId dropped : begins(straight ? b.f : b.t)) {
          Twins twins;
          if (!may_begin(kept, dropped) || !match(kept, dropped, twins) || !twins.x || !is_parted_well(twins)) continue;
          if (auto shared = shared_by(test, straight, twins)) return shared;
        }
    return std::nullopt;
  }

  bool begins_with(BlockId id, std::uint16_t mode) const {
    return blocks_[id].line_count != 0 && is_load(blocks_.lines_of(blocks_[id]).front().code, mode);
  }

  /// The first of the tests that lead to a block, if one gets to the others from there alone, and none of them needs X for itself.
  std::optional<BlockId> head_of_row(BlockId to) const {
    std::optional<BlockId> head, last;
    std::uint32_t ways = 0;
    for (std::uint32_t i = 0; i < place_[at(to)]; ++i) {
      const BlockId id = blocks_.order[i];
      if (ways_in_[at(id)] == 0 || !leads_to(blocks_[id], to)) continue;
      if (last && (ways_in_[at(id)] != 1 || before_[at(id)] != *last)) return std::nullopt;
      if (std::ranges::any_of(blocks_.lines_of(blocks_[id]), writes_x, &Block::Line::code)) return std::nullopt;
      if (!head) head = id;
      last = id;
      ++ways;
    }
    return ways == ways_in_[at(to)] ? head : std::nullopt;
  }

  std::optional<Blocks> shared_behind_row(BlockId head, BlockId kept, BlockId dropped) const {
    Twins twins;
    if (!match(kept, dropped, twins) || !twins.x || twins.ends) return std::nullopt;
    Blocks b = blocks_;
    put_first(b, head, {op::LDX | op::IMM, *twins.x, b[head].last.span});
    for (const BlockId id : b.order) lead(b[id], dropped, kept);
    if (auto other = with_x_ahead_of_both(b, kept, dropped)) b = std::move(*other);
    return is_worth_it(b) ? std::optional(std::move(b)) : std::nullopt;
  }

  /// Where what is kept stands behind a row of its own, its place is put into X ahead of that, too: then both rows lead to the same, and
  /// what is alike at their ends stands once.
  std::optional<Blocks> with_x_ahead_of_both(const Blocks& shared, BlockId kept, BlockId dropped) const {
    const BlockId setting = before_[at(kept)];
    if (!sets_header_length(setting)) return std::nullopt;
    const auto head = head_of_row(setting);
    const auto leads_to_both = [&](BlockId id) { return leads_to(blocks_[id], setting) && leads_to(blocks_[id], dropped); };
    if (!head || needs_x_[at(*head)] || std::ranges::any_of(blocks_.order, leads_to_both)) return std::nullopt;
    const Block::Line& header_length = blocks_.lines_of(blocks_[setting]).front();
    if (!loads_beyond(*head, header_length.k)) return std::nullopt;
    Blocks b = shared;
    put_first(b, *head, header_length);
    for (const BlockId id : b.order) lead(b[id], setting, kept);
    merge_tails(b);
    return length(b) < length(shared) ? std::optional(std::move(b)) : std::nullopt;
  }

  /// Whether a packet that gets past a block's loads has the byte at a place.
  bool loads_beyond(BlockId id, std::uint32_t place) const {
    const auto is_beyond = [&](const Block::Line& line) { return is_load(line.code, op::ABS) && line.k >= place && line.k <= farthest; };
    return std::ranges::any_of(blocks_.lines_of(blocks_[id]), is_beyond);
  }

  /// Whether it does nothing else.
  bool sets_header_length(BlockId id) const {
    const auto lines = blocks_.lines_of(blocks_[id]);
    return blocks_[id].end == Block::End::Goto && lines.size() == 1 && lines.front().code == (op::LDX | op::B | op::MSH);
  }

  /// Whether X may be set ahead of what is dropped, and A is loaded first of all.
  bool may_begin(BlockId kept, BlockId dropped) const {
    const Block& before = blocks_[before_[at(dropped)]];
    if (before.end == Block::End::Jump && reads_x(before.last.code)) return false;
    const auto ways = ways_out(before);
    return is_load(blocks_.lines_of(blocks_[kept]).front().code, op::IND) &&
           std::ranges::none_of(ways, [&](BlockId to) { return to != dropped && needs_x_[at(to)]; });
  }

  /// Whether what A holds does not matter there.
  bool needs_no_a(BlockId id) const {
    const auto lines = blocks_.lines_of(blocks_[id]);
    return lines.empty() ? blocks_[id].end == Block::End::Return && blocks_[id].last.code == (op::RET | op::K)
                         : (lines.front().code & 0x07) == op::LD;
  }

  /// Whether two pieces do the same from two blocks on, but for the places that they load from.
  bool match(BlockId kept, BlockId dropped, Twins& twins) const {
    if (kept == dropped) return !needs_x_[at(kept)];
    const Pair pair{kept, dropped};
    if (std::ranges::find(twins.pairs, pair) != twins.pairs.end()) return true;
    const auto is_taken = [&](const Pair& p) { return p.kept == kept || p.dropped == dropped; };
    if (std::ranges::any_of(twins.pairs, is_taken)) return false;
    if (twins.pairs.size() < most_pairs && are_alike(blocks_[kept], blocks_[dropped], twins)) {
      twins.pairs.push_back(pair);
      const auto to = ways_out(blocks_[kept]), other = ways_out(blocks_[dropped]);
      for (std::size_t i = 0; i < to.count; ++i)
        if (!match(to.to[i], other.to[i], twins)) return false;
      return true;
    }
    if (twins.pairs.empty() || needs_x_[at(dropped)] || !needs_no_a(kept) || !needs_no_a(dropped) ||
        (twins.ends && *twins.ends != pair))
      return false;
    twins.ends = pair;
    return true;
  }

  bool are_alike(const Block& a, const Block& b, Twins& twins) const {
    const auto lines = blocks_.lines_of(a), others = blocks_.lines_of(b);
    if (a.end != b.end || a.last.code != b.last.code || a.last.k != b.last.k || lines.size() != others.size()) return false;
    if (a.end == Block::End::Jump && reads_x(a.last.code)) return false;
    auto x = twins.x;
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (!are_alike(lines[i], others[i], x)) return false;
    twins.x = x;
    return true;
  }

  /// Whether a line does what another one does when X is some number, the same for all lines.
  static bool are_alike(const Block::Line& a, const Block::Line& b, std::optional<std::uint32_t>& x) {
    if (!is_load(a.code, op::IND)) return a.code == b.code && a.k == b.k && !reads_x(a.code) && !writes_x(a.code) && a.code != op::ST;
    if (b.code != (a.code ^ op::IND ^ op::ABS) || b.k < a.k || b.k > farthest || (x && *x != b.k - a.k)) return false;
    x = b.k - a.k;
    return true;
  }

  /// Whether the test, asked again, tells where to go: each way to the end of what is kept stands for one to the end of what is
  /// dropped, and none but the head is entered from elsewhere, where the test may not have been asked.
  bool is_parted_well(const Twins& twins) const {
    if (!twins.ends) return true;
    Column<std::uint32_t> from_pieces(blocks_.all.size(), 0);
    for (const Pair& p : twins.pairs) {
      const auto to = ways_out(blocks_[p.kept]), other = ways_out(blocks_[p.dropped]);
      for (std::size_t i = 0; i < to.count; ++i) {
        if (to.to[i] == twins.ends->kept && other.to[i] != twins.ends->dropped) return false;
        ++from_pieces[at(to.to[i])];
      }
    }
    const auto is_entered_from_here = [&](const Pair& p) {
      return p == twins.pairs.front() || from_pieces[at(p.kept)] == ways_in_[at(p.kept)];
    };
    return std::ranges::all_of(twins.pairs, is_entered_from_here);
  }

  // ---- the new blocks --------------------------------------------------------------------------------

  std::optional<Blocks> shared_by(BlockId test, bool straight, const Twins& twins) const {
    Blocks b = blocks_;
    const auto [kept, dropped] = twins.pairs.front();
    set_x(b, before_[at(dropped)], *twins.x, b[dropped].last.span);
    lead(b[before_[at(dropped)]], dropped, kept);
    if (twins.ends) ask_again(b, test, straight, twins);
    return is_worth_it(b) ? std::optional(std::move(b)) : std::nullopt;
  }

  bool is_worth_it(const Blocks& b) const {
    return leads_forward(b) && length(b) + worth_it_ <= length(blocks_);
  }

  static void lead(Block& b, BlockId from, BlockId to) {
    if (b.end == Block::End::Return) return;
    if (b.t == from) b.t = to;
    if (b.end == Block::End::Jump && b.f == from) b.f = to;
  }

  /// At the end of a block, which is on the way to what is dropped: nothing else needs X behind it.
  static void set_x(Blocks& b, BlockId id, std::uint32_t x, Span span) {
    auto lines = copied(b, id);
    lines.push_back({op::LDX | op::IMM, x, span});
    put(b, id, lines);
  }

  static void put_first(Blocks& b, BlockId id, const Block::Line& line) {
    auto lines = copied(b, id);
    lines.insert(lines.begin(), line);
    put(b, id, lines);
  }

  static std::vector<Block::Line> copied(const Blocks& b, BlockId id) {
    const auto lines = b.lines_of(b[id]);
    return {lines.begin(), lines.end()};
  }

  static void put(Blocks& b, BlockId id, const std::vector<Block::Line>& lines) {
    b[id].first_line = static_cast<std::uint32_t>(b.lines.size());
    b[id].line_count = static_cast<std::uint32_t>(lines.size());
    b.lines.insert(b.lines.end(), lines.begin(), lines.end());
  }

  void ask_again(Blocks& b, BlockId test, bool straight, const Twins& twins) const {
    const BlockId again = b.add();
    b[again] = blocks_[test];
    b[again].first_line += b[again].line_count - 1;
    b[again].line_count = 1;
    b[again].t = straight ? twins.ends->kept : twins.ends->dropped;
    b[again].f = straight ? twins.ends->dropped : twins.ends->kept;
    std::uint32_t last = 0;
    for (const Pair& p : twins.pairs) {
      lead(b[p.kept], twins.ends->kept, again);
      last = std::max(last, place_[at(p.kept)]);
    }
    // What is reached from there, and from nowhere else any more, stands behind it.
    const BlockId end = twins.ends->dropped;
    std::vector<BlockId> behind{again};
    for (std::uint32_t i = place_[at(end)]; i < b.order.size() && i <= last; ++i)
      if (is_behind(end, b.order[i])) behind.push_back(b.order[i]);
    std::erase_if(b.order, [&](BlockId id) { return std::ranges::find(behind, id) != behind.end(); });
    const auto place = std::ranges::find(b.order, blocks_.order[last]);
    b.order.insert(place + 1, behind.begin(), behind.end());
  }

  /// Whether all that leads to a block comes from another one.
  bool is_behind(BlockId end, BlockId id) const {
    while (id != end && ways_in_[at(id)] == 1 && place_[at(before_[at(id)])] >= place_[at(end)]) id = before_[at(id)];
    return id == end;
  }

  static bool leads_forward(const Blocks& b) {
    Column<std::uint32_t> place(b.all.size(), 0);
    for (std::uint32_t i = 0; i < b.order.size(); ++i) place[at(b.order[i])] = i;
    return std::ranges::all_of(b.order, [&](BlockId id) {
      return std::ranges::all_of(ways_out(b[id]), [&](BlockId to) { return place[at(to)] > place[at(id)]; });
    });
  }

  static constexpr std::size_t most_pairs = 64;
  static constexpr std::uint32_t farthest = 0xffff;  ///< much farther are what the kernel knows of a packet
  Blocks blocks_;
  const std::size_t worth_it_;
  Column<std::uint32_t> ways_in_, place_;  ///< by block
  Column<BlockId> before_;                 ///< by block: what leads there last
  Column<char> needs_x_;
};

/// Whether what begins by putting something into X stands right behind a test that leads elsewhere otherwise, or behind a further one of
/// the same load: saves the closer look at most programs.
bool may_share(const Blocks& blocks) {
  const auto sets_x = [&](BlockId id) { return blocks[id].line_count != 0 && writes_x(blocks.lines_of(blocks[id]).front().code); };
  return std::ranges::any_of(blocks.order, [&](BlockId id) {
    const Block& b = blocks[id];
    if (b.end != Block::End::Jump || !(sets_x(b.t) || sets_x(b.f))) return false;
    return b.line_count == 0 || blocks[sets_x(b.t) ? b.f : b.t].end != Block::End::Return;
  });
}

}  // namespace

void share_code(Blocks& blocks, Places places) {
  constexpr std::size_t few = 10, many = 200, some = 3;
  const bool shortest = places == Places::Shortest;
  if (blocks.order.size() < few || blocks.order.size() > many || !(shortest || may_share(blocks))) return;
  constexpr int turns = 3;
  for (int turn = 0; turn < turns; ++turn) {
    const Sharing sharing(blocks, shortest ? 1 : some);
    auto shared = places == Places::Shared ? sharing.find() : std::nullopt;
    if (!shared) shared = sharing.find_behind_row(shortest ? 1 : 2);
    if (!shared && shortest) shared = sharing.find();
    if (!shared) return;
    blocks = std::move(*shared);
  }
}

}  // namespace weir::cbpf
