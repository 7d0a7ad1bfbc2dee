#include "cbpf/emit.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "cbpf/select.hpp"
#include "cbpf/share.hpp"
#include "cbpf/tails.hpp"
#include "ir/order.hpp"

namespace weir::cbpf {
namespace {

/// Keeping a value moves others around; each round keeps more, and few filters need a second one.
constexpr int max_rounds = 5;

Result<Program> too_large(std::size_t needed, std::size_t limit, bool exact) {
  return fail(Code::TooLarge, {}, fmt::format("the filter needs {}{} classic BPF instructions, {} more than the {} that fit",
                                              exact ? "" : "more than ", needed, needed - limit, limit),
              "match fewer addresses or ports, or prefixes and ranges; one direction ('src host') takes half of what both take; "
              "in user space (match, weir filter) any length works");
}

/// Of so many nobody needs to know to the last instruction by how much they are too many.
constexpr std::size_t hopelessly_many = 50'000;

/// Comparisons that the largest set takes at least, where those are hopelessly many: each tells one interval from the next. But numbers
/// that agree in the bits of a mask, and are all that do, take none.
std::size_t hopeless_comparisons(const ir::Program& p, ir::Ranges& ranges) {
  std::size_t most = 0;
  for (std::uint32_t i = 0; i < p.set_count(); ++i) most = std::max(most, p.set(i).count());
  if (std::exchange(most, 0) <= hopelessly_many) return 0;
  const ir::Flags live = ir::live_nodes(p);
  for (std::uint32_t i = 0; i < p.node_count(); ++i) {
    const ir::Node& n = p[ir::NodeId{i}];
    if (!live[i] || n.kind != ir::NodeKind::Member || p.set_of(n).count() <= hopelessly_many) continue;
    const Set asked = p.set_of(n) & Set(ranges.of(n.a));
    if (!std::has_single_bit(asked.size())) most = std::max(most, asked.count() - 1);
  }
  return most > hopelessly_many ? most : 0;
}

bool reads_scratch(const Instruction& i) { return i.code == (op::LD | op::MEM) || i.code == (op::LDX | op::MEM); }

/// A division or a shift by a constant, which machines refuse when it is 0, or 32 and more, also where it is never reached.
bool has_touchy_constant(const Instruction& i) {
  const auto operation = static_cast<std::uint16_t>(i.code & 0xf0);
  return (i.code & 0x0f) == (op::ALU | op::K) &&
         (operation == op::DIV || operation == op::MOD || operation == op::LSH || operation == op::RSH) && (i.k == 0 || i.k > 31);
}

/// Whether a machine may refuse it: for a jump that goes too far, which no jump in so few instructions does (check.cc), for a scratch
/// word that is written on every way to where it is read, but not past a `ret` before that, which the kernel counts as a way, too, or for
/// a constant.
bool may_be_refused(const Program& p) {
  constexpr std::size_t never_too_far = 1000;
  const auto is_touchy = [](const Instruction& i) { return reads_scratch(i) || has_touchy_constant(i); };
  return p.instructions.size() > never_too_far || std::ranges::any_of(p.instructions, is_touchy);
}

/// Every scratch word that is read anywhere is written first of all, so that it is on every way that the kernel counts. What is
/// written there nobody reads.
void write_scratch_first(Program& p) {
  std::array<bool, scratch_words> read{};
  for (const Instruction& i : p.instructions)
    if (reads_scratch(i)) read[i.k] = true;
  std::vector<Instruction> stores;
  for (std::uint32_t word = 0; word < scratch_words; ++word)
    if (read[word]) stores.push_back({op::ST, 0, 0, word});
  p.instructions.insert(p.instructions.begin(), stores.begin(), stores.end());
  if (!p.spans.empty()) p.spans.insert(p.spans.begin(), stores.size(), Span{});
}

/// The program as the kernel takes it.
Result<Program> accepted(Program program, const Limits& limits) {
  if (!may_be_refused(program) || !check(program)) return program;
  write_scratch_first(program);
  if (program.instructions.size() > limits.instructions) return too_large(program.instructions.size(), limits.instructions, true);
  if (auto wrong = check(program)) return std::unexpected(std::move(*wrong));
  return program;
}

/// From a graph to the program: code in rounds, each of which knows better what to keep.
class Emission {
 public:
  Emission(const ir::Program& p, const Limits& limits, Places places)
      : program_(p), limits_(limits), places_(places), ranges_(p), families_(p, ranges_), keep_(costly_values(p)) {}

