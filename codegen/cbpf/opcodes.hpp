// The instructions of classic BPF as data: the rows of opcodes.def.
#pragma once
#include <array>
#include <cstdint>
#include <iterator>

#include "base/packet.hpp"
#include "cbpf/program.hpp"

namespace weir::cbpf {

/// How an instruction's operand is written.
enum class Operand : std::uint8_t {
  Nothing,
  Number,     ///< #7
  HexNumber,  ///< #0x7
  Absolute,   ///< [7]
  Indirect,   ///< [x + 7]
  Nibble,     ///< 4*([7]&0xf), the header length of IPv4
  Word,       ///< M[7], a scratch word
  Length,     ///< #pktlen
  IndexX,     ///< x
  Target,     ///< the instruction that `ja` goes to
  Result,     ///< the accumulator, which `ret` returns
};

/// What has to hold for an operand, so that the machines take the instruction.
enum class Demand : std::uint8_t {
  None,
  Known,    ///< when it is an offset of metadata, one that the kernel has
  Scratch,  ///< a scratch word that exists
  NonZero,  ///< a divisor
  Shift,    ///< less than 32
  Jump,     ///< k leads to an instruction
  Branch,   ///< jt and jf lead to instructions
};

namespace rows {
using namespace op;

/// The value of an enumerator is the instruction's code.
enum class Opcode : std::uint16_t {
#define WEIR_CBPF(name, code, word, operand, demand, ebpf) name = (code),
#include "cbpf/opcodes.def"
#undef WEIR_CBPF
};
}  // namespace rows
using rows::Opcode;

struct Row {
  Opcode code;
  const char* word;
  Operand operand;
  Demand demand;
  std::uint32_t ebpf;  ///< the most eBPF instructions that the kernel makes of it
};

inline constexpr Row instruction_rows[] = {
#define WEIR_CBPF(name, code, word, operand, demand, ebpf) \
  {Opcode::name, word, Operand::operand, Demand::demand, ebpf},
#include "cbpf/opcodes.def"
#undef WEIR_CBPF
};

/// By code: the place of its row, behind all rows where there is no such instruction.
inline constexpr auto row_places = [] {
  std::array<std::uint8_t, 0x100> places{};
  places.fill(std::size(instruction_rows));
  for (std::size_t i = 0; i < std::size(instruction_rows); ++i)
    places.at(static_cast<std::size_t>(instruction_rows[i].code)) = static_cast<std::uint8_t>(i);
  return places;
}();

/// The row of a code; nullptr when there is no such instruction.
constexpr const Row* row(std::uint16_t code) {
  const std::size_t place = code < row_places.size() ? row_places[code] : std::size(instruction_rows);
  return place < std::size(instruction_rows) ? &instruction_rows[place] : nullptr;
}

/// One kind of metadata, as metadata.def has it.
struct MetadataRow {
  std::uint32_t offset;  ///< that a load names
  const char* word;      ///< in tcpdump's listings
  std::uint16_t size;    ///< of our loads: op::W, op::H or op::B
  const char* name;      ///< of the offset, in assembly text; may be empty
};

inline constexpr MetadataRow metadata_rows[] = {
#define WEIR_METADATA(offset, word, size, name) {meta_offset + offset, word, op::size, name},
#include "cbpf/metadata.def"
#undef WEIR_METADATA
};

/// The row of an absolute offset; nullptr when it is none of metadata.
constexpr const MetadataRow* metadata(std::uint32_t offset) {
  for (const MetadataRow& r : metadata_rows)
    if (r.offset == offset) return &r;
  return nullptr;
}

}  // namespace weir::cbpf
