#include "cbpf/emit.hpp"

#include <cassert>

#include <fmt/format.h>

#include "cbpf/select.hpp"
#include "cbpf/tails.hpp"

namespace weir::cbpf {
namespace {

/// Keeping a value moves others around; each round keeps more, and few filters need a second one.
constexpr int max_rounds = 5;

/// So many instructions, each of which becomes some of eBPF, the kernel's jumps reach (check.cc).
constexpr std::size_t never_too_far = 1000;

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
    // One thing remains that can go wrong, in long programs: a jump so long that the kernel cannot take it.
    if (program.instructions.size() > never_too_far)
      if (auto wrong = check(program)) return std::unexpected(std::move(*wrong));
    assert(!check(program));
    return program;
  }
}

}  // namespace weir::cbpf
