// ELF files for eBPF (relocatable, little endian): sections, symbols, relocations. Written with libelf.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace weir::ebpf {

struct ElfSection {
  std::string name;
  std::vector<std::uint8_t> bytes;
  bool is_code = false;
  bool is_allocated = true;  ///< loaded; types are not
  bool is_writable = false;
};

struct ElfSymbol {
  std::string name;
  std::size_t section = 0;  ///< number in the list
  std::uint64_t at = 0, bytes = 0;
  bool is_function = false, is_global = true;
};

/// An instruction that waits for a symbol's address.
struct ElfRelocation {
  std::size_t section = 0, instruction = 0, symbol = 0;  ///< numbers in the lists; the instruction's in its section
  bool is_call = false;  ///< otherwise the address goes into a 64-bit constant
};

struct ElfFile {
  std::vector<ElfSection> sections;
  std::vector<ElfSymbol> symbols;
  std::vector<ElfRelocation> relocations;
};

/// The file's bytes. Errors (System): no memory.
Result<std::vector<std::uint8_t>> to_bytes(const ElfFile& file);

}  // namespace weir::ebpf
