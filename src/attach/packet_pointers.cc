// A socket filter's context has no pointers to the packet, but from Linux 6.17 on it can be taken for the sk_buff that it stands for, and memory
// that the sk_buff points to can be read as it is: the verifier makes such loads safe, so that a wrong address gives 0 (kernel/bpf/verifier.c,
// do_misc_fixups: both functions become a move; arch/x86/net/bpf_jit_comp.c, BPF_PROBE_MEM). Bounds are the program's own business.
#include "attach/packet_pointers.hpp"

#include <algorithm>
#include <array>

namespace weir::attach {
namespace {

using ebpf::Instruction;
using ebpf::KernelField;
using namespace ebpf::op;

constexpr std::int16_t data_at = 76, data_end_at = 80;  // of struct __sk_buff (include/uapi/linux/bpf.h)
constexpr std::uint8_t first_kept = 6;                  // registers from here on survive calls
constexpr std::uint8_t first_spared = 3;                // those from here on may be kept over a call of a function of two arguments
constexpr std::uint8_t stack_pointer = 10;
constexpr std::uint8_t call_kernel = 2;                 // BPF_PSEUDO_KFUNC_CALL, in `src` of a call

bool loads(const Instruction& i, std::int16_t offset) { return i.code == (LDX | MEM | W) && i.offset == offset; }

/// Where the pair of loads is that a program begins with.
std::size_t find_loads(const std::vector<Instruction>& code) {
  std::size_t at = 0;
  while (at + 1 < code.size() && !(loads(code[at], data_at) && loads(code[at + 1], data_end_at) && code[at].src == code[at + 1].src)) ++at;
  return at;
}

/// Only moves before it, so that it is come by once and nothing jumps behind what is put in.
bool is_at_the_beginning(const std::vector<Instruction>& code, std::size_t at) {
  return std::all_of(code.begin(), code.begin() + static_cast<std::ptrdiff_t>(at), [](const Instruction& i) { return i.code == (ALU64 | MOV | X); });
}

bool is_subtraction(const Instruction& i, std::uint8_t from, std::uint8_t what) { return i.code == (ALU64 | SUB | X) && i.dst == from && i.src == what; }

/// Below all that the program has on its stack: such a place for a register, written before a call and read behind it, costs nothing, for the kernel
/// knows that these functions leave other registers alone and takes both out (kernel/bpf/verifier.c, mark_fastcall_patterns).
std::int16_t free_place(const std::vector<Instruction>& code) {
  std::int32_t lowest = 0;
  for (std::size_t i = 0; i < code.size(); ++i) {
    const Instruction& at = code[i];
    const int kind = at.code & 0x07;
    const bool is_load = kind == LDX && at.src == stack_pointer, is_store = (kind == ST || kind == STX) && at.dst == stack_pointer;
    if (is_load || is_store) lowest = std::min(lowest, std::int32_t{at.offset});
    const bool is_address = at.code == (ALU64 | MOV | X) && at.src == stack_pointer && i + 1 < code.size();
    if (is_address && code[i + 1].code == (ALU64 | ADD | K) && code[i + 1].dst == at.dst) lowest = std::min(lowest, code[i + 1].imm);
  }
  return static_cast<std::int16_t>((lowest - 8) & ~7);
}

/// What takes the place of the loads: r1 to r5 are free at the beginning of a program, and r0.
struct Opened {
  std::vector<Instruction> code;
  std::vector<std::pair<std::size_t, KernelField>> fields;
  std::vector<FunctionUse> functions;

  void put(Instruction i) { code.push_back(i); }
  void load(std::uint8_t to, KernelField field, std::uint8_t size) {
    fields.emplace_back(code.size(), field);
    put({.code = static_cast<std::uint8_t>(LDX | MEM | size), .dst = static_cast<std::uint8_t>(to & 0x0f), .src = 0});
  }
  void call(KernelFunction f) {
    functions.push_back({code.size(), f});
    put({.code = JMP | CALL, .src = call_kernel});
  }
};

Opened open(const Instruction& begin, const Instruction& end, bool wants_length, std::int16_t place) {
  Opened o;
  o.put({.code = ALU64 | MOV | X, .dst = 1, .src = begin.src});
  o.call(KernelFunction::CastToKernelContext);
  o.load(end.dst, KernelField::SkbLen, W);
  o.load(1, KernelField::SkbDataLen, W);
  o.put({.code = ALU64 | SUB | X, .dst = end.dst, .src = 1});  // the linear part
  o.load(1, KernelField::SkbData, DW);
  o.put({.code = ALU64 | MOV | K, .dst = 2, .imm = 0});  // of no type
  if (end.dst < first_kept) o.put({.code = STX | MEM | DW, .dst = stack_pointer, .src = end.dst, .offset = place});
  o.call(KernelFunction::ReadOnlyCast);
  if (end.dst < first_kept) o.put({.code = LDX | MEM | DW, .dst = end.dst, .src = stack_pointer, .offset = place});
  if (!wants_length) o.put({.code = ALU64 | ADD | X, .dst = end.dst, .src = 0});
  if (begin.dst != 0) o.put({.code = ALU64 | MOV | X, .dst = begin.dst, .src = 0});
  return o;
}

}  // namespace

Result<std::vector<FunctionUse>> open_packet_pointers(ebpf::Program& program) {
  std::vector<FunctionUse> functions;
  if (program.hook != ebpf::Hook::SocketBtf) return functions;
  auto& code = program.instructions;
  const std::size_t at = find_loads(code);
  if (at + 1 >= code.size()) return functions;  // it does not look at the packet
  const Instruction begin = code[at], end = code[at + 1];
  const bool fits = begin.src >= first_kept && begin.dst != end.dst && (begin.dst == 0 || begin.dst >= first_spared) && end.dst >= first_spared;
  const std::int16_t place = free_place(code);
  if (!is_at_the_beginning(code, at) || !fits || (end.dst < first_kept && place < -512))
    return fail(Code::Unsupported, {}, "the program reads where the packet is in a way that only tc and control groups have", "weir's own programs for socket-btf do it first of all, with the context in r6");
  const bool wants_length = at + 2 < code.size() && is_subtraction(code[at + 2], end.dst, begin.dst);
  Opened opened = open(begin, end, wants_length, place);
  const std::size_t taken = wants_length ? 3 : 2, more = opened.code.size() - taken;
  const auto first = code.begin() + static_cast<std::ptrdiff_t>(at);
  code.insert(code.erase(first, first + static_cast<std::ptrdiff_t>(taken)), opened.code.begin(), opened.code.end());
  if (!program.spans.empty()) program.spans.insert(program.spans.begin() + static_cast<std::ptrdiff_t>(at), more, Span{});
  for (ebpf::FieldUse& use : program.fields) use.instruction += more;
  for (const auto& [instruction, field] : opened.fields) program.fields.push_back({at + instruction, field});
  for (FunctionUse use : opened.functions) functions.push_back({at + use.instruction, use.function});
  return functions;
}

}  // namespace weir::attach
