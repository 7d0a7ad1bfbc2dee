#include "cbpf/emit.hpp"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

#include "cbpf/select.hpp"
#include "cbpf/tails.hpp"

namespace weir::cbpf {
namespace {

/// Keeping a value moves others around; each round keeps more, and few filters need a second one.
constexpr int max_rounds = 5;

/// Whether the kernel may refuse it: for a jump that goes too far, which no jump in so few instructions does (check.cc), or for a scratch
/// word that is written on every way to where it is read, but not on those past a `ret` that the kernel counts, too.
bool may_be_refused(const Program& p) {
  constexpr std::size_t never_too_far = 1000;
  const auto reads_scratch = [](const Instruction& i) { return (i.code & 0xe0) == op::MEM && ((i.code & 7) == op::LD || (i.code & 7) == op::LDX); };
  return p.instructions.size() > never_too_far || std::ranges::any_of(p.instructions, reads_scratch);
}

Result<Program> too_large(std::size_t needed, std::size_t limit, bool exact) {
  return fail(Code::TooLarge, {}, fmt::format("the filter needs {}{} classic BPF instructions, {} more than the {} that fit",
                                              exact ? "" : "more than ", needed, needed - limit, limit),
              "match fewer addresses or ports, or prefixes and ranges; one direction ('src host') takes half of what both take; "
              "in user space (match, weir filter) any length works");
}

}  // namespace

Result<Program> emit(const ir::Program& p, const Limits& limits) {
  Keep keep = costly_values(p);
  for (int round = 1;; ++round) {
    Select select(p, keep);
    Blocks blocks = select.run();
    if (select.too_long()) return too_large(enough_lines, limits.instructions, false);
    const std::uint64_t better = (keep.kept & select.fetched()) | select.missed();
    if (round < max_rounds && better != keep.kept) {
      keep.kept = better;
      continue;
    }
    if (select.out_of_scratch())
      return fail(Code::TooLarge, {}, fmt::format("an expression needs more than the {} scratch words of classic BPF", scratch_words),
                  "split it into simpler comparisons");
    merge_tails(blocks);
    Program program = layout(blocks);
    if (program.instructions.size() > limits.instructions)
      return too_large(program.instructions.size(), limits.instructions, true);
    if (may_be_refused(program))
      if (auto wrong = check(program)) return std::unexpected(std::move(*wrong));
    assert(!check(program));
    return program;
  }
}

}  // namespace weir::cbpf
