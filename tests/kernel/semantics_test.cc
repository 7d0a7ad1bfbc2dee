// Random eBPF programs of arithmetic, jumps, stack memory, atomic operations, byte swaps and calls return the same from the running kernel
// (BPF_PROG_TEST_RUN) as from our machine.
#include <bpf/bpf.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <map>
#include <set>

#include "../unit/ebpf/random_program.hpp"
#include "attach/descriptor.hpp"
#include "attach/load.hpp"
#include "attach/map.hpp"
#include "attach/options.hpp"
#include "vm/ebpf.hpp"

using namespace weir;
using namespace ebpf::op;
using ebpf::Instruction;
using ebpf::make;

namespace {

constexpr std::uint32_t link_header = 14;  // a test run takes it off a socket filter's packet

class RandomArithmetic {
 public:
  explicit RandomArithmetic(std::uint64_t seed) : random_(seed) {}

  ebpf::Program program() {
    code_.clear();
    calls_.clear();
    prologue();
    const std::size_t end = code_.size() + 4 + random_.below(40);
    while (code_.size() < end) instruction(10, end);
    epilogue();
    if (!calls_.empty()) function();
    ebpf::Program p;
    p.instructions = code_;
    return p;
  }

 private:
  static std::uint8_t code(unsigned parts) { return static_cast<std::uint8_t>(parts); }
  void put(Instruction i) { code_.push_back(i); }

  void wide_constant(unsigned r) {
    put(make(LD | IMM | DW, r, 0, 0, random_.number()));
    put(make(0, 0, 0, 0, random_.below(2) ? random_.number() : -static_cast<std::int32_t>(random_.below(2))));
  }

  /// r9 is 0, which the verifier does not know; so it knows no other register, either.
  void prologue() {
    put(make(LDX | MEM | W, 9, 1, 0, 0));
    put(make(ALU64 | SUB | K, 9, 0, 0, 64 - link_header));
    for (unsigned r = 0; r < 9; ++r) {
      wide_constant(r);
      put(make(ALU64 | ADD | X, r, 9, 0, 0));
    }
    for (int slot = 1; slot <= 8; ++slot)
      put(make(STX | MEM | DW, 10, static_cast<unsigned>(slot - 1), static_cast<std::int16_t>(-8 * slot), 0));
  }

  /// All registers and the stack, in the lower half of r0.
  void epilogue() {
    for (int slot = 1; slot <= 8; ++slot) {
      put(make(ALU64 | MUL | K, 0, 0, 0, 0x01000193));
      put(make(LDX | MEM | DW, 9, 10, static_cast<std::int16_t>(-8 * slot), 0));
      put(make(ALU64 | XOR | X, 0, 9, 0, 0));
    }
    mix(9);
  }
  void mix(unsigned count) {
    for (unsigned r = 1; r < count; ++r) {
      put(make(ALU64 | MUL | K, 0, 0, 0, 0x01000193));
      put(make(ALU64 | XOR | X, 0, r, 0, 0));
    }
    put(make(ALU64 | MOV | X, 1, 0, 0, 0));
    put(make(ALU64 | RSH | K, 1, 0, 0, 32));
    put(make(ALU64 | XOR | X, 0, 1, 0, 0));
    put(make(JMP | EXIT, 0, 0, 0, 0));
  }

  void instruction(unsigned registers, std::size_t end) {
    switch (random_.below(10)) {
      case 0: return jump(registers, end);
      case 1: return memory(registers);
      case 2: return atomic(registers);
      case 3:
        if (registers == 10) return call();
        [[fallthrough]];
      default: return arithmetic(registers);
    }
  }

  void arithmetic(unsigned registers) {
    static constexpr std::uint8_t operations[] = {ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, NEG, MOD, XOR, MOV, ARSH, END};
    const std::uint8_t operation = operations[random_.below(std::size(operations))];
    const bool wide = random_.below(2), from_register = operation != NEG && operation != END && random_.below(2);
    const auto dst = static_cast<unsigned>(random_.below(registers));
    Instruction i = make(code((wide ? ALU64 : ALU) | operation | (from_register ? X : K)), dst, 0, 0, 0);
    if (from_register) i.src = random_.below(registers) & 0xf;
    else if (operation != NEG) i.imm = random_.number();
    if (operation == END) {
      i.imm = 16 << random_.below(3);
      if (!wide && random_.below(2)) i.code |= X;
    }
    if ((operation == DIV || operation == MOD) && random_.below(2)) i.offset = 1;
    if ((operation == DIV || operation == MOD) && !from_register && i.imm == 0) i.imm = -1;
    if (operation == MOV && from_register && random_.below(2)) i.offset = static_cast<std::int16_t>(8 << random_.below(wide ? 3 : 2));
    const bool shifts = operation == LSH || operation == RSH || operation == ARSH;
    if (shifts && !from_register) i.imm &= wide ? 63 : 31;
    put(i);
  }

