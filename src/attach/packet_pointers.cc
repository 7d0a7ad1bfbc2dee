// A socket filter's context has no pointers to the packet, but it can be taken for the sk_buff that it stands for
// (kernel/bpf/verifier.c, do_misc_fixups:
// the function becomes a move), and from Linux 6.17 on memory that the sk_buff points to can be read as it is (kernel/bpf/btf.c,
// btf_struct_walk, WALK_PTR_UNTRUSTED): the verifier makes such loads safe, so that a wrong address gives 0
// (arch/x86/net/bpf_jit_comp.c, BPF_PROBE_MEM).
// Bounds are the program's own business.
#include "attach/packet_pointers.hpp"

#include <algorithm>
#include <array>

namespace weir::attach {
namespace {

using ebpf::Instruction;
using ebpf::KernelField;
using namespace ebpf::op;

constexpr std::int16_t data_at = 76, data_end_at = 80;  // of struct __sk_buff (include/uapi/linux/bpf.h)
constexpr std::uint8_t argument = 1;
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
  return std::all_of(code.begin(), code.begin() + static_cast<std::ptrdiff_t>(at),
                     [](const Instruction& i) { return i.code == (ALU64 | MOV | X); });
}

bool is_subtraction(const Instruction& i, std::uint8_t from, std::uint8_t what) {
  return i.code == (ALU64 | SUB | X) && i.dst == from && i.src == what;
}

/// Whether r1 is the context still: only moves stand before.
bool leaves_argument(const std::vector<Instruction>& code, std::size_t at) {
  return std::all_of(code.begin(), code.begin() + static_cast<std::ptrdiff_t>(at), [](const Instruction& i) { return i.dst != argument; });
}

/// What takes the place of the loads: r0 to r5 are free at the beginning of a program.
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

Opened open(const Instruction& begin, const Instruction& end, bool wants_length, bool has_argument) {
  Opened o;
  o.code.reserve(8);
  if (!has_argument) o.put({.code = ALU64 | MOV | X, .dst = argument, .src = begin.src});
  o.call(KernelFunction::CastToKernelContext);
  o.load(end.dst, KernelField::SkbLen, W);
  o.load(argument, KernelField::SkbDataLen, W);
  o.put({.code = ALU64 | SUB | X, .dst = end.dst, .src = argument});  // the linear part
  o.load(begin.dst, KernelField::SkbData, DW);
  if (!wants_length) o.put({.code = ALU64 | ADD | X, .dst = end.dst, .src = begin.dst});
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
  const bool fits = begin.src >= first_kept && begin.dst != end.dst && end.dst > argument;
  if (!is_at_the_beginning(code, at) || !fits)
    return fail(Code::Unsupported, {}, "the program reads where the packet is in a way that only tc and control groups have",
                "weir's own programs for socket-btf do it first of all, with the context in r6");
  const bool wants_length = at + 2 < code.size() && is_subtraction(code[at + 2], end.dst, begin.dst);
  Opened opened = open(begin, end, wants_length, leaves_argument(code, at));
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
