// The kernel's side: bpf_prog_load() in kernel/bpf/syscall.c, and kernel/bpf/verifier.c.
#include "attach/load.hpp"

#include <bpf/bpf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <type_traits>

#include "attach/kernel_types.hpp"
#include "attach/options.hpp"
#include "attach/packet_pointers.hpp"
#include "attach/rights.hpp"

namespace weir::attach {
namespace {

static_assert(sizeof(ebpf::Instruction) == sizeof(bpf_insn) && alignof(ebpf::Instruction) <= alignof(bpf_insn) &&
              std::is_trivially_copyable_v<ebpf::Instruction>);

constexpr std::size_t first_log = std::size_t{1} << 20, longest_log = std::size_t{1} << 26;
constexpr int cannot_translate = 524;  ///< ENOTSUPP (include/linux/errno.h), of bpf_prog_select_runtime() in kernel/bpf/core.c
/// Lines of the verifier's log that a message shows.
constexpr int shown_lines = 12;

struct HookRow {
  bpf_prog_type type;
  int attach_type;
};
constexpr std::array hooks = {
#define WEIR_HOOK(hook, name, type, attach_type, section, context, packets) HookRow{type, attach_type},
#include "ebpf/hooks.def"
#undef WEIR_HOOK
};

/// tcx's attach types are newer than what programs for tc need to say; older kernels want 0 there.
bpf_attach_type expected_attach_type(ebpf::Hook hook) {
  if (hook == ebpf::Hook::TcIngress || hook == ebpf::Hook::TcEgress) return {};
  return static_cast<bpf_attach_type>(hooks[static_cast<std::size_t>(hook)].attach_type);
}

bool refers_to_value(const ebpf::Instruction& i) { return i.src == ebpf::map_value_index || i.src == ebpf::map_value_descriptor; }
bool refers_to_map(const ebpf::Instruction& i) {
  return i.code == (ebpf::op::LD | ebpf::op::DW | ebpf::op::IMM) &&
         (i.src == ebpf::map_index || i.src == ebpf::map_descriptor || refers_to_value(i));
}

/// What is looked up here by its number has to be there. All else is the kernel's to judge, which knows functions that
/// ebpf::check does not.
Result<void> check_numbers(const ebpf::Program& program) {
  const auto& code = program.instructions;
  for (std::size_t at = 0; at < code.size(); ++at) {
    if (!refers_to_map(code[at]) || static_cast<std::uint32_t>(code[at].imm) < program.maps.size()) continue;
    return fail(
        Code::Input, {},
        fmt::format("{} refers to map {}, but the program has {}", ebpf::name(program, at), code[at].imm, program.maps.size()));
  }
  for (const ebpf::FieldUse& use : program.fields)
    if (use.instruction >= code.size())
      return fail(Code::Input, {}, fmt::format("there is no instruction {} for the offset of a field", use.instruction));
  return {};
}

/// What refers to a map by its number gets the map's descriptor, which every kernel understands.
void place_maps(ebpf::Program& program, const std::vector<Map>& maps) {
  for (ebpf::Instruction& i : program.instructions) {
    if (!refers_to_map(i)) continue;
    i.src = refers_to_value(i) ? BPF_PSEUDO_MAP_VALUE : BPF_PSEUDO_MAP_FD;
    i.imm = maps[static_cast<std::size_t>(i.imm)].descriptor();
  }
}

int try_load(const ebpf::Program& program, const LoadOptions& options, std::uint32_t type, std::string* log) {
  auto request = no_options<bpf_prog_load_opts>();
  request.expected_attach_type = expected_attach_type(program.hook);
  request.attach_btf_id = type;
  if (program.hook == ebpf::Hook::Xdp) request.prog_flags = BPF_F_XDP_HAS_FRAGS;
  if (log) {
    request.log_level = 1;
    request.log_buf = log->data();
    request.log_size = static_cast<std::uint32_t>(log->size());
  }
  return bpf_prog_load(hooks[static_cast<std::size_t>(program.hook)].type, options.name.c_str(), ebpf::licence,
                       reinterpret_cast<const bpf_insn*>(program.instructions.data()), program.instructions.size(), &request);
}

/// The log of the same attempt once more: it takes time, so the first goes without.
std::string log_of(const ebpf::Program& program, const LoadOptions& options, std::uint32_t type) {
  for (std::size_t size = first_log;; size *= 4) {
    std::string log(size, '\0');
    const Descriptor loaded(try_load(program, options, type, &log));
    if (!loaded && errno == ENOSPC && size < longest_log) continue;
    log.resize(std::strlen(log.c_str()));
    return log;
  }
}

std::string_view last_lines(std::string_view log, int count) {
  while (log.ends_with('\n')) log.remove_suffix(1);
  std::size_t begin = log.size();
  for (int i = 0; i < count && begin != log.npos && begin > 0; ++i) begin = log.rfind('\n', begin - 1);
  return begin == log.npos ? log : log.substr(begin == 0 ? 0 : begin + 1);
}

/// A line of the log about an instruction begins with its number and, in brackets, its code.
std::optional<std::size_t> instruction_of(std::string_view line) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (error != std::errc() || !line.substr(static_cast<std::size_t>(end - line.data())).starts_with(": (")) return std::nullopt;
  return number;
}

/// Before the verifier looks at anything, the kernel refuses what it does not know of the request: a kind of program, a flag.
Diagnostic unknown_request(ebpf::Hook hook) {
  if (hook == ebpf::Hook::Xdp)
    return {Code::Unsupported,
            {},
            "the kernel takes no XDP programs for packets in several pieces",
            "Linux 5.18 is the first that does; the hook tc-ingress works on older ones"};
  return {Code::Unsupported,
          {},
          fmt::format("the kernel does not know programs for {}", to_string(hook)),
          "weir's programs need Linux 5.18, but for sockets"};
}

bool is_far_jump(const ebpf::Instruction& i) { return i.code == (ebpf::op::JMP32 | ebpf::op::JA); }

/// Which instruction it minds, in words. Of an opcode the kernel says which before it has looked at any instruction.
std::string minded(const ebpf::Program& program, const Refusal& why) {
  constexpr std::string_view opcode = "unknown opcode ";
  std::size_t at = why.instruction;
  unsigned code = 0;
  if (why.words.starts_with(opcode) &&
      std::from_chars(why.words.data() + opcode.size(), why.words.data() + why.words.size(), code, 16).ec == std::errc())
    at = static_cast<std::size_t>(std::ranges::find(program.instructions, code, &ebpf::Instruction::code) - program.instructions.begin());
  return at < program.instructions.size() ? ebpf::name(program, at) : "which none of its own is";
}

/// Instructions that came to the kernel after it was called new enough: bpf_opcode_in_insntable() and do_check().
Diagnostic unknown_instruction(const ebpf::Program& program, const Refusal& why) {
  const bool has_far_jumps = std::ranges::any_of(program.instructions, is_far_jump);
  return {Code::Unsupported,
          {},
          fmt::format("the kernel does not know an instruction of the program ({}): {}",
                      has_far_jumps ? "jumps farther than 32767 instructions" : minded(program, why), why.words),
          has_far_jumps
              ? "Linux 6.6 is the first that does; with lists in maps (--maps=1) the program is shorter, or split the filter"
              : "it came with a newer kernel"};
}

/// The kernel's verifier calls codes that it does not know unknown, or their fields reserved.
bool is_unknown_instruction(const ebpf::Program& program, const Refusal& why) {
  if (why.words.starts_with("unknown opcode")) return true;
  const bool at_far_jump = why.instruction < program.instructions.size() && is_far_jump(program.instructions[why.instruction]);
  return at_far_jump && (why.words.contains("reserved field") || why.words.contains("invalid BPF_JMP32") || why.words.contains("unknown"));
}

/// The kernel may not know the function for pointers, or not be able to call any (kernel/bpf/verifier.c, add_kfunc_call() and
/// check_kfunc_call()); before Linux 6.17 the address of a packet was a number like others.
bool is_about_pointers(const Refusal& why) {
  return why.words.contains("kfunc") || why.words.contains("kernel function") ||
         why.words.contains("invalid mem access 'scalar'");
}

/// EINVAL comes both from the verifier and, before it, from a kernel that does not know the hook.
Diagnostic refused(int error, const ebpf::Program& program, const LoadOptions& options, std::uint32_t type) {
  if (error == EPERM) return not_permitted("load the program", program.hook, !program.maps.empty(), rights());
  if (error == ENOMEM)
    return {Code::TooLarge, {}, "the kernel has no memory for the program", "the memory limit of the control group counts, too"};
  if (error == EMFILE || error == ENFILE || error == EAGAIN)
    return {Code::System, {}, fmt::format("cannot load the program: {}", std::strerror(error)), {}};
  if (error == cannot_translate)
    return {Code::Unsupported, {}, "the kernel cannot translate the program to machine code",
            "with net.core.bpf_jit_harden=2 programs get longer than short jumps reach; 1 does that to users without privileges alone"};
  if (error == ENOSYS) return {Code::Unsupported, {}, "the kernel has no bpf(2)", "it must be built with CONFIG_BPF_SYSCALL"};
  return refused_program(error, log_of(program, options, type), program, options.text);
}

}  // namespace

