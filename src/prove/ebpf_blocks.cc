#include "prove/ebpf_blocks.hpp"

#include <algorithm>

#include "ebpf/decode.hpp"
#include "prove/algebra.hpp"

namespace weir::prove {
namespace {

using ebpf::Instruction;
namespace op = ebpf::op;

constexpr std::uint16_t bit(int reg) { return static_cast<std::uint16_t>(1u << reg); }

/// Registers that an instruction reads, and that it writes.
struct Use {
  std::uint16_t reads = 0, writes = 0;
};

Use use_of(const Instruction& i) {
  const std::uint16_t dst = bit(i.dst), src = bit(i.src);
  const auto read = [](std::uint16_t a, std::uint16_t b) { return static_cast<std::uint16_t>(a | b); };
  constexpr std::uint16_t arguments = 0x3e, clobbered = 0x3f;
  switch (ebpf::class_of(i)) {
    case op::LD: return ebpf::is_wide(i) ? Use{0, dst} : Use{read(bit(6), ebpf::mode(i) == op::IND ? src : std::uint16_t{0}), clobbered};
    case op::LDX: return {src, dst};
    case op::ST: return {dst, 0};
    case op::STX: return {read(dst, src), 0};
    case op::ALU:
    case op::ALU64: {
      const bool moves = ebpf::operation(i) == op::MOV, by_register = ebpf::takes_register(i) && ebpf::operation(i) != op::END;
      return {read(moves ? std::uint16_t{0} : dst, by_register ? src : std::uint16_t{0}), dst};
    }
    default: break;
  }
  if (ebpf::is_call(i)) return {arguments, clobbered};
  if (ebpf::is_exit(i)) return {bit(0), 0};
  if (!ebpf::is_conditional(i)) return {};
  return {read(dst, ebpf::takes_register(i) ? src : std::uint16_t{0}), 0};
}

class Cutting {
 public:
  explicit Cutting(const ebpf::Program& p) : code_(p.instructions) {}

  std::vector<Block> run(std::size_t root) {
    if (const std::size_t count = code_.size(); root >= count || count > ebpf::max_instructions)
      throw GivenUp("there is no program of that length");
    find_leaders(root);
    order_from(root);
    std::ranges::reverse(order_);
    std::vector<Block> blocks;
    std::vector<std::size_t> number(code_.size());
    for (const std::size_t first : order_) {
      number[first] = blocks.size();
      blocks.push_back({first, end_of(first), ways_of(first), 0});
    }
    for (std::size_t b = 0; b < blocks.size(); ++b)
      for (std::size_t& way : blocks[b].ways) {
        way = number[way];
        if (way <= b) throw GivenUp("the program has a loop");
      }
    find_live(blocks);
    return blocks;
  }

 private:
  std::size_t target(std::size_t at) const {
    const std::int64_t to = static_cast<std::int64_t>(at) + 1 + ebpf::distance(code_[at]);
    if (to < 0 || to >= static_cast<std::int64_t>(code_.size())) throw GivenUp("the program jumps out of itself");
    return static_cast<std::size_t>(to);
  }
  std::size_t next(std::size_t at) const {
    const std::size_t to = at + (ebpf::is_wide(code_[at]) ? 2 : 1);
    if (to >= code_.size()) throw GivenUp("the program runs past its end");
    return to;
  }

  void find_leaders(std::size_t root) {
    leads_.assign(code_.size(), false);
    leads_[root] = true;
    for (std::size_t i = 0; i < code_.size(); i += ebpf::is_wide(code_[i]) ? 2 : 1) {
      if (ebpf::is_always(code_[i]) || ebpf::is_conditional(code_[i])) leads_[target(i)] = true;
      if (ebpf::is_conditional(code_[i])) leads_[next(i)] = true;
    }
  }

  bool ends(std::size_t i) const { return ebpf::is_exit(code_[i]) || ebpf::is_always(code_[i]) || ebpf::is_conditional(code_[i]); }
  std::size_t last_of(std::size_t i) const {
    while (!ends(i) && !leads_[next(i)]) i = next(i);
    return i;
  }
  std::size_t end_of(std::size_t first) const { return last_of(first) + 1; }

  std::vector<std::size_t> ways_of(std::size_t first) const {
    const std::size_t last = last_of(first);
    if (ebpf::is_exit(code_[last])) return {};
    if (ebpf::is_always(code_[last])) return {target(last)};
    if (ebpf::is_conditional(code_[last])) return {target(last), next(last)};
    return {next(last)};
  }

  /// Each block behind all that it leads to: depth first, without recursion.
  void order_from(std::size_t root) {
    struct Visit {
      std::size_t first;
      std::vector<std::size_t> left;
    };
    std::vector<bool> seen(code_.size());
    std::vector<Visit> open;
    const auto enter = [&](std::size_t first) {
      seen[first] = true;
      open.push_back({first, ways_of(first)});
    };
    enter(root);
    while (!open.empty()) {
      if (open.back().left.empty()) {
        order_.push_back(open.back().first);
        open.pop_back();
        continue;
      }
      const std::size_t way = open.back().left.back();
      open.back().left.pop_back();
      if (!seen[way]) enter(way);
    }
  }

  void find_live(std::vector<Block>& blocks) const {
    for (std::size_t b = blocks.size(); b-- > 0;) {
      std::uint16_t live = 0;
      for (const std::size_t way : blocks[b].ways) live |= blocks[way].live;
      std::vector<std::size_t> inside;
      for (std::size_t i = blocks[b].first; i < blocks[b].end; i += ebpf::is_wide(code_[i]) ? 2 : 1) inside.push_back(i);
      for (auto i = inside.rbegin(); i != inside.rend(); ++i) {
        const Use use = use_of(code_[*i]);
        live = static_cast<std::uint16_t>((live & ~use.writes) | use.reads);
      }
      blocks[b].live = live;
    }
  }

  const std::vector<Instruction>& code_;
  std::vector<bool> leads_;
  std::vector<std::size_t> order_;
};

}  // namespace

std::vector<Block> blocks_of(const ebpf::Program& p, std::size_t first) { return Cutting(p).run(first); }

}  // namespace weir::prove
