// eBPF programs: the instructions, the maps that they ask, and where they are to run.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/span.hpp"

namespace weir::ebpf {

/// As struct bpf_insn (include/uapi/linux/bpf.h) on a little-endian host. A 64-bit constant takes two: the second has code 0.
struct Instruction {
  std::uint8_t code = 0;
  std::uint8_t dst : 4 = 0;
  std::uint8_t src : 4 = 0;
  std::int16_t offset = 0;
  std::int32_t imm = 0;
  bool operator==(const Instruction&) const = default;
};
inline constexpr std::uint32_t instruction_bytes = sizeof(Instruction);
static_assert(instruction_bytes == 8);

// Parts of an instruction's code (Documentation/bpf/standardization/instruction-set.rst, RFC 9669).
namespace op {
inline constexpr std::uint8_t
    LD = 0x00, LDX = 0x01, ST = 0x02, STX = 0x03, ALU = 0x04, JMP = 0x05, JMP32 = 0x06, ALU64 = 0x07,
    W = 0x00, H = 0x08, B = 0x10, DW = 0x18,
    IMM = 0x00, ABS = 0x20, IND = 0x40, MEM = 0x60, MEMSX = 0x80, ATOMIC = 0xc0,
    K = 0x00, X = 0x08,
    ADD = 0x00, SUB = 0x10, MUL = 0x20, DIV = 0x30, OR = 0x40, AND = 0x50, LSH = 0x60, RSH = 0x70, NEG = 0x80, MOD = 0x90,
    XOR = 0xa0, MOV = 0xb0, ARSH = 0xc0, END = 0xd0,
    JA = 0x00, JEQ = 0x10, JGT = 0x20, JGE = 0x30, JSET = 0x40, JNE = 0x50, JSGT = 0x60, JSGE = 0x70, CALL = 0x80, EXIT = 0x90,
    JLT = 0xa0, JLE = 0xb0, JSLT = 0xc0, JSLE = 0xd0;
}  // namespace op

/// In `src` of a 64-bit constant: imm is the number of a map in the program (BPF_PSEUDO_MAP_IDX), so that a loader passes an array
/// of descriptors and leaves the instructions alone.
inline constexpr std::uint8_t map_index = 5;

/// Others that programs from objects have there, and the kernel knows (include/uapi/linux/bpf.h, BPF_PSEUDO_*): a map by descriptor, which
/// is read as its number, too; and the first value of a map, with the offset in the imm of the second half.
inline constexpr std::uint8_t map_descriptor = 1, map_value_descriptor = 2, map_value_index = 6;

/// In `src` of a call: to a function of the program, imm instructions on (BPF_PSEUDO_CALL); 0 is a helper of the kernel.
inline constexpr std::uint8_t call_local = 1;

/// In `imm` of ATOMIC stores: ADD, OR, AND or XOR, with FETCH when the old value is wanted; or one of the other two, which have it.
inline constexpr std::int32_t atomic_fetch = 0x01, atomic_exchange = 0xe1, atomic_compare_exchange = 0xf1;

inline constexpr std::uint32_t call_depth = 8;            ///< MAX_CALL_FRAMES (include/linux/bpf_verifier.h)
inline constexpr std::uint32_t stack_bytes = 512;         ///< MAX_BPF_STACK (include/linux/filter.h)
inline constexpr std::size_t max_maps = 64;               ///< MAX_USED_MAPS (include/linux/bpf_verifier.h)
inline constexpr std::size_t max_instructions = 1'000'000;  ///< BPF_COMPLEXITY_LIMIT_INSNS (include/linux/bpf.h)

enum class Hook : std::uint8_t {
#define WEIR_HOOK(hook, name, type, attach_type, section, context, packets) hook,
#include "ebpf/hooks.def"
#undef WEIR_HOOK
};

/// Whether what its programs return is how many bytes of the packet are kept.
constexpr bool is_socket(Hook hook) { return hook == Hook::Socket || hook == Hook::SocketBtf; }

enum class MapKind : std::uint8_t {
  Hash,         ///< BPF_MAP_TYPE_HASH: exact keys
  LpmTrie,      ///< BPF_MAP_TYPE_LPM_TRIE: keys are a 32-bit prefix length in host order and the address
  Array,        ///< BPF_MAP_TYPE_ARRAY
  PerCpuArray,  ///< BPF_MAP_TYPE_PERCPU_ARRAY: counters of a tracing program
};

/// What is in a map before the first packet. Addresses in keys lie as in a packet, in network order.
struct Map {
  std::string name;                       ///< letters, digits and _; at most 15 (BPF_OBJ_NAME_LEN)
  MapKind kind = MapKind::Hash;
  std::uint32_t key_bytes = 0, value_bytes = 0, max_entries = 0;
  std::vector<std::uint8_t> keys;         ///< one behind the other; a set's values are all 1 in the first byte and 0 behind
  Span span;                              ///< the words of the filter whose list it is; no part of equality
  std::vector<std::uint8_t> values = {};  ///< those of the keys instead, one behind the other; empty: as a set's
  bool operator==(const Map& o) const {
    return name == o.name && kind == o.kind && key_bytes == o.key_bytes && value_bytes == o.value_bytes &&
           max_entries == o.max_entries && keys == o.keys && values == o.values;
  }
};

/// A field of a kernel structure, whose place depends on the kernel: BTF says where it is.
enum class KernelField : std::uint8_t {
#define WEIR_KERNEL_FIELD(field, structure, member, bytes) field,
#include "ebpf/kernel_fields.def"
#undef WEIR_KERNEL_FIELD
};

/// Its names in the kernel's source.
struct Member {
  std::string_view structure, name;
};
Member member_of(KernelField field);

/// Whoever loads the program puts the field's offset into the instruction: `offset` of a load or store, `imm` of arithmetic
/// (a CO-RE relocation of kind BPF_CORE_FIELD_BYTE_OFFSET, include/uapi/linux/bpf.h).
struct FieldUse {
  std::size_t instruction = 0;
  KernelField field{};
  bool operator==(const FieldUse&) const = default;
};

struct Program {
  Hook hook = Hook::Socket;
  std::int32_t no_match = 0;  ///< what it returns for a packet that the filter rejects, and for no other
  std::vector<Instruction> instructions;
  std::vector<Map> maps;
  std::vector<FieldUse> fields;
  std::vector<Span> spans;  ///< by instruction: the words of the filter it came from; may be empty; no part of equality
  bool operator==(const Program& o) const {
    return hook == o.hook && no_match == o.no_match && instructions == o.instructions && maps == o.maps && fields == o.fields;
  }
  bool accepts(std::uint32_t returned) const { return returned != static_cast<std::uint32_t>(no_match); }
};

/// The kernel looks at programs only under a licence that it knows as compatible where they call its GPL-only helpers.
inline constexpr const char* licence = "Dual MIT/GPL";

/// One instruction in the kernel's notation, as bpftool prints it (`r0 = *(u16 *)(r7 +12)`), jumps as `pc+5`. `next` is the
/// second half of a 64-bit constant, which shows as `ll`; alone it has no meaning. What is no instruction is `.8byte` and its
/// number.
std::string to_string(const Instruction& i, const Instruction& next = {});

/// Why there can be no such map; empty when there can.
std::string problem_with(const Map& map);

/// The program as bpftool lists it, an instruction a line, with its maps first, and before each group of instructions the words
/// of `filter` that it came from. read_text takes the instructions back.
std::string to_string(const Program& p, std::string_view filter);
/// An object: hook, instructions (numbers, text, and the place in the filter that each comes from), maps with their keys in
/// hexadecimal, fields.
std::string to_json(const Program& p);

/// Whether there is such an instruction: its code, and fields that it can have. The second half of a 64-bit constant is none.
bool exists(const Instruction& i);

/// What messages call an instruction: `instruction 3 (r0 = 0)`.
std::string name(const Program& p, std::size_t index);

/// Why the kernel's verifier, or our interpreter, would stop the program: nothing when it reads only what was written or given to
/// it, by all ways and for all packets, ends, and leaves a value. At least as strict as the kernel (kernel/bpf/verifier.c) is for
/// programs without privileges. The message names the instruction.
std::optional<Diagnostic> check(const Program& p);

/// The part of it that needs no registers: every instruction exists, with fields that it can have; jumps stay inside and hit no
/// second half of a constant; every instruction can be reached; no way runs past the end; maps and helpers exist.
std::optional<Diagnostic> check_form(const Program& p);

/// Reads what to_string writes, what bpftool prints (`prog dump xlated`), and the lines of instructions of llvm-objdump: an
/// instruction a line, a number and a colon before it or not, jumps to `pc+5` or to labels (`name:`), comments behind `;`. The
/// hook is Socket: no text says it. Spans are the places in the text, as those of errors.
Result<Program> read_text(std::string_view text);

/// The name of a hook on the command line, and back.
std::string_view to_string(Hook hook);
std::optional<Hook> find_hook(std::string_view name);

/// What a program of the hook may return, by its word (actions.def), and all the words.
std::optional<std::int32_t> find_action(Hook hook, std::string_view word);
std::vector<std::string_view> action_words(Hook hook);

}  // namespace weir::ebpf