Diagnostic refused_program(int error, std::string_view log, const ebpf::Program& program, std::string_view text) {
  if (error == EINVAL && log.empty()) return unknown_request(program.hook);
  const Refusal why = last_refusal(log);
  if (error == E2BIG || why.is_too_much()) {
    return {Code::TooLarge,
            {},
            fmt::format("the program ({} instructions) is more than the kernel's verifier takes{}{}", program.instructions.size(),
                        why.words.empty() ? "" : ": ", why.words),
            "split the filter into several, or have its lists asked of maps"};
  }
  if (is_unknown_instruction(program, why)) return unknown_instruction(program, why);
  if (why.words.ends_with("prohibited for !root")) return perfmon_missing("load the program");
  if (program.hook == ebpf::Hook::SocketBtf && is_about_pointers(why)) {
    return {Code::Unsupported, {}, fmt::format("the kernel gives programs no pointers to the packets of sockets ({})", why.words),
            "Linux 6.17 is the first that does; the hook socket works without them"};
  }
  const Span span = why.instruction < program.spans.size() ? program.spans[why.instruction] : Span{};
  std::string message = fmt::format("the kernel's verifier refuses the program at instruction {} of {}: {}", why.instruction,
                                    program.instructions.size(), why.words.empty() ? std::strerror(error) : why.words);
  if (!span.empty() && span.end <= text.size())
    message += fmt::format(" (made for '{}')", text.substr(span.begin, span.end - span.begin));
  return {Code::Unsupported, span, std::move(message),
          fmt::format("this is a mistake of weir: please report it, with the filter and the end of the verifier's log:\n{}",
                      last_lines(log, shown_lines))};
}

