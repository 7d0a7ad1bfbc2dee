// Classic BPF programs: the instructions, how they print, and whether a machine takes them.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/packet.hpp"
#include "base/result.hpp"
#include "base/span.hpp"

namespace weir::cbpf {

/// As struct sock_filter (include/uapi/linux/filter.h).
struct Instruction {
  std::uint16_t code = 0;
  std::uint8_t jt = 0;
  std::uint8_t jf = 0;
  std::uint32_t k = 0;
  bool operator==(const Instruction&) const = default;
};

/// The longest program a kernel takes, and the number of its scratch words (linux/bpf_common.h).
inline constexpr std::size_t max_instructions = 4096;
inline constexpr std::uint32_t scratch_words = 16;

// Parts of an instruction's code (linux/bpf_common.h, linux/filter.h).
namespace op {
inline constexpr std::uint16_t
    LD = 0x00, LDX = 0x01, ST = 0x02, STX = 0x03, ALU = 0x04, JMP = 0x05, RET = 0x06, MISC = 0x07,
    W = 0x00, H = 0x08, B = 0x10,
    IMM = 0x00, ABS = 0x20, IND = 0x40, MEM = 0x60, LEN = 0x80, MSH = 0xa0,
    ADD = 0x00, SUB = 0x10, MUL = 0x20, DIV = 0x30, OR = 0x40, AND = 0x50, LSH = 0x60, RSH = 0x70, NEG = 0x80,
    MOD = 0x90, XOR = 0xa0,
    JA = 0x00, JEQ = 0x10, JGT = 0x20, JGE = 0x30, JSET = 0x40,
    K = 0x00, X = 0x08, A = 0x10,
    TAX = 0x00, TXA = 0x80;
}  // namespace op

/// SKF_AD_ALU_XOR_X (linux/filter.h): A ^= X, written as a load.
inline constexpr std::uint32_t xor_x = meta_offset + 40;

struct Program {
  std::vector<Instruction> instructions;
  std::vector<Span> spans;  ///< by instruction: the words of the filter it came from; may be empty; no part of equality
  bool operator==(const Program& other) const { return instructions == other.instructions; }
};

/// Why a machine would refuse the program: nothing when both the kernel (net/core/filter.c, bpf_check_classic)
/// and libpcap (bpf_validate) take it. At least as strict as both; also demands that every instruction exists,
/// that scratch words are written before they are read on every path, that jumps go forward and stay inside, that
/// there are 1 to 4096 instructions and the last one returns, that no constant divides by 0 or shifts by 32 and
/// more. For the kernel a `ret` does not end a path: scratch words must be written on the way past it, too. And no `ja`
/// skips more than 32767 instructions of the eBPF that the kernel makes of the program. The message names the instruction.
std::optional<Diagnostic> check(const Program& p);

/// The part of it that holds for programs of any length on any machine: every instruction exists, with an operand that it can
/// have, jumps go forward and stay inside, and the last one returns.
std::optional<Diagnostic> check_form(const Program& p);

/// What messages call an instruction: `instruction 3 (ldh [12])`.
std::string name(const Program& p, std::size_t index);

enum class Style : std::uint8_t {
  Listing,   ///< tcpdump -d
  CArray,    ///< tcpdump -dd
  Decimal,   ///< tcpdump -ddd
  Json,      ///< {"instructions":[{"code":…,"jt":…,"jf":…,"k":…,"text":"…","begin":…,"end":…}]}
  Bytecode,  ///< "LEN,CODE JT JF K,CODE JT JF K,…" on one line, as `iptables -m bpf` and `tc … bytecode` take it
};
/// Text in tcpdump's formats, byte for byte.
std::string to_string(const Program& p, Style style);

/// Kernel bpf_asm syntax with labels and symbolic names: `#define` lines first, each group of instructions under a
/// comment with the words of the filter it came from. `filter` is the text that the spans point into.
std::string to_assembly(const Program& p, std::string_view filter);

/// One instruction as tcpdump -d writes it, without its number and without the jump columns (`ldh      [12]`); `ja` shows
/// its distance (`ja       +3`).
std::string to_string(const Instruction& i);

/// Reads tcpdump -ddd text: the number of instructions, then "CODE JT JF K" lines; also Bytecode, with commas for the ends of
/// lines. Spans are the places in the text, as those of errors.
Result<Program> read_decimal(std::string_view text);

/// Reads what to_assembly writes and bpf_asm takes: `#define NAME NUMBER` lines are read, names of protocols known without. Spans
/// are the places in the text, as those of errors.
Result<Program> read_assembly(std::string_view text);

/// One of these: what begins with a number is decimal.
Result<Program> read(std::string_view text);

}  // namespace weir::cbpf
