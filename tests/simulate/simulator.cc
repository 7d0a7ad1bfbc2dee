#include "simulator.hpp"

#ifdef VIXL_INCLUDE_SIMULATOR_AARCH64
#include <aarch64/simulator-aarch64.h>
#endif
#include <sys/mman.h>

#include <cstring>
#include <stdexcept>
#include <vector>

namespace weir::simulate {

namespace {

/// Memory that ends where nothing may be read.
class GuardedMemory {
 public:
  GuardedMemory() {
    void* pages = mmap(nullptr, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::runtime_error("no memory for packets");
    begin_ = static_cast<std::uint8_t*>(pages);
    if (mprotect(begin_ + size, page, PROT_NONE) != 0) throw std::runtime_error("no guard behind packets");
  }
  ~GuardedMemory() { munmap(begin_, size + page); }
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  const std::uint8_t* copy(std::span<const std::uint8_t> bytes) {
    if (bytes.size() > size) throw std::runtime_error("a packet that is too long for this test");
    std::uint8_t* to = begin_ + size - bytes.size();
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    return to;
  }

 private:
  static constexpr std::size_t size = 1 << 18, page = 1 << 16;
  std::uint8_t* begin_;
};

}  // namespace

#ifdef VIXL_INCLUDE_SIMULATOR_AARCH64

namespace a64 = ::vixl::aarch64;

namespace {

constexpr unsigned first_kept = 18, last_kept = 29;
constexpr std::uint64_t garbage = 0xfeedbeef00000000;

std::uint64_t number(const void* p) { return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(p)); }

}  // namespace

struct Simulator::Parts {
  a64::Decoder decoder;
  a64::Simulator simulator{&decoder};
  GuardedMemory memory;
};

Simulator::Ran Simulator::run(const native::Encoded& code, const Packet& packet) {
  // The upper half of a length is anything.
  return call(code.bytes.data(),
              {number(parts_->memory.copy(packet.bytes)), packet.bytes.size(), garbage | packet.length, number(&packet.meta)});
}

Simulator::Ran Simulator::run_batch(const native::Encoded& code, const void* packets, std::size_t count, std::uint64_t* verdicts) {
  return call(code.bytes.data(), {number(packets), count, number(verdicts), garbage});
}

Simulator::Ran Simulator::call(const std::uint8_t* code, const std::array<std::uint64_t, 4>& arguments) {
  a64::Simulator& s = parts_->simulator;
  const auto write = [&](unsigned r, std::uint64_t k) { s.WriteXRegister(r, static_cast<std::int64_t>(k), a64::Simulator::NoRegLog); };
  for (unsigned r = 0; r <= last_kept; ++r) write(r, r < arguments.size() ? arguments[r] : garbage + r);
  write(a64::kLinkRegCode, reinterpret_cast<std::uintptr_t>(a64::Simulator::kEndOfSimAddress));
  const std::int64_t stack = s.ReadXRegister(31, a64::Reg31IsStackPointer);
  s.WritePc(reinterpret_cast<const a64::Instruction*>(code), a64::Simulator::NoBranchLog);
  Ran ran;
  for (; s.ReadPc() != a64::Simulator::kEndOfSimAddress; ++ran.instructions) s.ExecuteInstruction();
  ran.result = static_cast<std::uint32_t>(s.ReadWRegister(0));
  for (unsigned r = first_kept; r <= last_kept; ++r)
    if (s.ReadXRegister(r) != static_cast<std::int64_t>(garbage + r)) ran.broken = "x" + std::to_string(r) + " is changed";
  if (s.ReadXRegister(31, a64::Reg31IsStackPointer) != stack) ran.broken = "the stack pointer is changed";
  return ran;
}

#else

struct Simulator::Parts {
  GuardedMemory memory;
  std::vector<std::uint8_t> bytes;  ///< of the code
  native::ExecutableMemory code;
};

namespace {

/// The code in memory that may be run, made when it is not that of the last call.
std::uintptr_t loaded(const native::Encoded& code, std::vector<std::uint8_t>& last, native::ExecutableMemory& memory) {
  if (last != code.bytes) {
    auto fresh = native::ExecutableMemory::of(code.bytes);
    if (!fresh) throw std::runtime_error(fresh.error().message);
    memory = std::move(*fresh);
    last = code.bytes;
  }
  return reinterpret_cast<std::uintptr_t>(memory.data());
}

}  // namespace

Simulator::Ran Simulator::run(const native::Encoded& code, const Packet& packet) {
  const auto function = reinterpret_cast<native::Function>(loaded(code, parts_->bytes, parts_->code));
  Ran ran;
  ran.result = function(parts_->memory.copy(packet.bytes), packet.bytes.size(), packet.length, &packet.meta);
  return ran;
}

Simulator::Ran Simulator::run_batch(const native::Encoded& code, const void* packets, std::size_t count, std::uint64_t* verdicts) {
  using Function = void (*)(const void*, std::size_t, std::uint64_t*);
  reinterpret_cast<Function>(loaded(code, parts_->bytes, parts_->code))(packets, count, verdicts);
  return {};
}

#endif

Simulator::Simulator() : parts_(std::make_unique<Parts>()) {}
Simulator::~Simulator() = default;
Simulator::Simulator(Simulator&&) noexcept = default;
Simulator& Simulator::operator=(Simulator&&) noexcept = default;

}  // namespace weir::simulate
