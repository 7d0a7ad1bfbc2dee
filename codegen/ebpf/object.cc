#include "ebpf/object.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "ebpf/elf_file.hpp"
#include "ebpf/helpers.hpp"
#include "ebpf/object_types.hpp"
#include "ebpf/search.hpp"

namespace weir::ebpf {
namespace {

constexpr std::array sections = {
#define WEIR_HOOK(hook, name, type, attach_type, section, context, packets) std::string_view(section),
#include "ebpf/hooks.def"
#undef WEIR_HOOK
};

bool is_set(const Map& map) { return map.kind == MapKind::Hash || map.kind == MapKind::LpmTrie; }
bool refers_to_map(const Instruction& i) { return i.code == (op::LD | op::DW | op::IMM) && i.src == map_index; }

std::string section_of(const Program& program, const ObjectOptions& options) {
  std::string name(sections[static_cast<std::size_t>(program.hook)]);
  const bool traces = program.hook == Hook::Tracing || program.hook == Hook::TracingBtf;
  return traces && !options.tracepoint.empty() ? name + "/" + options.tracepoint : name;
}

template <class T>
Bytes bytes_of(const std::vector<T>& values) {
  Bytes out(values.size() * sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), values.data(), out.size());
  return out;
}

/// Puts an object together. Numbers of sections are those in which they are added.
class Builder {
 public:
  Builder(const Program& program, const ObjectOptions& options) : program_(program), options_(options), code_(program.instructions) {}

  Result<std::vector<std::uint8_t>> build() {
    if (program_.hook == Hook::SocketBtf)
      return fail(Code::Unsupported, {}, "an object cannot say where a socket's packet is, which weir's loader finds out",
                  "use hook socket");
    functions_.push_back({.name = options_.name, .section = section_of(program_, options_), .begin = 0, .is_entry = true});
    for (std::size_t m = 0; m < program_.maps.size(); ++m) add_map(m);
    place_fields();
    if (auto done = place_maps(); !done) return std::unexpected(done.error());
    return to_bytes(file());
  }

 private:
  void add_map(std::size_t number) {
    const Map& map = program_.maps[number];
    if (!is_set(map)) {
      kept_.push_back(&map);
      return;
    }
    const Table table = table_of(map);
    const auto code = search_of(map, table);
    functions_.push_back({.name = "search_" + std::to_string(number), .section = ".text", .begin = searches_.size(), .is_entry = false});
    tables_.push_back({"table_" + std::to_string(number), constants_.size() * sizeof(std::uint32_t), table.bytes()});
    searches_.insert(searches_.end(), code.begin(), code.end());
    constants_.insert(constants_.end(), table.numbers.begin(), table.numbers.end());
  }

  /// Loaders compare what is there before they replace it.
  void place_fields() {
    for (const FieldUse& use : program_.fields) {
      Instruction& i = code_[use.instruction];
      const int kind = i.code & 0x07;
      const auto offset = offset_of(use.field);
      if (kind == op::ALU || kind == op::ALU64) i.imm = static_cast<std::int32_t>(offset);
      else i.offset = static_cast<std::int16_t>(offset);
    }
  }

  /// What loads a map's address waits for its symbol. For a set it loads nothing, and the call that follows is one of the search.
  Result<void> place_maps() {
    for (std::size_t i = 0; i < code_.size(); ++i) {
      if (!refers_to_map(code_[i])) continue;
      const auto number = static_cast<std::size_t>(code_[i].imm);
      code_[i].src = 0;
      code_[i].imm = 0;
      if (!is_set(program_.maps[number])) {
        map_uses_.push_back({i, number});
        continue;
      }
      const auto call = call_behind(i);
      if (!call)
        return fail(Code::Unsupported, program_.maps[number].span,
                    "the program asks a list in a way of which no search in a table can be made");
      code_[*call].src = call_local;
      code_[*call].imm = -1;  // as compilers have it; the relocation says which
      calls_.push_back({*call, number});
    }
    return {};
  }

