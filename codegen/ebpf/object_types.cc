#include "ebpf/object_types.hpp"

#include <linux/bpf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <string_view>

#include "ebpf/btf.hpp"

namespace weir::ebpf {
namespace {

struct FieldRow {
  std::string_view structure, member;
  std::uint32_t bytes;
};
constexpr std::array fields = {
#define WEIR_KERNEL_FIELD(field, structure, member, bytes) FieldRow{structure, member, bytes},
#include "ebpf/kernel_fields.def"
#undef WEIR_KERNEL_FIELD
};
constexpr std::uint32_t slot = 8;  ///< each field of a picture has as much

/// Builds one object's types. Ids are those of BTF; allocating is all that can fail, and then the object is empty.
class Types {
 public:
  Types() : btf_(btf__new_empty()) {
    int_ = btf__add_int(btf_.get(), "int", 4, BTF_INT_SIGNED);
    context_ = btf__add_ptr(btf_.get(), 0);
    for (const std::uint32_t bytes : {2u, 4u}) numbers_[bytes] = btf__add_int(btf_.get(), bytes == 2 ? "__u16" : "__u32", bytes, 0);
  }

  std::uint32_t string(std::string_view text) {
    const int at = btf__add_str(btf_.get(), std::string(text).c_str());
    return at < 0 ? 0 : static_cast<std::uint32_t>(at);
  }

  int function(const Function& f) {
    const int prototype = btf__add_func_proto(btf_.get(), int_);
    if (f.is_entry) {
      btf__add_func_param(btf_.get(), "context", context_);
    } else {
      btf__add_func_param(btf_.get(), "unused", context_);
      btf__add_func_param(btf_.get(), "key", context_);
    }
    return btf__add_func(btf_.get(), f.name.c_str(), f.is_entry ? BTF_FUNC_GLOBAL : BTF_FUNC_STATIC, prototype);
  }

  /// The definitions of maps, in the order in which they lie in .maps.
  void maps(const std::vector<const Map*>& all) {
    std::vector<int> variables;
    for (const Map* map : all) variables.push_back(btf__add_var(btf_.get(), map->name.c_str(), BTF_VAR_GLOBAL_ALLOCATED, definition(*map)));
    if (all.empty()) return;
    btf__add_datasec(btf_.get(), ".maps", static_cast<std::uint32_t>(all.size() * map_definition_bytes));
    for (std::size_t i = 0; i < all.size(); ++i)
      btf__add_datasec_var_info(btf_.get(), variables[i], static_cast<std::uint32_t>(i * map_definition_bytes), map_definition_bytes);
  }

  /// Of the structure that a field is in: the picture of it, with the fields that are known.
  int structure(std::string_view name) {
    if (const auto known = structures_.find(name); known != structures_.end()) return known->second;
    std::vector<std::pair<const FieldRow*, int>> members;
    for (const FieldRow& row : fields)
      if (row.structure == name) members.push_back({&row, row.bytes == 8 ? context_ : numbers_[row.bytes]});
    const int id = btf__add_struct(btf_.get(), std::string(name).c_str(), static_cast<std::uint32_t>(members.size() * slot));
    std::uint32_t at = 0;
    for (const auto& [row, type] : members) btf__add_field(btf_.get(), std::string(row->member).c_str(), type, 8 * slot * at++, 0);
    return structures_[name] = id;
  }

  Bytes bytes() const {
    std::uint32_t size = 0;
    const auto* data = static_cast<const std::uint8_t*>(btf__raw_data(btf_.get(), &size));
    return data ? Bytes(data, data + size) : Bytes();
  }

 private:
  /// int (*member)[value]
  int number(std::uint32_t value) { return btf__add_ptr(btf_.get(), btf__add_array(btf_.get(), int_, int_, value)); }

  int definition(const Map& map) {
    const std::array<std::pair<const char*, std::uint32_t>, map_members> members = {
        {{"type", kernel_type(map.kind)},
         {"key_size", map.key_bytes},
         {"value_size", map.value_bytes},
         {"max_entries", map.max_entries},
         {"map_flags", map.kind == MapKind::LpmTrie ? std::uint32_t{BPF_F_NO_PREALLOC} : 0u}}};
    std::array<int, map_members> types;
    std::ranges::transform(members, types.begin(), [&](const auto& m) { return number(m.second); });
    const int id = btf__add_struct(btf_.get(), "", map_definition_bytes);
    for (std::size_t i = 0; i < map_members; ++i)
      btf__add_field(btf_.get(), members[i].first, types[i], static_cast<std::uint32_t>(64 * i), 0);
    return id;
  }

  Btf btf_;
  int int_ = 0, context_ = 0;
  std::map<std::uint32_t, int> numbers_;
  std::map<std::string_view, int> structures_;
};

/// A part of .BTF.ext: the size of its records, then for each section its name, how many there are, and they themselves.
class Part {
 public:
  template <class Record>
  void add(std::uint32_t section, const std::vector<Record>& records) {
    static_assert(sizeof(Record) % 4 == 0);
    if (records.empty()) return;
    if (words_.empty()) words_.push_back(sizeof(Record));
    words_.push_back(section);
    words_.push_back(static_cast<std::uint32_t>(records.size()));
    const std::size_t at = words_.size();
    words_.resize(at + records.size() * sizeof(Record) / 4);
    std::memcpy(&words_[at], records.data(), records.size() * sizeof(Record));
  }
  std::size_t bytes() const { return 4 * words_.size(); }
  void append_to(Bytes& out) const {
    const auto* data = reinterpret_cast<const std::uint8_t*>(words_.data());
    out.insert(out.end(), data, data + bytes());
  }

