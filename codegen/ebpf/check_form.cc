// What needs no registers (kernel/bpf/verifier.c, check_subprogs, check_cfg, resolve_pseudo_ldimm64, check_alu_op).
#include <fmt/format.h>

#include <algorithm>

#include "ebpf/decode.hpp"
#include "ebpf/form.hpp"
#include "ebpf/helpers.hpp"

namespace weir::ebpf {
namespace {

constexpr std::size_t most_maps = 64;  // MAX_USED_MAPS

std::size_t target_of(std::size_t at, const Instruction& i) {
  return static_cast<std::size_t>(static_cast<std::int64_t>(at) + 1 + distance(i));
}

class Form {
 public:
  explicit Form(const Program& p) : p_(p), code_(p.instructions), half_(code_.size()), starts_(code_.size()) {}

  std::optional<Diagnostic> run() {
    if (code_.empty()) return Diagnostic{Code::Input, {}, "the program has no instructions", {}};
    if (code_.size() > max_instructions)
      return Diagnostic{Code::TooLarge,
                        {},
                        fmt::format("the program has {} instructions, {} more than a kernel takes", code_.size(),
                                    code_.size() - max_instructions),
                        {}};
    if (auto wrong = maps()) return wrong;
    for (std::size_t at = 0; at < code_.size(); ++at)
      if (const std::string wrong = instruction(at); !wrong.empty()) return problem_at(p_, at, wrong);
    starts_[0] = true;
    for (std::size_t at = 0; at < code_.size(); ++at)
      if (!half_[at])
        if (const std::string wrong = jump(at); !wrong.empty()) return problem_at(p_, at, wrong);
    return functions();
  }

 private:
  std::optional<Diagnostic> maps() const {
    if (p_.maps.size() > most_maps)
      return Diagnostic{
          Code::TooLarge, {}, fmt::format("the program has {} maps; a kernel takes {}", p_.maps.size(), most_maps), {}};
    for (const Map& map : p_.maps)
      if (const std::string why = problem_with(map); !why.empty())
        return Diagnostic{Code::Input, map.span, fmt::format("map '{}' {}", map.name, why), {}};
    for (const FieldUse& use : p_.fields) {
      const bool is_place =
          use.instruction < code_.size() && (class_of(code_[use.instruction]) == op::LDX ||
                                             (is_arithmetic(code_[use.instruction]) && !takes_register(code_[use.instruction])));
      if (!is_place)
        return Diagnostic{
            Code::Input, {}, fmt::format("instruction {} has no room for the offset of a field", use.instruction), {}};
    }
    return std::nullopt;
  }

  std::string instruction(std::size_t at) {
    if (half_[at]) return {};
    const Instruction& i = code_[at];
    if (!exists(i)) return "is no instruction";
    if (is_wide(i)) return constant(at);
    const bool writes = is_arithmetic(i) || class_of(i) == op::LDX;
    const bool fetches = class_of(i) == op::STX && mode(i) == op::ATOMIC && (i.imm & atomic_fetch) && i.imm != atomic_compare_exchange;
    if ((writes && i.dst == 10) || (fetches && i.src == 10)) return "writes to r10, which always points to the end of the stack";
    if (is_arithmetic(i) && !takes_register(i)) return arithmetic(i);
    if (is_call(i) && !is_local_call(i)) return helper(i);
    return {};
  }

  std::string constant(std::size_t at) {
    const Instruction& i = code_[at];
    if (at + 1 == code_.size()) return "lacks its second half";
    const Instruction& high = code_[at + 1];
    half_[at + 1] = true;
    if (high.code != 0 || high.dst != 0 || high.src != 0 || high.offset != 0) return "lacks its second half";
    if (i.dst == 10) return "writes to r10, which always points to the end of the stack";
    if (i.src == 0) return {};
    if (i.imm < 0 || static_cast<std::size_t>(i.imm) >= p_.maps.size())
      return fmt::format("refers to map {}, but the program has {}", i.imm, p_.maps.size());
    const Map& map = p_.maps[static_cast<std::size_t>(i.imm)];
    if (i.src == map_index || i.src == map_descriptor) return high.imm == 0 ? "" : "lacks its second half";
    if (map.kind != MapKind::Array || map.max_entries != 1) return "refers to the value of a map that is no array of one";
    return static_cast<std::uint32_t>(high.imm) < map.value_bytes ? "" : "refers to a place behind the value of its map";
  }