Refusal last_refusal(std::string_view log) {
  Refusal why;
  for (std::size_t begin = 0; begin < log.size();) {
    const std::size_t end = std::min(log.find('\n', begin), log.size());
    const std::string_view line = log.substr(begin, end - begin);
    begin = end + 1;
    if (const auto instruction = instruction_of(line)) {
      why = {*instruction, {}};
    } else if (!line.empty() && why.words.empty() && !line.starts_with("processed ") && !line.starts_with(';') &&
               !std::isdigit(static_cast<unsigned char>(line.front()))) {
      why.words = line;  // other lines that begin with a number show registers
    }
  }
  return why;
}

unsigned Loaded::id() const {
  bpf_prog_info info = {};
  auto size = static_cast<__u32>(sizeof info);
  return bpf_obj_get_info_by_fd(descriptor(), &info, &size) == 0 ? info.id : 0;
}

/// Its limits: BPF_COMPLEXITY_LIMIT_INSNS, do_check(); BPF_COMPLEXITY_LIMIT_JMP_SEQ, push_stack(), which has had several numbers
/// for it; and MAX_BPF_STACK for a program and the function around it that counts, check_max_stack_depth().
bool Refusal::is_too_much() const {
  return words.starts_with("BPF program is too large.") || words.starts_with("combined stack size of ") ||
         (words.starts_with("The sequence of ") && words.ends_with(" jumps is too complex."));
}

Result<Loaded> Loaded::load(const ebpf::Program& program, const LoadOptions& options) {
  if (auto checked = check_numbers(program); !checked) return std::unexpected(checked.error());
  std::uint32_t type = 0;
  if (program.hook == ebpf::Hook::TracingBtf) {
    const auto found = tracepoint_type(options.tracepoint);
    if (!found) return std::unexpected(found.error());
    type = *found;
  }
  std::vector<Map> maps;
  for (const ebpf::Map& map : program.maps) {
    auto made = Map::make(map, options.room, program.hook);
    if (!made) return std::unexpected(made.error());
    maps.push_back(std::move(*made));
  }
  ebpf::Program placed = program;
  const auto functions = open_packet_pointers(placed);
  if (!functions) return std::unexpected(functions.error());
  if (auto done = place_fields(placed, *functions); !done) return std::unexpected(done.error());
  place_maps(placed, maps);
  Descriptor loaded(try_load(placed, options, type, nullptr));
  if (!loaded) return std::unexpected(refused(errno, placed, options, type));
  return Loaded(program.hook, std::move(loaded), std::move(maps));
}

}  // namespace weir::attach
