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

}  // namespace

Result<std::vector<FunctionUse>> open_packet_pointers(ebpf::Program& program) {
  std::vector<FunctionUse> functions;
  if (program.hook != ebpf::Hook::SocketBtf) return functions;
  auto& code = program.instructions;
  const std::size_t at = find_loads(code);
  if (at + 1 >= code.size()) return functions;  // it does not look at the packet
  const Instruction begin = code[at], end = code[at + 1];
  if (!is_at_the_beginning(code, at) || begin.src < first_kept || begin.dst < first_kept || end.dst < first_kept)
    return fail(Code::Unsupported, {}, "the program reads where the packet is in a way that only tc and control groups have", "weir's own programs for socket-btf do it first of all, in r6 to r9");
  const std::array opened = std::to_array<Instruction>({
      {.code = ALU64 | MOV | X, .dst = 1, .src = begin.src},
      {.code = JMP | CALL, .src = call_kernel},
      {.code = LDX | MEM | W, .dst = end.dst, .src = 0},    // len
      {.code = LDX | MEM | W, .dst = 1, .src = 0},          // data_len
      {.code = ALU64 | SUB | X, .dst = end.dst, .src = 1},  // the linear part
      {.code = LDX | MEM | DW, .dst = 1, .src = 0},         // data
      {.code = ALU64 | MOV | K, .dst = 2, .imm = 0},        // of no type
      {.code = JMP | CALL, .src = call_kernel},
      {.code = ALU64 | MOV | X, .dst = begin.dst, .src = 0},
      {.code = ALU64 | ADD | X, .dst = end.dst, .src = 0},
  });
  const std::size_t more = opened.size() - 2;
  const auto place = code.begin() + static_cast<std::ptrdiff_t>(at);
  code.insert(code.erase(place, place + 2), opened.begin(), opened.end());
  if (!program.spans.empty()) program.spans.insert(program.spans.begin() + static_cast<std::ptrdiff_t>(at), more, Span{});
  for (ebpf::FieldUse& use : program.fields) use.instruction += more;
  program.fields.insert(program.fields.end(), {{at + 2, KernelField::SkbLen}, {at + 3, KernelField::SkbDataLen}, {at + 5, KernelField::SkbData}});
  functions = {{at + 1, KernelFunction::CastToKernelContext}, {at + 7, KernelFunction::ReadOnlyCast}};
  return functions;
}

}  // namespace weir::attach
