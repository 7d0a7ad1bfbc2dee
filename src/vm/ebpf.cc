// RFC 9669; where it leaves things open, kernel/bpf/core.c (___bpf_prog_run), net/core/filter.c (bpf_gen_ld_abs and its helpers)
// and what the verifier lets a program rely on. Tested by tests/unit/vm/ebpf_test.cc, and by tests/kernel/ebpf_semantics_test
// against the running kernel.
#include "vm/ebpf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>

#include "ebpf/arithmetic.hpp"
#include "ebpf/decode.hpp"
#include "vm/ebpf_helpers.hpp"

namespace weir::vm {
namespace {

using ebpf::Access;
using ebpf::Instruction;
namespace op = ebpf::op;

constexpr std::uint32_t frame_pointer = 10, kept_first = 6, kept_count = 4;
constexpr std::uint16_t arguments_mask = 0x3e;  // r1 to r5

/// SKF_NET_OFF and SKF_LL_OFF (include/uapi/linux/filter.h).
constexpr std::int64_t network_start = -0x100000, link_start = -0x200000;

/// What a function's caller gets back when it returns.
struct Caller {
  std::array<std::uint64_t, kept_count> registers;
  std::uint16_t written;
  std::size_t next;
};

class Run {
 public:
  Run(const ebpf::Program& program, const std::vector<bool>& exists, std::span<EbpfMap> maps, const Packet& packet,
      const EbpfSetting& setting)
      : code_(program.instructions),
        exists_(exists),
        hook_(program.hook),
        setting_(setting),
        memory_(program, maps, packet, setting),
        helpers_(memory_, setting) {
    set(1, address::context);
    set(frame_pointer, memory_.frame_end());
  }

  EbpfResult finish(const std::function<void(const EbpfStep&)>& trace) {
    while (!ended_ && !result_.fault) {
      if (result_.steps == setting_.most_steps) stop(fmt::format("does not end: {} instructions have been executed", result_.steps));
      else if (at_ >= code_.size()) stop("is behind the end of the program");
      else step(trace);
    }
    if (result_.fault) result_.value = 0;
    return result_;
  }

 private:
  void step(const std::function<void(const EbpfStep&)>& trace) {
    const std::size_t here = at_;
    const Instruction& i = code_[here];
    next_ = here + 1;
    if (!exists_[here]) return stop("is no instruction");
    ++result_.steps;
    if (is_arithmetic(i)) arithmetic(i);
    else if (is_jump(i)) jump(i);
    else memory(i);
    if (result_.fault) return;
    at_ = next_;
    if (trace) trace({here, registers_, written_, memory_.depth()});
  }

  void stop(std::string reason) { result_.fault = EbpfFault{at_, std::move(reason)}; }

  std::uint64_t get(unsigned r) {
    if (!(written_ >> r & 1) && !result_.fault) stop(fmt::format("reads r{}, which nothing was written to", r));
    return registers_[r];
  }
  void set(unsigned r, std::uint64_t value) {
    registers_[r] = value;
    written_ = static_cast<std::uint16_t>(written_ | 1u << r);
  }
  /// The destination of an instruction: not the frame pointer.
  void put(unsigned r, std::uint64_t value) {
    if (r == frame_pointer) return stop("writes to r10, which always points to the end of the stack");
    set(r, value);
  }
  void forget(std::uint16_t mask) { written_ = static_cast<std::uint16_t>(written_ & ~mask); }

  void arithmetic(const Instruction& i) {
    const std::uint8_t operation = ebpf::operation(i);
    const std::uint64_t a = operation == op::MOV ? 0 : get(i.dst);
    if (operation == op::END) return put(i.dst, byte_swapped(i, a));
    const std::uint64_t b = takes_register(i) ? get(i.src) : static_cast<std::uint64_t>(std::int64_t{i.imm});
    if (class_of(i) == op::ALU64) return put(i.dst, ebpf::arithmetic<std::uint64_t>(operation, i.offset, a, b));
    put(i.dst, ebpf::arithmetic<std::uint32_t>(operation, i.offset, static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b)));
  }

