// Native code of a filter: machine instructions as bytes, for any CPU that there is an encoder for, and in memory of their own,
// which is first written and then run, never both. Any number of threads may run one Code at a time. Tested by tests/unit/native/.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/packet.hpp"
#include "base/result.hpp"
#include "base/span.hpp"

namespace weir::native {

/// CPUs that code is made for.
enum class Cpu : std::uint8_t { X86_64, AArch64 };

/// The one that this process runs on; nothing for others.
constexpr std::optional<Cpu> host_cpu() {
#if defined(__x86_64__)
  return Cpu::X86_64;
#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  return Cpu::AArch64;
#else
  return std::nullopt;
#endif
}

/// Instructions beyond those that every CPU of a kind has, which a loop may be made of: for eight packets at once.
enum class Vectors : std::uint8_t { None, Avx2 };

/// Those that this CPU and its system have.
Vectors host_vectors();

/// Pages of this process that hold code. Empty when default constructed or moved from.
class ExecutableMemory {
 public:
  ExecutableMemory() = default;
  /// Copies the bytes into new pages that may be run and read, but no longer written. System where the kernel refuses:
  /// no memory, or a policy against code that was written at run time (SELinux, PR_SET_MDWE, seccomp).
  static Result<ExecutableMemory> of(std::span<const std::uint8_t> bytes);

  ExecutableMemory(ExecutableMemory&& other) noexcept;
  ExecutableMemory& operator=(ExecutableMemory&& other) noexcept;
  ~ExecutableMemory();

  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;  ///< as asked for; the pages may be longer
};

/// What the code is called with: the captured bytes, their number, the length on the wire, what the kernel knows.
using Function = std::uint32_t (*)(const std::uint8_t* packet, std::size_t captured, std::uint32_t length, const Metadata* meta);

/// From this byte of the code on, up to the next mark, it does what these words of the filter say.
struct Mark {
  std::size_t offset = 0;
  Span span;
};

/// A filter's code as bytes, which run wherever they are loaded (at a multiple of 64, for tables lie in cache lines).
struct Encoded {
  Cpu cpu{};
  std::vector<std::uint8_t> bytes;     ///< instructions, and behind them tables of sets
  std::size_t instruction_bytes = 0;
  std::vector<Mark> marks;             ///< ascending

  std::span<const std::uint8_t> instructions() const { return std::span(bytes).first(instruction_bytes); }
  std::span<const std::uint8_t> tables() const { return std::span(bytes).subspan(instruction_bytes); }
};

/// Encoded for this CPU, as a function: the same value for every packet as ir::evaluate of the graph that it was made of.
class Code {
 public:
  Code(ExecutableMemory memory, std::size_t instructions, std::vector<Mark> marks)
      : memory_(std::move(memory)), instruction_bytes_(instructions), marks_(std::move(marks)) {}

  std::uint32_t run(const Packet& packet) const {
    return function()(packet.bytes.data(), packet.bytes.size(), packet.length, &packet.meta);
  }
  Function function() const { return reinterpret_cast<Function>(reinterpret_cast<std::uintptr_t>(memory_.data())); }

  std::span<const std::uint8_t> instructions() const { return {memory_.data(), instruction_bytes_}; }
  /// Tables of sets, which lie behind the instructions.
  std::span<const std::uint8_t> tables() const { return {memory_.data() + instruction_bytes_, memory_.size() - instruction_bytes_}; }
  std::span<const Mark> marks() const { return marks_; }

 private:
  ExecutableMemory memory_;
  std::size_t instruction_bytes_;
  std::vector<Mark> marks_;  ///< ascending
};

/// Bytes and assembly, each group of instructions under a comment with the words of the filter it came from. `filter` is
/// the text that the spans point into.
std::string to_string(const Encoded& code, std::string_view filter);
std::string to_string(const Code& code, std::string_view filter);

}  // namespace weir::native
