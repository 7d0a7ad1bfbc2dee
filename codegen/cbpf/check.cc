// What the kernel and libpcap ask of a program before they run it: net/core/filter.c (bpf_check_classic,
// check_load_and_stores, bpf_convert_filter), libpcap bpf_filter.c (bpf_validate). Every step is one walk over the
// program. Tested by tests/unit/cbpf/check_test.cc against both.
#include <algorithm>

#include <fmt/format.h>

#include "cbpf/opcodes.hpp"

namespace weir::cbpf {
namespace {

/// The farthest jump of eBPF, whose distances are 16 bits with a sign (include/uapi/linux/bpf.h, struct bpf_insn).
constexpr std::uint64_t ebpf_reach = 32767;

Diagnostic at(const Program& p, std::size_t index, std::string problem, std::string hint = {}) {
  const Span span = index < p.spans.size() ? p.spans[index] : Span{};
  return {Code::Input, span,
          fmt::format("{}: {}", name(p, index), problem), std::move(hint)};
}

std::optional<Diagnostic> check_length(const Program& p) {
  const std::size_t count = p.instructions.size();
  if (count > max_instructions)
    return Diagnostic{Code::TooLarge, {},
                      fmt::format("the program has {} instructions, {} more than a kernel takes", count,
                                  count - max_instructions),
                      {}};
  return std::nullopt;
}

bool meets(const Instruction& i, Demand demand, std::uint64_t next, std::size_t count) {
  switch (demand) {
    case Demand::None: return true;
    case Demand::Known: return i.k < meta_offset || metadata(i.k);
    case Demand::Scratch: return i.k < scratch_words;
    case Demand::NonZero: return i.k != 0;
    case Demand::Shift: return i.k < 32;
    // Distances have no sign in the kernel, so what is a jump back for libpcap leaves the program there.
    case Demand::Jump: return next + i.k < count;
    case Demand::Branch: return next + std::max(i.jt, i.jf) < count;
  }
  return true;
}

/// What is wrong with an operand that does not meet the demand.
std::string problem(const Instruction& i, Demand demand, std::uint64_t next, std::size_t count) {
  const auto outside = [&](std::string_view way, std::uint64_t distance) {
    return fmt::format("{}goes to instruction {}, but the program has {}", way, next + distance, count);
  };
  switch (demand) {
    case Demand::None: return {};
    case Demand::Known: return fmt::format("there is no metadata at offset {:#x}", i.k);
    case Demand::Scratch: return fmt::format("there are only {} scratch words", scratch_words);
    case Demand::NonZero: return "divides by 0";
    case Demand::Shift: return "shifts by 32 or more";
    case Demand::Jump: return outside("", i.k);
    case Demand::Branch: return next + i.jt < count ? outside("the false way ", i.jf) : outside("the true way ", i.jt);
  }
  return {};
}

}  // namespace

std::string name(const Program& p, std::size_t index) {
  std::string text;
  for (const char c : to_string(p.instructions[index]))
    if (c != ' ' || text.back() != ' ') text += c;
  while (text.back() == ' ') text.pop_back();
  return fmt::format("instruction {} ({})", index, text);
}

std::optional<Diagnostic> check_form(const Program& p) {
  const std::size_t count = p.instructions.size();
  if (count == 0) return Diagnostic{Code::Input, {}, "the program has no instructions", {}};
  for (std::size_t index = 0; index < count; ++index) {
    const Instruction& i = p.instructions[index];
    const Row* r = row(i.code);
    if (r == nullptr) return at(p, index, "there is no such instruction");
    if (!meets(i, r->demand, index + 1, count)) return at(p, index, problem(i, r->demand, index + 1, count));
  }
  const std::uint16_t last = p.instructions.back().code;
  if ((last & 0x07) != op::RET) return at(p, count - 1, "the last instruction does not return");
  return std::nullopt;
}

namespace {

bool any_demands(const Program& p, Demand demand) {
  return std::ranges::any_of(p.instructions, [&](const Instruction& i) { return row(i.code)->demand == demand; });
}

/// Scratch words as bits: what is certainly written when an instruction is reached.
using Words = std::uint16_t;
constexpr Words all_words = 0xffff;

/// The words written behind `i`, which hands them to where it jumps. Nothing when `i` reads a word that is not.
std::optional<Words> step(const Instruction& i, std::size_t index, Words written, std::vector<Words>& entering) {
  const auto word = static_cast<Words>(1u << (i.k % scratch_words));
  switch (row(i.code)->demand) {
    case Demand::Scratch:
      if ((i.code & 0x07) == op::ST || (i.code & 0x07) == op::STX) return written | word;
      return written & word ? std::optional(written) : std::nullopt;
    case Demand::Jump:
      entering[index + 1 + i.k] &= written;
      return all_words;
    case Demand::Branch:
      entering[index + 1 + i.jt] &= written;
      entering[index + 1 + i.jf] &= written;
      return all_words;
    case Demand::None:
    case Demand::Known:
    case Demand::NonZero:
    case Demand::Shift: return written;
  }
  return written;
}

/// As the kernel's check_load_and_stores: a `ret` does not end a path there, what follows it is taken to be reached
/// from it too.
std::optional<Diagnostic> check_scratch(const Program& p) {
  if (!any_demands(p, Demand::Scratch)) return std::nullopt;
  std::vector<Words> entering(p.instructions.size(), all_words);
  Words written = 0;
  for (std::size_t index = 0; index < p.instructions.size(); ++index) {
    const Instruction& i = p.instructions[index];
    const auto after = step(i, index, written & entering[index], entering);
    if (!after)
      return at(p, index, fmt::format("scratch word {} is not written on every path to here", i.k),
                "the kernel counts the step from a `ret` to the instruction below it as a path");
    written = *after;
  }
  return std::nullopt;
}

/// Conditional jumps reach 255 instructions and so never too far; a `ja` may, once the kernel has translated what it skips.
std::optional<Diagnostic> check_reach(const Program& p) {
  if (!any_demands(p, Demand::Jump)) return std::nullopt;
  std::vector<std::uint64_t> start;  // where each instruction begins in eBPF, at most
  start.reserve(p.instructions.size() + 1);
  start.push_back(0);
  for (const Instruction& i : p.instructions) start.push_back(start.back() + row(i.code)->ebpf);
  for (std::size_t index = 0; index < p.instructions.size(); ++index) {
    const Instruction& i = p.instructions[index];
    if (row(i.code)->demand != Demand::Jump) continue;
    if (start[index + 1 + i.k] - start[index + 1] > ebpf_reach)
      return at(p, index, "skips more than a jump can once the kernel has translated the program to eBPF");
  }
  return std::nullopt;
}

}  // namespace

std::optional<Diagnostic> check(const Program& p) {
  if (auto problem = check_length(p)) return problem;
  if (auto problem = check_form(p)) return problem;
  if (auto problem = check_scratch(p)) return problem;
  return check_reach(p);
}

}  // namespace weir::cbpf