  Result<Program> run() {
    if (const std::size_t least = hopeless_comparisons(program_, ranges_); least > limits_.instructions)
      return too_large(least, limits_.instructions, false);
    Selected code = chosen();
    if (code.too_long) return too_large(enough_lines, limits_.instructions, false);
    if (code.out_of_scratch)
      return fail(Code::TooLarge, {}, fmt::format("an expression needs more than the {} scratch words of classic BPF", scratch_words),
                  "split it into simpler comparisons");
    auto program = laid_out(std::move(code.blocks));
    return program ? accepted(std::move(*program), limits_) : program;
  }

 private:
  struct Selected {
    Blocks blocks;
    std::uint64_t missed, fetched;  ///< as Select has them
    bool out_of_scratch, too_long;
  };

  Selected select() {
    Select select(program_, keep_, ranges_, families_, products_);
    Selected code{select.run(), select.missed(), select.fetched(), select.out_of_scratch(), select.too_long()};
    select.drop_stores(code.blocks);
    return code;
  }

  /// The shorter one of two, where the places that loads count from alternate in X: without what is loaded kept, or with it.
  Selected chosen() {
    constexpr std::size_t long_enough = 300;  // one more look would take its time, and programs with many scratch words are hard to lift
    Selected first = select();
    if (first.too_long) return first;
    if (keep_.kept & keep_.alternating) {
      if (length(first.blocks) <= long_enough) return in_rounds(std::move(first), ~std::uint64_t{0});
      keep_.kept &= ~keep_.alternating;
      first = select();
    }
    const std::uint64_t alternating = first.missed & keep_.alternating, better = better_than(first);
    Selected code = in_rounds(std::move(first), ~keep_.alternating);
    if (!alternating || code.too_long || code.out_of_scratch || length(code.blocks) > long_enough) return code;
    keep_.kept = better;
    Selected other = in_rounds(select(), ~std::uint64_t{0});
    return !other.out_of_scratch && length(other.blocks) < length(code.blocks) ? std::move(other) : std::move(code);
  }

  std::uint64_t better_than(const Selected& code) const { return (keep_.kept & code.fetched) | code.missed; }

  /// Of the values that may be kept, those that are worth it.
  Selected in_rounds(Selected code, std::uint64_t may_be_kept) {
    for (int round = 1; round < max_rounds && (code.missed & may_be_kept & ~keep_.kept) && !code.too_long; ++round) {
      keep_.kept = better_than(code) & may_be_kept;
      code = select();
    }
    return code;
  }

  Result<Program> laid_out(Blocks blocks) const {
    merge_tails(blocks);
    if (places_ != Places::Apart) {
      share_code(blocks, places_);
      run_into_tails(blocks);
    }
    Program program = layout(blocks);
    if (program.instructions.size() > limits_.instructions) return too_large(program.instructions.size(), limits_.instructions, true);
    return program;
  }

  const ir::Program& program_;
  const Limits& limits_;
  const Places places_;
  ir::Ranges ranges_;
  const Families families_;
  Products products_;
  Keep keep_;
};

}  // namespace

Result<Program> emit(const ir::Program& p, const Limits& limits, Places places) {
  auto program = Emission(p, limits, places).run();
  assert(!program || !check(*program));
  return program;
}

}  // namespace weir::cbpf