  void jump(const Instruction& i) {
    if (is_exit(i)) return leave(get(0));
    if (is_call(i)) return is_local_call(i) ? enter(i) : call(i);
    if (is_always(i)) return go(i);
    const std::uint64_t a = get(i.dst);
    const std::uint64_t b = takes_register(i) ? get(i.src) : static_cast<std::uint64_t>(std::int64_t{i.imm});
    const bool taken = class_of(i) == op::JMP ? ebpf::holds<std::uint64_t>(operation(i), a, b)
                                              : ebpf::holds<std::uint32_t>(operation(i), static_cast<std::uint32_t>(a),
                                                                           static_cast<std::uint32_t>(b));
    if (taken) go(i);
  }

  void go(const Instruction& i) {
    const std::int64_t target = static_cast<std::int64_t>(at_) + 1 + distance(i);
    if (target < 0 || target >= static_cast<std::int64_t>(code_.size())) return stop("jumps out of the program");
    next_ = static_cast<std::size_t>(target);
  }

  void enter(const Instruction& i) {
    Caller caller{{}, written_, next_};
    std::copy_n(registers_.begin() + kept_first, kept_count, caller.registers.begin());
    if (!memory_.enter()) return stop(fmt::format("calls deeper than {} functions", ebpf::call_depth));
    callers_.push_back(caller);
    forget(static_cast<std::uint16_t>(0x3c1));  // r0, r6 to r9
    set(frame_pointer, memory_.frame_end());
    go(i);
  }

  void leave(std::uint64_t value) {
    if (result_.fault) return;
    if (callers_.empty()) {
      result_.value = value;
      ended_ = true;
      return;
    }
    const Caller& caller = callers_.back();
    memory_.leave();
    std::copy_n(caller.registers.begin(), kept_count, registers_.begin() + kept_first);
    written_ = caller.written;
    forget(arguments_mask);
    next_ = caller.next;
    callers_.pop_back();
    set(0, value);
    set(frame_pointer, memory_.frame_end());
  }

  void call(const Instruction& i) {
    const auto* const row = ebpf::find_helper(i.imm);
    if (!row || !has(*row, hook_)) return stop("calls a function that programs of this hook do not have here");
    std::array<std::uint64_t, 5> arguments{};
    for (unsigned n = 0; n < arguments.size() && row->arguments[n] != ebpf::Argument::None; ++n) arguments[n] = get(n + 1);
    if (result_.fault) return;
    const Called called = helpers_.call(row->helper, arguments);
    if (!called.problem.empty()) return stop(std::string(called.problem));
    forget(arguments_mask);
    set(0, called.value);
  }

  void memory(const Instruction& i) {
    switch (class_of(i)) {
      case op::LD: return mode(i) == op::IMM ? constant(i) : packet_load(i);
      case op::LDX: return load(i);
      case op::ST: return store(i, static_cast<std::uint64_t>(std::int64_t{i.imm}));
      default: return mode(i) == op::ATOMIC ? atomic(i) : store(i, get(i.src));
    }
  }

  void constant(const Instruction& i) {
    if (at_ + 1 == code_.size()) return stop("lacks its second half");
    const Instruction& high = code_[at_ + 1];
    next_ = at_ + 2;
    if (i.src == 0) return put(i.dst, wide_constant(i, high));
    const std::uint64_t map = address::maps + static_cast<std::uint32_t>(i.imm) * address::apart;
    if (!memory_.map_of(map)) return stop(fmt::format("refers to map {}, which the program does not have", i.imm));
    const bool wants_value = i.src == ebpf::map_value_index || i.src == ebpf::map_value_descriptor;
    put(i.dst, wants_value ? memory_.value_address(map, 0) + static_cast<std::uint32_t>(high.imm) : map);
  }

  std::int64_t context_offset(std::uint64_t address) const { return static_cast<std::int64_t>(address - address::context); }
  static bool is_context(std::uint64_t address) { return address >> 32 == address::context >> 32; }

