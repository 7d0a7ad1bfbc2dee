// Whether two programs accept the same packets: for all packets, of every length and with all metadata. What comes in are two
// programs of any stage; what comes out is a proof's duration, a packet that tells them apart (replayed through both
// engines first), or why neither was found.
//
// Both programs become formulas (meaning.hpp); first as decision diagrams, in which tests against constants are
// intervals, and which mostly come out equal; what is left of a difference is put to Z3. Tested by tests/unit/prove/ and,
// on all filters there are, by tests/prove/.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/packet.hpp"
#include "base/result.hpp"
#include "cbpf/program.hpp"
#include "ebpf/program.hpp"
#include "ir/program.hpp"
#include "pred/filter.hpp"
#include "vm/cbpf.hpp"

namespace weir::prove {

/// A program of any stage; not owned. eBPF knows but one length of a packet, and is given all of it: with such a program, what is
/// captured and what was on the wire are the same, and Whole means Exact. Its maps are the sets that they are filled with.
using Program = std::variant<const pred::Filter*, const ir::Program*, const cbpf::Program*, const ebpf::Program*>;

enum class Agreement : std::uint8_t {
  Whole,    ///< the same of packets of which nothing is cut off: what either asks for is there
  Exact,    ///< the same at every captured length
  Refines,  ///< the second loses no packet that the first accepts, and accepts none that the first would not accept whole
};

struct Question {
  Agreement agreement = Agreement::Whole;
  bool libpcap = true;       ///< classic BPF runs on libpcap's machine
  bool kernel = true;        ///< … and on the kernel's
  bool kept_bytes = false;   ///< accepted packets must also be kept to the same length
  bool real_lengths = true;  ///< no more is captured of a packet than its length on the wire
  bool intervals = true;     ///< use decision diagrams (false: leave everything to Z3)
  double seconds = 10;       ///< when to give up
};

struct Proven {};

struct Counterexample {
  std::vector<std::uint8_t> bytes;  ///< those that are captured
  std::uint32_t length = 0;         ///< on the wire
  std::uint32_t linear = 0;         ///< eBPF: how many of them packet pointers reach
  Metadata meta;
  vm::Machine machine = vm::Machine::Kernel;     ///< on which classic BPF was run
  std::uint32_t first = 0, second = 0;           ///< what the programs return; 0: reject
  bool first_whole = false;                      ///< the first accepts it neither cut nor whole: it was run on the whole packet
};

struct Undecided {
  std::string why;
  bool more_time = false;  ///< may decide it
  bool own_fault = false;  ///< a difference was found that replaying does not confirm: an error of this library
};

struct Answer {
  std::variant<Proven, Counterexample, Undecided> is;
  double seconds = 0;
};

/// Throws nothing but std::bad_alloc. Safe on any number of threads.
Answer prove(const Program& first, const Program& second, const Question& question = {});

/// What a program returns for a packet; eBPF: 0 where it rejects, 1 where its verdict is no number of bytes. `linear`: how many
/// bytes packet pointers reach.
std::uint32_t run(const Program& program, const Packet& packet, vm::Machine machine, std::uint32_t linear = 0xffffffff);

/// Classic BPF as cbpf::read has it: as tcpdump -ddd prints it, or in the syntax of bpf_asm. The spans lie in the text.
Result<cbpf::Program> read_bytecode(std::string_view text);

}  // namespace weir::prove