  static std::string arithmetic(const Instruction& i) {
    const std::uint8_t operation = ebpf::operation(i);
    if ((operation == op::DIV || operation == op::MOD) && i.imm == 0) return "divides by 0";
    const int width = class_of(i) == op::ALU64 ? 64 : 32;
    const bool shifts = operation == op::LSH || operation == op::RSH || operation == op::ARSH;
    return shifts && (i.imm < 0 || i.imm >= width) ? fmt::format("shifts a number of {} bits by {}", width, i.imm) : "";
  }

  std::string helper(const Instruction& i) const {
    const HelperRow* const row = find_helper(i.imm);
    if (!row) return "calls a function that is not known here";
    return has(*row, p_.hook) ? "" : fmt::format("calls a function that programs at {} do not have", to_string(p_.hook));
  }

  std::string jump(std::size_t at) {
    const Instruction& i = code_[at];
    if (!is_jump(i) || is_exit(i) || (is_call(i) && !is_local_call(i))) return {};
    const std::int64_t target = static_cast<std::int64_t>(at) + 1 + distance(i);
    if (target < 0 || target >= static_cast<std::int64_t>(code_.size()))
      return fmt::format("goes to instruction {}, but the program has {}", target, code_.size());
    if (half_[static_cast<std::size_t>(target)]) return fmt::format("goes into the middle of the constant at {}", target - 1);
    if (is_local_call(i)) starts_[static_cast<std::size_t>(target)] = true;
    return {};
  }

  /// Each is left only by `exit`, and by calls; each instruction is reached.
  std::optional<Diagnostic> functions() {
    std::size_t start = 0;
    for (std::size_t at = 0; at < code_.size(); ++at) {
      if (starts_[at]) start = at;
      function_.push_back(start);
    }
    for (std::size_t at = 0; at < code_.size(); ++at) {
      const Instruction& i = code_[at];
      if (half_[at]) continue;
      const bool is_last = at + (is_wide(i) ? 2 : 1) == code_.size() || starts_[at + (is_wide(i) ? 2 : 1)];
      if (is_last && !is_exit(i) && !is_always(i)) return problem_at(p_, at, "is the last of its function, but neither an exit nor a jump");
      const bool jumps = is_always(i) || is_conditional(i);
      if (jumps && function_[target_of(at, i)] != function_[at]) return problem_at(p_, at, "jumps into another function");
    }
    return reach();
  }

  std::optional<Diagnostic> reach() const {
    std::vector<bool> reached(code_.size());
    std::vector<std::size_t> waiting{0};
    const auto visit = [&](std::size_t at) {
      if (!reached[at]) waiting.push_back(at);
      reached[at] = true;
    };
    reached[0] = true;
    while (!waiting.empty()) {
      const std::size_t at = waiting.back();
      waiting.pop_back();
      const Instruction& i = code_[at];
      if (is_always(i) || is_conditional(i) || is_local_call(i)) visit(target_of(at, i));
      if (!is_exit(i) && !is_always(i)) visit(at + (is_wide(i) ? 2 : 1));
    }
    for (std::size_t at = 0; at < code_.size(); ++at)
      if (!reached[at] && !half_[at]) return problem_at(p_, at, "is never reached");
    return std::nullopt;
  }

  const Program& p_;
  const std::vector<Instruction>& code_;
  std::vector<bool> half_, starts_;
  std::vector<std::size_t> function_;
};

}  // namespace

Diagnostic problem_at(const Program& p, std::size_t index, const std::string& why) {
  const Span span = index < p.spans.size() ? p.spans[index] : Span{};
  return {Code::Input, span, fmt::format("{} {}", name(p, index), why), {}};
}

std::optional<Diagnostic> check_form(const Program& p) { return Form(p).run(); }

}  // namespace weir::ebpf