  void load(const Instruction& i) {
    const std::uint64_t address = get(i.src) + static_cast<std::uint64_t>(std::int64_t{i.offset});
    if (result_.fault) return;
    const std::uint32_t size = bytes_of(i);
    std::uint64_t value = 0;
    if (is_context(address)) {
      const auto field = memory_.load_context(context_offset(address), size);
      if (!field)
        return stop(fmt::format("reads {} bytes at offset {} of the context, which this hook does not have", size,
                                context_offset(address)));
      value = *field;
    } else {
      const Place place = memory_.at(address, size, Access::Read);
      if (!place.bytes) return stop(fmt::format("reads {} bytes at {:#x}, which {}", size, address, place.problem));
      std::memcpy(&value, place.bytes, size);
    }
    put(i.dst, mode(i) == op::MEMSX ? ebpf::sign_extended(value, static_cast<int>(size) * 8) : value);
  }

  /// Bytes to write to, or none and a fault.
  std::uint8_t* writable(std::uint64_t address, std::uint32_t size) {
    if (result_.fault) return nullptr;
    const Place place = memory_.at(address, size, Access::Write);
    if (!place.bytes) stop(fmt::format("writes {} bytes at {:#x}, which {}", size, address, place.problem));
    return place.bytes;
  }

  void store(const Instruction& i, std::uint64_t value) {
    const std::uint64_t address = get(i.dst) + static_cast<std::uint64_t>(std::int64_t{i.offset});
    const std::uint32_t size = bytes_of(i);
    if (result_.fault) return;
    if (is_context(address)) {
      if (!memory_.store_context(context_offset(address), size, value))
        stop(fmt::format("writes {} bytes at offset {} of the context, which this hook does not permit", size, context_offset(address)));
      return;
    }
    if (std::uint8_t* const bytes = writable(address, size)) std::memcpy(bytes, &value, size);
  }

  void atomic(const Instruction& i) {
    const std::uint64_t address = get(i.dst) + static_cast<std::uint64_t>(std::int64_t{i.offset});
    const std::uint32_t size = bytes_of(i);
    const std::uint64_t operand = get(i.src), expected = i.imm == ebpf::atomic_compare_exchange ? get(0) : 0;
    if (result_.fault) return;
    if (const Place there = memory_.at(address, size, Access::Read); !there.bytes)
      return stop(fmt::format("reads {} bytes at {:#x}, which {}", size, address, there.problem));
    std::uint8_t* const bytes = writable(address, size);
    if (!bytes) return;
    std::uint64_t old = 0;
    std::memcpy(&old, bytes, size);
    const std::uint64_t value = changed(i, old, operand, expected, size);
    std::memcpy(bytes, &value, size);
    if (i.imm == ebpf::atomic_compare_exchange) put(0, old);
    else if (i.imm & ebpf::atomic_fetch) put(i.src, old);  // also of an exchange
  }

  static std::uint64_t changed(const Instruction& i, std::uint64_t old, std::uint64_t operand, std::uint64_t expected, std::uint32_t size) {
    if (i.imm == ebpf::atomic_exchange) return operand;
    if (i.imm == ebpf::atomic_compare_exchange) return old == ebpf::cut(expected, static_cast<std::int32_t>(size) * 8) ? operand : old;
    return ebpf::arithmetic<std::uint64_t>(static_cast<std::uint8_t>(i.imm & ~ebpf::atomic_fetch), 0, old, operand);
  }

  /// LD_ABS and LD_IND: r6 is the context, the value comes in host order into r0, r1 to r5 are lost. What is not there ends the
  /// function with 0.
  void packet_load(const Instruction& i) {
    if (!has_packet_loads(hook_)) return stop("loads from the packet in a way that this hook does not have");
    if (get(6) != address::context) return stop("wants the context in r6");
    const std::uint64_t base = mode(i) == op::IND ? get(i.src) : 0;
    if (result_.fault) return;
    const auto offset = static_cast<std::int32_t>(static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(i.imm));
    const auto bytes = packet_bytes(offset, bytes_of(i));
    forget(arguments_mask);
    if (bytes.empty()) return leave(0);
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes) value = value << 8 | byte;
    set(0, value);
  }