 private:
  std::vector<std::uint32_t> words_;
};

/// struct btf_ext_header of libbpf (tools/lib/bpf/libbpf_internal.h); offsets count from its end.
struct ExtensionHeader {
  std::uint16_t magic = BTF_MAGIC;
  std::uint8_t version = BTF_VERSION, flags = 0;
  std::uint32_t header_bytes = sizeof(ExtensionHeader);
  std::uint32_t functions_at = 0, functions_bytes = 0, lines_at = 0, lines_bytes = 0, relocations_at = 0, relocations_bytes = 0;
};

Bytes extension_of(const Part& functions, const Part& lines, const Part& relocations) {
  ExtensionHeader h;
  h.functions_bytes = static_cast<std::uint32_t>(functions.bytes());
  h.lines_at = h.functions_bytes;
  h.lines_bytes = static_cast<std::uint32_t>(lines.bytes());
  h.relocations_at = h.lines_at + h.lines_bytes;
  h.relocations_bytes = static_cast<std::uint32_t>(relocations.bytes());
  const auto* data = reinterpret_cast<const std::uint8_t*>(&h);
  Bytes out(data, data + sizeof h);
  for (const Part* part : {&functions, &lines, &relocations}) part->append_to(out);
  return out;
}

/// Where the words change, a new line begins; the filter's words are all of them that lie in one line of its text. Loaders want
/// one at the beginning of each function.
std::vector<bpf_line_info> lines_of(Types& types, const Program& program, const ObjectOptions& options) {
  const std::uint32_t file = types.string("filter");
  std::vector<bpf_line_info> lines;
  Span before;
  for (std::size_t i = 0; i < program.instructions.size(); ++i) {
    const Span span = i < program.spans.size() ? program.spans[i] : Span{};
    const bool known = !span.empty() && span.end <= options.text.size();
    if (i != 0 && (!known || span == before)) continue;
    const std::string_view words = known ? options.text.substr(span.begin, span.end - span.begin) : options.text;
    const std::uint32_t column = std::min(known ? span.begin + 1 : 1u, 1023u);  // ten bits of line_col
    lines.push_back({static_cast<std::uint32_t>(i) * instruction_bytes, file, types.string(words.substr(0, words.find('\n'))),
                     1u << 10 | column});
    if (known) before = span;
  }
  return lines;
}

std::vector<bpf_core_relo> relocations_of(Types& types, const Program& program) {
  std::vector<bpf_core_relo> all;
  for (const FieldUse& use : program.fields) {
    const int id = types.structure(fields[static_cast<std::size_t>(use.field)].structure);
    const std::string path = "0:" + std::to_string(offset_of(use.field) / slot);
    all.push_back({static_cast<std::uint32_t>(use.instruction) * instruction_bytes, static_cast<std::uint32_t>(id),
                   types.string(path), BPF_CORE_FIELD_BYTE_OFFSET});
  }
  return all;
}

}  // namespace

std::uint32_t offset_of(KernelField field) {
  const auto number = static_cast<std::size_t>(field);
  std::uint32_t before = 0;
  for (std::size_t i = 0; i < number; ++i) before += fields[i].structure == fields[number].structure;
  return before * slot;
}

std::uint32_t kernel_type(MapKind kind) {
  switch (kind) {
    case MapKind::Hash: return BPF_MAP_TYPE_HASH;
    case MapKind::LpmTrie: return BPF_MAP_TYPE_LPM_TRIE;
    case MapKind::Array: return BPF_MAP_TYPE_ARRAY;
    case MapKind::PerCpuArray: return BPF_MAP_TYPE_PERCPU_ARRAY;
  }
  return BPF_MAP_TYPE_UNSPEC;
}

ObjectTypes types_of(const Program& program, const ObjectOptions& options, const std::vector<Function>& functions,
                     const std::vector<const Map*>& maps) {
  Types types;
  Part about_functions, about_lines, relocations;
  types.maps(maps);
  std::map<std::string, std::vector<bpf_func_info>> by_section;
  std::vector<bpf_line_info> of_functions;
  const std::uint32_t file = types.string("filter"), text = types.string("search in a sorted table");
  for (const Function& f : functions) {
    const auto at = static_cast<std::uint32_t>(f.begin) * instruction_bytes;
    by_section[f.section].push_back({at, static_cast<std::uint32_t>(types.function(f))});
    if (!f.is_entry) of_functions.push_back({at, file, text, 1u << 10 | 1u});
  }
  for (const auto& [section, records] : by_section) about_functions.add(types.string(section), records);
  const std::uint32_t entry = types.string(functions.front().section);
  about_lines.add(entry, lines_of(types, program, options));
  about_lines.add(types.string(".text"), of_functions);
  relocations.add(entry, relocations_of(types, program));
  return {types.bytes(), extension_of(about_functions, about_lines, relocations)};
}

}  // namespace weir::ebpf