  void jump(unsigned registers, std::size_t end) {
    static constexpr std::uint8_t relations[] = {JEQ, JGT, JGE, JSET, JNE, JSGT, JSGE, JLT, JLE, JSLT, JSLE};
    const bool from_register = random_.below(2);
    Instruction i =
        make(code((random_.below(2) ? JMP : JMP32) | relations[random_.below(std::size(relations))] | (from_register ? X : K)),
             static_cast<unsigned>(random_.below(registers)), 0,
             static_cast<std::int16_t>(random_.below(std::min<std::size_t>(6, end - code_.size()))), 0);
    if (from_register) i.src = random_.below(registers) & 0xf;
    else i.imm = random_.number();
    put(i);
  }

  void memory(unsigned registers) {
    static constexpr std::uint8_t sizes[] = {B, H, W, DW};
    const std::uint64_t size = random_.below(4), bytes = std::uint64_t{1} << size;
    const auto offset =
        static_cast<std::int16_t>(-static_cast<std::int64_t>(bytes * (1 + random_.below((registers == 10 ? 64 : 8) / bytes))));
    const auto r = static_cast<unsigned>(random_.below(registers));
    switch (random_.below(4)) {
      case 0: return put(make(code(LDX | MEM | sizes[size]), r, 10, offset, 0));
      case 1: return put(make(code(LDX | (size < 3 ? MEMSX : MEM) | sizes[size]), r, 10, offset, 0));
      case 2: return put(make(code(ST | MEM | sizes[size]), 10, 0, offset, random_.number()));
      default: return put(make(code(STX | MEM | sizes[size]), 10, r, offset, 0));
    }
  }

  void atomic(unsigned registers) {
    static constexpr std::int32_t operations[] = {
        ADD, OR, AND, XOR, ADD | 1, OR | 1, AND | 1, XOR | 1, ebpf::atomic_exchange, ebpf::atomic_compare_exchange};
    const bool wide = random_.below(2);
    const std::int64_t bytes = wide ? 8 : 4;
    const auto offset = static_cast<std::int16_t>(
        -bytes * static_cast<std::int64_t>(1 + random_.below(static_cast<std::uint64_t>((registers == 10 ? 64 : 8) / bytes))));
    put(make(code(STX | ATOMIC | (wide ? DW : W)), 10, static_cast<unsigned>(random_.below(registers)), offset,
             operations[random_.below(std::size(operations))]));
  }

  /// The arguments are lost.
  void call() {
    calls_.push_back(code_.size());
    put(make(JMP | CALL, 0, ebpf::call_local, 0, 0));
    for (unsigned r = 1; r <= 5; ++r) put(make(ALU64 | MOV | K, r, 0, 0, random_.number()));
  }

  /// What all calls call, behind the rest.
  void function() {
    for (const std::size_t at : calls_) code_[at].imm = static_cast<std::int32_t>(code_.size() - at - 1);
    put(make(ALU64 | MOV | K, 0, 0, 0, random_.number()));
    put(make(STX | MEM | DW, 10, 1, -8, 0));
    const std::size_t end = code_.size() + 8;
    while (code_.size() < end) instruction(6, end);
    mix(6);
  }

  test::RandomEbpf random_;
  std::vector<Instruction> code_;
  std::vector<std::size_t> calls_;
};

std::string listing(const ebpf::Program& p) {
  std::string text;
  for (std::size_t at = 0; at < p.instructions.size(); ++at)
    text += std::to_string(at) + ": " +
            to_string(p.instructions[at], at + 1 < p.instructions.size() ? p.instructions[at + 1] : Instruction{}) + "\n";
  return text;
}

}  // namespace