  /// Negative offsets count from headers, and find the linear part alone (bpf_internal_load_pointer_neg_helper).
  std::span<const std::uint8_t> packet_bytes(std::int64_t offset, std::uint32_t size) const {
    std::int64_t end = static_cast<std::int64_t>(memory_.packet().size());
    if (offset < 0) {
      if (offset < link_start) return {};
      offset = offset >= network_start ? offset - network_start + setting_.network_header : offset - link_start + setting_.link_header;
      end = static_cast<std::int64_t>(memory_.linear());
    }
    if (offset < 0 || offset + size > end) return {};
    return memory_.packet().subspan(static_cast<std::size_t>(offset), size);
  }

  const std::vector<Instruction>& code_;
  const std::vector<bool>& exists_;
  ebpf::Hook hook_;
  const EbpfSetting& setting_;
  EbpfMemory memory_;
  EbpfHelpers helpers_;
  std::array<std::uint64_t, 11> registers_{};
  std::uint16_t written_ = 0;
  std::vector<Caller> callers_;
  std::size_t at_ = 0, next_ = 0;
  bool ended_ = false;
  EbpfResult result_;
};

/// Puts the offsets of our structures where the program names fields.
void place_fields(ebpf::Program& program) {
  for (const ebpf::FieldUse& use : program.fields) {
    if (use.instruction >= program.instructions.size()) continue;
    Instruction& i = program.instructions[use.instruction];
    const std::uint32_t offset = offset_of(use.field);
    if (is_arithmetic(i)) i.imm = static_cast<std::int32_t>(offset);
    else i.offset = static_cast<std::int16_t>(offset);
  }
}

}  // namespace

struct EbpfMachine::State {
  ebpf::Program program;
  std::vector<bool> exists;  ///< of each instruction, whether it is one: asked once, not at each step
  std::vector<EbpfMap> maps;
  std::string problem;  ///< why it cannot run at all
};

EbpfMachine::EbpfMachine(ebpf::Program program) : state_(std::make_unique<State>()) {
  state_->program = std::move(program);
  place_fields(state_->program);
  std::ranges::transform(state_->program.instructions, std::back_inserter(state_->exists), ebpf::exists);
  for (const ebpf::Map& map : state_->program.maps) {
    if (auto why = problem_with(map); !why.empty()) state_->problem = fmt::format("map '{}' {}", map.name, why);
    else if (state_->problem.empty()) state_->maps.emplace_back(map);
  }
}
EbpfMachine::EbpfMachine(EbpfMachine&&) noexcept = default;
EbpfMachine& EbpfMachine::operator=(EbpfMachine&&) noexcept = default;
EbpfMachine::~EbpfMachine() = default;

EbpfResult EbpfMachine::run(const Packet& packet, const EbpfSetting& setting, const std::function<void(const EbpfStep&)>& trace) {
  if (!state_->problem.empty()) return {0, 0, EbpfFault{0, state_->problem}};
  return Run(state_->program, state_->exists, state_->maps, packet, setting).finish(trace);
}

std::optional<std::vector<std::uint8_t>> EbpfMachine::value(std::size_t map, std::span<const std::uint8_t> key) const {
  if (map >= state_->maps.size() || key.size() != state_->maps[map].key_bytes()) return std::nullopt;
  const EbpfMap& m = state_->maps[map];
  const auto slot = m.find(key);
  if (!slot) return std::nullopt;
  const auto bytes = m.values().subspan(*slot * m.value_bytes(), m.value_bytes());
  return std::vector(bytes.begin(), bytes.end());
}

const ebpf::Program& EbpfMachine::program() const { return state_->program; }

}  // namespace weir::vm
