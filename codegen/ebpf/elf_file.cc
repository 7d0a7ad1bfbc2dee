#include "ebpf/elf_file.hpp"

#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <numeric>
#include <utility>

#include "ebpf/program.hpp"

namespace weir::ebpf {
namespace {

// ELF relocations of eBPF (Documentation/bpf/llvm_reloc.rst).
constexpr std::uint32_t relocate_constant = 1, relocate_call = 10;  // R_BPF_64_64, R_BPF_64_32

/// Strings one behind the other, each with its end.
class Strings {
 public:
  std::uint32_t add(const std::string& text) {
    const auto at = static_cast<std::uint32_t>(bytes_.size());
    bytes_.insert(bytes_.end(), text.c_str(), text.c_str() + text.size() + 1);
    return at;
  }
  std::vector<std::uint8_t>& bytes() { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_ = {0};
};

/// libelf keeps pointers to what it writes until it has done so: `kept` holds them.
class Writer {
 public:
  explicit Writer(const ElfFile& file) : file_(file) {}

  bool write(int descriptor) {
    elf_version(EV_CURRENT);
    elf_ = elf_begin(descriptor, ELF_C_WRITE, nullptr);
    const bool done = elf_ != nullptr && begin() && content() && elf_update(elf_, ELF_C_WRITE) >= 0;
    elf_end(elf_);
    return done;
  }

 private:
  bool begin() {
    if (!gelf_newehdr(elf_, ELFCLASS64)) return false;
    GElf_Ehdr header;
    if (!gelf_getehdr(elf_, &header)) return false;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_REL;
    header.e_machine = EM_BPF;
    header.e_version = EV_CURRENT;
    return gelf_update_ehdr(elf_, &header) != 0;
  }

  /// Sections of the file first, so that their numbers are those in the list and one: then relocations, symbols, strings.
  bool content() {
    order_symbols();
    const std::size_t count = file_.sections.size();
    std::vector<std::size_t> relocated;
    for (std::size_t s = 0; s < count; ++s)
      if (std::ranges::any_of(file_.relocations, [&](const ElfRelocation& r) { return r.section == s; })) relocated.push_back(s);
    const std::size_t symbols = 1 + count + relocated.size(), strings = symbols + 1;
    for (const ElfSection& s : file_.sections) {
      const std::uint64_t flags = (s.is_allocated ? SHF_ALLOC : 0u) | (s.is_code ? SHF_EXECINSTR : 0u) | (s.is_writable ? SHF_WRITE : 0u);
      if (!section(s.name, SHT_PROGBITS, flags, s.bytes, ELF_T_BYTE, 8)) return false;
    }
    for (const std::size_t s : relocated) {
      if (!section(".rel" + file_.sections[s].name, SHT_REL, 0, relocations_of(s), ELF_T_REL, 8,
                   static_cast<std::uint32_t>(symbols), static_cast<std::uint32_t>(s + 1)))
        return false;
    }
    const std::uint32_t first_global = 1 + static_cast<std::uint32_t>(std::ranges::count(file_.symbols, false, &ElfSymbol::is_global));
    if (!section(".symtab", SHT_SYMTAB, 0, symbol_table(), ELF_T_SYM, 8, static_cast<std::uint32_t>(strings), first_global)) return false;
    const std::uint32_t name = strings_.add(".strtab");
    if (!section_named(name, SHT_STRTAB, 0, strings_.bytes(), ELF_T_BYTE, 1, 0, 0)) return false;
    GElf_Ehdr header;
    if (!gelf_getehdr(elf_, &header)) return false;
    header.e_shstrndx = static_cast<std::uint16_t>(strings);
    return gelf_update_ehdr(elf_, &header) != 0;
  }

  bool section(const std::string& name, std::uint32_t type, std::uint64_t flags, std::vector<std::uint8_t> bytes, Elf_Type of,
               std::uint64_t align, std::uint32_t link = 0, std::uint32_t info = 0) {
    kept_.push_back(std::move(bytes));
    return section_named(strings_.add(name), type, flags, kept_.back(), of, align, link, info);
  }

