// Reads programs out of ELF objects: instructions of the program's section and of the functions that it calls, maps as BTF
// describes them, and data sections as maps of one value. Relocations are those of LLVM's BPF back end (R_BPF_64_64, R_BPF_64_32;
// Documentation/bpf/llvm_reloc.rst).
// Tested by tests/unit/ebpf/read_object_test.cc with objects of to_object and of clang.
#include <elf.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <memory>

#include "ebpf/decode.hpp"
#include "ebpf/object_maps.hpp"
#include "ebpf/read.hpp"

namespace weir::ebpf {
namespace {

constexpr std::uint32_t constant_relocation = 1, call_relocation = 10;  // R_BPF_64_64, R_BPF_64_32
constexpr std::uint32_t no_section = SHN_UNDEF;

struct Section {
  std::string name;
  std::uint32_t type = 0;
  bool is_code = false, is_data = false;
  std::vector<std::uint8_t> bytes;
  std::size_t size = 0;  ///< of .bss, which has no bytes in the file
};

struct Symbol {
  std::string name;
  std::uint32_t section = no_section;
  std::uint8_t type = 0;
  std::uint64_t at = 0, size = 0;
};

struct Relocation {
  std::uint32_t type = 0;
  std::size_t symbol = 0;
};

/// What of the file matters here, copied out of it.
struct Object {
  std::vector<Section> sections;
  std::vector<Symbol> symbols;
  std::map<std::pair<std::size_t, std::uint64_t>, Relocation> relocations;  ///< by section and place in it
};

struct CloseElf {
  void operator()(Elf* elf) const { elf_end(elf); }
};

std::unexpected<Diagnostic> bad(std::string why) { return fail(Code::Input, {}, "the object " + std::move(why)); }

Section section_of(Elf* elf, Elf_Scn* scn, std::size_t names) {
  GElf_Shdr header;
  if (!gelf_getshdr(scn, &header)) return {};
  const char* const name = elf_strptr(elf, names, header.sh_name);
  Section s{name ? name : "",
            header.sh_type,
            (header.sh_flags & SHF_EXECINSTR) != 0,
            (header.sh_flags & SHF_ALLOC) && !(header.sh_flags & SHF_EXECINSTR),
            {},
            header.sh_size};
  if (const Elf_Data* const data = elf_getdata(scn, nullptr); data && data->d_buf && header.sh_type != SHT_NOBITS) {
    const auto* const begin = static_cast<const std::uint8_t*>(data->d_buf);
    s.bytes.assign(begin, begin + data->d_size);
  }
  return s;
}

void read_symbols(Elf* elf, Elf_Scn* scn, Object& object) {
  GElf_Shdr header;
  Elf_Data* const data = elf_getdata(scn, nullptr);
  if (!data || !gelf_getshdr(scn, &header) || header.sh_entsize == 0) return;
  for (std::size_t n = 0; n < header.sh_size / header.sh_entsize; ++n) {
    GElf_Sym symbol;
    if (!gelf_getsym(data, static_cast<int>(n), &symbol)) break;
    const char* const name = elf_strptr(elf, header.sh_link, symbol.st_name);
    object.symbols.push_back({name ? name : "", symbol.st_shndx, static_cast<std::uint8_t>(GELF_ST_TYPE(symbol.st_info)),
                              symbol.st_value, symbol.st_size});
  }
}

void read_relocations(Elf_Scn* scn, Object& object) {
  GElf_Shdr header;
  Elf_Data* const data = elf_getdata(scn, nullptr);
  if (!data || !gelf_getshdr(scn, &header) || header.sh_entsize == 0) return;
  for (std::size_t n = 0; n < header.sh_size / header.sh_entsize; ++n) {
    GElf_Rel relocation;
    if (!gelf_getrel(data, static_cast<int>(n), &relocation)) break;
    object.relocations[{header.sh_info, relocation.r_offset}] = {static_cast<std::uint32_t>(GELF_R_TYPE(relocation.r_info)),
                                                                 GELF_R_SYM(relocation.r_info)};
  }
}

Result<Object> open_object(std::string_view file) {
  std::string copy(file);  // libelf wants to write
  if (elf_version(EV_CURRENT) == EV_NONE) return bad("cannot be read: libelf is too old");
  const std::unique_ptr<Elf, CloseElf> elf(elf_memory(copy.data(), copy.size()));
  GElf_Ehdr header;
  std::size_t names = 0;
  if (!elf || !gelf_getehdr(elf.get(), &header) || elf_getshdrstrndx(elf.get(), &names) != 0)
    return bad(fmt::format("is damaged: {}", elf_errmsg(-1)));
  if (header.e_machine != EM_BPF || header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
    return bad("has no eBPF for little-endian hosts");
  Object object;
  object.sections.emplace_back();
  for (Elf_Scn* scn = nullptr; (scn = elf_nextscn(elf.get(), scn)) != nullptr;) {
    object.sections.push_back(section_of(elf.get(), scn, names));
    if (object.sections.back().type == SHT_SYMTAB) read_symbols(elf.get(), scn, object);
    if (object.sections.back().type == SHT_REL) read_relocations(scn, object);
  }
  return object;
}

std::optional<Hook> hook_of(std::string_view section) {
  struct Prefix { std::string_view text; Hook hook; };
  static constexpr Prefix prefixes[] = {{"socket", Hook::Socket},          {"xdp", Hook::Xdp},
                                        {"tcx/egress", Hook::TcEgress},    {"tc/egress", Hook::TcEgress},
                                        {"tc", Hook::TcIngress},           {"classifier", Hook::TcIngress},
                                        {"action", Hook::TcIngress},       {"cgroup/skb", Hook::Cgroup},
                                        {"cgroup_skb", Hook::Cgroup},      {"raw_tp", Hook::Tracing},
                                        {"raw_tracepoint", Hook::Tracing}, {"tp_btf", Hook::TracingBtf}};
  for (const Prefix& p : prefixes)
    if (section.starts_with(p.text)) return p.hook;
  return std::nullopt;
}

/// Puts the functions of a program one behind the other.
class Linker {
 public:
  Linker(const Object& object, Program program) : object_(object), program_(std::move(program)) {}

  Result<Program> link(const Symbol& start) {
    place(start.section, start.at);
    while (!waiting_.empty() && problem_.empty()) {
      const auto [section, at] = waiting_.front();
      waiting_.pop_front();
      copy(section, at);
    }
    for (const Call& call : calls_)
      if (problem_.empty())
        program_.instructions[call.from].imm =
            static_cast<std::int32_t>(static_cast<std::int64_t>(places_.at(call.to)) - static_cast<std::int64_t>(call.from) - 1);
    if (!problem_.empty()) return bad(problem_);
    return std::move(program_);
  }

 private:
  using Where = std::pair<std::size_t, std::uint64_t>;  ///< section, and place in it
  struct Call {
    std::size_t from;
    Where to;
  };

  void place(std::size_t section, std::uint64_t at) {
    if (places_.emplace(Where(section, at), 0).second) waiting_.emplace_back(section, at);
  }

  /// The function that begins there.
  const Symbol* function_at(Where where) const {
    for (const Symbol& s : object_.symbols)
      if (s.type == STT_FUNC && s.section == where.first && s.at == where.second) return &s;
    return nullptr;
  }

  void copy(std::size_t section, std::uint64_t at) {
    const Symbol* const function = function_at({section, at});
    if (!function || section >= object_.sections.size()) return void(problem_ = "calls a place that is no function");
    const auto& bytes = object_.sections[section].bytes;
    if (at > bytes.size() || function->size > bytes.size() - at || function->size % sizeof(Instruction) != 0 || function->size == 0)
      return void(problem_ = fmt::format("has a function '{}' of no size", function->name));
    places_[{section, at}] = program_.instructions.size();
    if (program_.instructions.size() + function->size / sizeof(Instruction) > max_instructions)
      return void(problem_ = "has more instructions than a kernel takes");
    const std::size_t first = program_.instructions.size(), count = function->size / sizeof(Instruction);
    program_.instructions.resize(first + count);
    std::memcpy(static_cast<void*>(program_.instructions.data() + first), bytes.data() + at, function->size);
    for (std::size_t n = 0; n < count && problem_.empty(); ++n) relocate(first + n, section, at + n * sizeof(Instruction));
  }

  void relocate(std::size_t index, std::size_t section, std::uint64_t at) {
    Instruction& i = program_.instructions[index];
    const auto found = object_.relocations.find({section, at});
    if (found == object_.relocations.end()) {
      if (is_local_call(i)) call(index, {section, at + static_cast<std::uint64_t>((std::int64_t{i.imm} + 1) * 8)});
      return;
    }
    if (found->second.symbol >= object_.symbols.size()) return void(problem_ = "refers to a symbol that it does not have");
    const Symbol& symbol = object_.symbols[found->second.symbol];
    if (found->second.type == call_relocation && is_local_call(i)) {
      const std::int64_t addend = symbol.type == STT_SECTION ? (std::int64_t{i.imm} + 1) * 8 : 0;
      return call(index, {symbol.section, symbol.at + static_cast<std::uint64_t>(addend)});
    }
    if (found->second.type != constant_relocation || !is_wide(i) || index + 1 >= program_.instructions.size())
      return void(problem_ = fmt::format("has a relocation of kind {} that is not known here", found->second.type));
    refer(index, symbol);
  }

  void call(std::size_t index, Where to) {
    calls_.push_back({index, to});
    place(to.first, to.second);
  }

  /// A 64-bit constant becomes a map, or a place in a data section.
  void refer(std::size_t index, const Symbol& symbol) {
    Instruction &low = program_.instructions[index], &high = program_.instructions[index + 1];
    if (symbol.section >= object_.sections.size()) return void(problem_ = fmt::format("refers to '{}', which is not in it", symbol.name));
    const Section& section = object_.sections[symbol.section];
    if (section.name == ".maps") {
      const auto map = std::ranges::find(program_.maps, symbol.name, &Map::name);
      if (map == program_.maps.end())
        return void(problem_ = fmt::format("refers to map '{}', which is of no kind known here", symbol.name));
      low.src = map_index;
      low.imm = static_cast<std::int32_t>(map - program_.maps.begin());
      return;
    }
    if (!section.is_data) return void(problem_ = fmt::format("refers to '{}' in {}", symbol.name, section.name));
    const std::uint64_t offset = symbol.at + static_cast<std::uint32_t>(low.imm);
    low.src = map_value_index;
    low.imm = data_map(symbol.section);
    high.imm = static_cast<std::int32_t>(offset);
  }

  std::int32_t data_map(std::uint32_t number) {
    const auto [at, is_new] = data_maps_.emplace(number, static_cast<std::int32_t>(program_.maps.size()));
    if (is_new) {
      const Section& s = object_.sections[number];
      Map map{s.name, MapKind::Array, 4, static_cast<std::uint32_t>(s.size), 1, {0, 0, 0, 0}, {}, s.bytes};
      map.values.resize(s.size);
      program_.maps.push_back(std::move(map));
    }
    return at->second;
  }

  const Object& object_;
  Program program_;
  std::map<Where, std::size_t> places_;
  std::deque<Where> waiting_;
  std::vector<Call> calls_;
  std::map<std::uint32_t, std::int32_t> data_maps_;
  std::string problem_;
};

/// Functions in sections that say where they run; .text has those that are called.
std::vector<const Symbol*> programs_of(const Object& object) {
  std::vector<const Symbol*> found;
  for (const Symbol& s : object.symbols)
    if (s.type == STT_FUNC && s.section < object.sections.size() && object.sections[s.section].is_code &&
        object.sections[s.section].name != ".text")
      found.push_back(&s);
  return found;
}

Result<const Symbol*> choose(const Object& object, std::string_view name) {
  const auto programs = programs_of(object);
  std::vector<std::string_view> names;
  for (const Symbol* s : programs) {
    if (s->name == name || (name.empty() && programs.size() == 1)) return s;
    names.push_back(s->name);
  }
  if (programs.empty()) return bad("has no program");
  if (name.empty()) return bad(fmt::format("has several programs, and one must be chosen: {}", fmt::join(names, ", ")));
  return bad(fmt::format("has no program '{}'; there are {}", name, fmt::join(names, ", ")));
}

}  // namespace

Result<Program> read_object(std::string_view file, std::string_view name) {
  const auto object = open_object(file);
  if (!object) return std::unexpected(object.error());
  const auto start = choose(*object, name);
  if (!start) return std::unexpected(start.error());
  const std::string& section = object->sections[(*start)->section].name;
  Program program;
  program.hook = hook_of(section).value_or(Hook::Socket);
  const auto types = std::ranges::find(object->sections, ".BTF", &Section::name);
  if (types != object->sections.end()) program.maps = maps_of(types->bytes);
  return Linker(*object, std::move(program)).link(**start);
}

}  // namespace weir::ebpf
