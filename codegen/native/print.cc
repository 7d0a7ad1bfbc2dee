#include <Zydis/Zydis.h>
#include <aarch64/disasm-aarch64.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "native/code.hpp"

namespace weir::native {
namespace {

constexpr std::size_t bytes_a_line = 10;  ///< most instructions fit; longer ones push their text to the right

std::string line(std::size_t offset, std::span<const std::uint8_t> bytes, std::string_view text) {
  std::string hex;
  for (const std::uint8_t b : bytes) hex += fmt::format("{:02x} ", b);
  return fmt::format("{:6x}:  {:<{}} {}\n", offset, hex, bytes_a_line * 3, text);
}

std::string comment(Span span, std::string_view filter) {
  if (span.end > filter.size() || span.begin > span.end) return {};
  return fmt::format("; {}\n", filter.substr(span.begin, span.end - span.begin));
}

/// An instruction as text, and how many bytes it has; nothing for bytes that are none.
struct Instruction {
  std::size_t size;
  std::string text;
};

std::optional<Instruction> of_x86_64(std::span<const std::uint8_t> bytes, std::size_t at) {
  ZydisDisassembledInstruction instruction;
  // Addresses count from the beginning of the code, so that listings do not depend on where it lies.
  if (!ZYAN_SUCCESS(ZydisDisassembleIntel(ZYDIS_MACHINE_MODE_LONG_64, at, bytes.data() + at, bytes.size() - at, &instruction)))
    return std::nullopt;
  return Instruction{instruction.info.length, instruction.text};
}

/// The reader of a CPU's instructions.
using Reader = std::function<std::optional<Instruction>(std::span<const std::uint8_t> bytes, std::size_t at)>;

Reader for_aarch64() {
  namespace a64 = ::vixl::aarch64;
  struct Tools {
    a64::Decoder decoder;
    a64::Disassembler text;
  };
  const auto tools = std::make_shared<Tools>();
  tools->decoder.AppendVisitor(&tools->text);
  return [tools](std::span<const std::uint8_t> bytes, std::size_t at) -> std::optional<Instruction> {
    if (bytes.size() - at < a64::kInstructionSize) return std::nullopt;
    tools->text.MapCodeAddress(0, reinterpret_cast<const a64::Instruction*>(bytes.data()));
    tools->decoder.Decode(reinterpret_cast<const a64::Instruction*>(bytes.data() + at));
    return Instruction{a64::kInstructionSize, tools->text.GetOutput()};
  };
}

Reader reader_for(Cpu cpu) {
  switch (cpu) {
    case Cpu::X86_64: return of_x86_64;
    case Cpu::AArch64: return for_aarch64();
  }
  return [](auto, auto) { return std::nullopt; };
}

std::string listing(Cpu cpu, std::span<const std::uint8_t> bytes, std::size_t table_bytes, std::span<const Mark> marks,
                    std::string_view filter) {
  std::string text;
  const Reader instruction = reader_for(cpu);
  auto mark = marks.begin();
  for (std::size_t at = 0; at < bytes.size();) {
    for (; mark != marks.end() && mark->offset <= at; ++mark) text += comment(mark->span, filter);
    const auto next = instruction(bytes, at).value_or(Instruction{1, "(no instruction)"});
    text += line(at, bytes.subspan(at, next.size), next.text);
    at += next.size;
  }
  if (table_bytes != 0) text += fmt::format("; tables of sets: {} bytes\n", table_bytes);
  return text;
}

}  // namespace

std::string to_string(const Encoded& code, std::string_view filter) {
  return listing(code.cpu, code.instructions(), code.tables().size(), code.marks, filter);
}

std::string to_string(const Code& code, std::string_view filter) {
  constexpr auto cpu = host_cpu();
  return cpu ? listing(*cpu, code.instructions(), code.tables().size(), code.marks(), filter) : std::string();
}

}  // namespace weir::native