TEST_CASE("random programs do the same in the kernel and on our machine") {
  RandomArithmetic random(17);
  const std::array<std::uint8_t, 64> packet = {};
  std::size_t compared = 0, refused = 0, checked = 0;
  std::set<std::uint32_t> values;
  for (int n = 0; n < 10000; ++n) {
    const ebpf::Program p = random.program();
    const auto loaded = attach::Loaded::load(p, {});
    if (!loaded) {
      ++refused;
      CHECK_MESSAGE(refused < 30, loaded.error().message, "\n", listing(p));
      continue;
    }
    checked += !ebpf::check(p);
    auto options = attach::no_options<bpf_test_run_opts>();
    options.data_in = packet.data();
    options.data_size_in = packet.size();
    REQUIRE(bpf_prog_test_run_opts(loaded->descriptor(), &options) == 0);
    const auto ours = vm::EbpfMachine(p).run({std::span(packet).subspan(link_header), packet.size() - link_header});
    INFO(listing(p));
    REQUIRE_MESSAGE(!ours.fault, (ours.fault ? ours.fault->reason : ""));
    REQUIRE(static_cast<std::uint32_t>(ours.value) == options.retval);
    ++compared;
    values.insert(options.retval);
  }
  MESSAGE(compared, " programs compared, ", refused, " refused by the kernel; our checker takes ", checked);
  CHECK(checked >= compared * 9 / 10);
  CHECK(values.size() > compared * 9 / 10);  // whatever goes wrong shows
}

namespace {

/// Loads programs with maps of their own kinds, made once; programs need not be such as weir makes.
class Verifier {
 public:
  Verifier() {
    for (const ebpf::Map& map : test::seed_maps()) {
      auto made = attach::Map::make(map, 0, ebpf::Hook::Socket);
      REQUIRE(made);
      maps_.push_back(std::move(*made));
    }
    for (const attach::Map& map : maps_) descriptors_.push_back(map.descriptor());
    descriptors_.resize(64, -1);  // whatever number a program has there
  }

  /// Its last words; nothing when it takes the program.
  std::optional<std::string> refusal(const ebpf::Program& p) {
    static constexpr bpf_prog_type types[] = {
#define WEIR_HOOK(hook, name, type, attach_type, section, context, packets) type,
#include "ebpf/hooks.def"
#undef WEIR_HOOK
    };
    std::string log(1 << 20, '\0');
    auto options = attach::no_options<bpf_prog_load_opts>();
    options.fd_array = descriptors_.data();
    options.log_level = 1;
    options.log_buf = log.data();
    options.log_size = static_cast<std::uint32_t>(log.size());
    if (p.hook == ebpf::Hook::Xdp) options.prog_flags = BPF_F_XDP_HAS_FRAGS;
    const attach::Descriptor loaded(bpf_prog_load(types[static_cast<std::size_t>(p.hook)], "random", ebpf::licence,
                                                  reinterpret_cast<const bpf_insn*>(p.instructions.data()), p.instructions.size(),
                                                  &options));
    if (loaded) return std::nullopt;
    log.resize(std::strlen(log.c_str()));
    const auto last = attach::last_refusal(log);
    return last.words.empty() ? log.substr(0, 80) : last.words;
  }

 private:
  std::vector<attach::Map> maps_;
  std::vector<int> descriptors_;
};

/// Numbers and places left out, so that like refusals count together.
std::string kind_of(const std::string& words) {
  std::string kind;
  for (const char c : words)
    if (!std::isdigit(static_cast<unsigned char>(c))) kind += c;
    else if (!kind.ends_with('#')) kind += '#';
  return kind;
}

}  // namespace

TEST_CASE("what the kernel's verifier refuses, our checker refuses") {
  Verifier verifier;
  test::RandomEbpf random(23);
  std::size_t both = 0, neither = 0, kernel_only = 0, ours_only = 0;
  std::map<std::string, std::pair<std::size_t, std::string>> too_lenient, too_strict;
  for (int n = 0; n < 3000; ++n) {
    const ebpf::Program p = random.mutant();
    const auto ours = ebpf::check(p);
    const auto theirs = verifier.refusal(p);
    if (theirs.has_value() == ours.has_value()) {
      ++(ours ? neither : both);
    } else if (ours) {
      ++kernel_only;
      auto& [count, example] = too_strict[kind_of(ours->message.substr(ours->message.find(") ") + 2))];
      ++count;
      example = ours->message;
    } else {
      ++ours_only;
      auto& [count, example] = too_lenient[kind_of(*theirs)];
      ++count;
      example = std::string(ebpf::to_string(p.hook)) + "\n" + listing(p);
    }
  }
  MESSAGE(both, " programs taken and ", neither, " refused by both; ", kernel_only, " taken by the kernel only, ", ours_only,
          " by our checker only");
  for (const auto& [why, seen] : too_strict) MESSAGE("refused here only, ", seen.first, ": ", why, ", as ", seen.second);
  for (const auto& [why, seen] : too_lenient) MESSAGE("refused by the kernel only, ", seen.first, ": ", why, "\n", seen.second);
  CHECK(ours_only == 0);
  CHECK(both > 500);
  CHECK(kernel_only * 20 < both + neither);
}