  bool section_named(std::uint32_t name, std::uint32_t type, std::uint64_t flags, std::vector<std::uint8_t>& bytes, Elf_Type of,
                     std::uint64_t align, std::uint32_t link, std::uint32_t info) {
    Elf_Scn* made = elf_newscn(elf_);
    Elf_Data* data = made ? elf_newdata(made) : nullptr;
    GElf_Shdr header;
    if (!data || !gelf_getshdr(made, &header)) return false;
    data->d_buf = bytes.data();
    data->d_size = bytes.size();
    data->d_align = align;
    data->d_type = of;
    data->d_version = EV_CURRENT;
    header.sh_name = name;
    header.sh_type = type;
    header.sh_flags = flags;
    header.sh_link = link;
    header.sh_info = info;
    if (of == ELF_T_SYM) header.sh_entsize = sizeof(Elf64_Sym);
    if (of == ELF_T_REL) header.sh_entsize = sizeof(Elf64_Rel);
    return gelf_update_shdr(made, &header) != 0;
  }

  /// Local symbols come before global ones (System V ABI, chapter 4).
  void order_symbols() {
    order_.resize(file_.symbols.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::ranges::sort(order_, {}, [&](std::size_t i) { return std::pair(file_.symbols[i].is_global, i); });
    place_.resize(order_.size());
    for (std::size_t i = 0; i < order_.size(); ++i) place_[order_[i]] = static_cast<std::uint32_t>(i + 1);
  }

  template <class Record>
  static void append(std::vector<std::uint8_t>& out, const Record& record) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&record);
    out.insert(out.end(), bytes, bytes + sizeof record);
  }

  std::vector<std::uint8_t> symbol_table() {
    std::vector<std::uint8_t> out(sizeof(Elf64_Sym));
    for (const std::size_t i : order_) {
      const ElfSymbol& s = file_.symbols[i];
      Elf64_Sym record = {};
      record.st_name = strings_.add(s.name);
      record.st_info =
          static_cast<unsigned char>(ELF64_ST_INFO(s.is_global ? STB_GLOBAL : STB_LOCAL, s.is_function ? STT_FUNC : STT_OBJECT));
      record.st_shndx = static_cast<std::uint16_t>(s.section + 1);
      record.st_value = s.at;
      record.st_size = s.bytes;
      append(out, record);
    }
    return out;
  }

  std::vector<std::uint8_t> relocations_of(std::size_t section) const {
    std::vector<std::uint8_t> out;
    for (const ElfRelocation& r : file_.relocations) {
      if (r.section != section) continue;
      append(out, Elf64_Rel{r.instruction * instruction_bytes,
                            ELF64_R_INFO(std::uint64_t{place_[r.symbol]}, r.is_call ? relocate_call : relocate_constant)});
    }
    return out;
  }

  const ElfFile& file_;
  Elf* elf_ = nullptr;
  Strings strings_;
  std::deque<std::vector<std::uint8_t>> kept_;
  std::vector<std::size_t> order_;    ///< symbols as they lie in the file
  std::vector<std::uint32_t> place_;  ///< by symbol: its number in the file
};

}  // namespace

Result<std::vector<std::uint8_t>> to_bytes(const ElfFile& file) {
  const int descriptor = ::memfd_create("object", MFD_CLOEXEC);
  if (descriptor < 0) return fail(Code::System, {}, fmt::format("no memory for the object: {}", std::strerror(errno)));
  std::vector<std::uint8_t> bytes;
  if (Writer(file).write(descriptor)) {
    bytes.resize(static_cast<std::size_t>(::lseek(descriptor, 0, SEEK_END)));
    const ssize_t got = ::pread(descriptor, bytes.data(), bytes.size(), 0);
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  }
  ::close(descriptor);
  if (bytes.empty()) return fail(Code::System, {}, fmt::format("cannot write the object: {}", elf_errmsg(-1)));
  return bytes;
}

}  // namespace weir::ebpf