  std::optional<std::size_t> call_behind(std::size_t load) const {
    for (std::size_t i = load + 2; i < code_.size(); ++i) {
      const int kind = code_[i].code & 0x07;
      if (code_[i].code == (op::JMP | op::CALL)) return code_[i].src == 0 && code_[i].imm == map_lookup ? std::optional(i) : std::nullopt;
      if (kind == op::JMP || kind == op::JMP32) return std::nullopt;
    }
    return std::nullopt;
  }

  ElfFile file() {
    ElfFile out;
    const auto add = [&](ElfSection section) {
      out.sections.push_back(std::move(section));
      return out.sections.size() - 1;
    };
    const auto entry = add({.name = functions_.front().section, .bytes = bytes_of(code_), .is_code = true});
    const std::string_view said = licence;
    const auto license = add({.name = "license", .bytes = Bytes(said.data(), said.data() + said.size() + 1), .is_writable = true});
    out.symbols.push_back(
        {.name = options_.name, .section = entry, .at = 0, .bytes = code_.size() * sizeof(Instruction), .is_function = true});
    out.symbols.push_back({.name = "_license", .section = license, .at = 0, .bytes = said.size() + 1});
    if (!kept_.empty())
      add_maps(out, entry, add({.name = ".maps", .bytes = Bytes(kept_.size() * map_definition_bytes), .is_writable = true}));
    if (!searches_.empty()) {
      const auto text = add({.name = ".text", .bytes = bytes_of(searches_), .is_code = true});
      add_searches(out, entry, text, add({.name = ".rodata", .bytes = bytes_of(constants_)}));
    }
    auto types = types_of(program_, options_, functions_, kept_);
    add({.name = ".BTF", .bytes = std::move(types.btf), .is_allocated = false});
    add({.name = ".BTF.ext", .bytes = std::move(types.extension), .is_allocated = false});
    return out;
  }

  void add_maps(ElfFile& out, std::size_t entry, std::size_t section) const {
    const std::size_t first = out.symbols.size();
    for (std::size_t i = 0; i < kept_.size(); ++i)
      out.symbols.push_back({.name = kept_[i]->name, .section = section, .at = i * map_definition_bytes, .bytes = map_definition_bytes});
    for (const auto& [instruction, number] : map_uses_) {
      const auto place = static_cast<std::size_t>(std::ranges::find(kept_, &program_.maps[number]) - kept_.begin());
      out.relocations.push_back({.section = entry, .instruction = instruction, .symbol = first + place});
    }
  }

  void add_searches(ElfFile& out, std::size_t entry, std::size_t text, std::size_t constants) const {
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      const Function& f = functions_[i + 1];
      const std::size_t end = i + 2 < functions_.size() ? functions_[i + 2].begin : searches_.size();
      out.symbols.push_back(
          {.name = tables_[i].name, .section = constants, .at = tables_[i].begin, .bytes = tables_[i].bytes, .is_global = false});
      out.relocations.push_back({.section = text, .instruction = f.begin, .symbol = out.symbols.size() - 1});
      out.symbols.push_back({.name = f.name,
                             .section = text,
                             .at = f.begin * sizeof(Instruction),
                             .bytes = (end - f.begin) * sizeof(Instruction),
                             .is_function = true,
                             .is_global = false});
      for (const auto& [instruction, number] : calls_)
        if (f.name == "search_" + std::to_string(number))
          out.relocations.push_back({.section = entry, .instruction = instruction, .symbol = out.symbols.size() - 1, .is_call = true});
    }
  }

  struct Use {
    std::size_t instruction, map;
  };

  const Program& program_;
  const ObjectOptions& options_;
  std::vector<Instruction> code_, searches_;
  std::vector<std::uint32_t> constants_;
  std::vector<Function> functions_;
  std::vector<Variable> tables_;
  std::vector<const Map*> kept_;
  std::vector<Use> map_uses_, calls_;
};

}  // namespace

Result<std::vector<std::uint8_t>> to_object(const Program& program, const ObjectOptions& options) {
  return Builder(program, options).build();
}

}  // namespace weir::ebpf
