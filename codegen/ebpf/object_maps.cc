// Maps are described by types: a variable in `.maps` is a structure whose members are pointers, to an array of as many elements
// as the number says, or to the type of key and value (libbpf, tools/lib/bpf/libbpf.c, parse_btf_map_def).
#include "ebpf/object_maps.hpp"

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "ebpf/btf.hpp"

namespace weir::ebpf {
namespace {

/// libbpf would write to standard error what is wrong with types. It has one place in a process for how it does.
class Quiet {
 public:
  Quiet() : before_(libbpf_set_print(nullptr)) {}
  ~Quiet() { libbpf_set_print(before_); }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  libbpf_print_fn_t before_;
};

/// Type numbers and sizes in the member's type; 0 where it is none.
std::uint32_t number_of(const btf* types, const btf_member& member) {
  const btf_type* const pointer = btf__type_by_id(types, member.type);
  const btf_type* const array = pointer && btf_is_ptr(pointer) ? btf__type_by_id(types, pointer->type) : nullptr;
  return array && btf_is_array(array) ? btf_array(array)->nelems : 0;
}

std::uint32_t size_behind(const btf* types, const btf_member& member) {
  const btf_type* const pointer = btf__type_by_id(types, member.type);
  const auto size = pointer && btf_is_ptr(pointer) ? btf__resolve_size(types, pointer->type) : 0;
  return size > 0 ? static_cast<std::uint32_t>(size) : 0;
}

std::optional<MapKind> kind_of(std::uint32_t type) {
  switch (type) {
    case BPF_MAP_TYPE_HASH: return MapKind::Hash;
    case BPF_MAP_TYPE_LPM_TRIE: return MapKind::LpmTrie;
    case BPF_MAP_TYPE_ARRAY: return MapKind::Array;
    case BPF_MAP_TYPE_PERCPU_ARRAY: return MapKind::PerCpuArray;
    default: return std::nullopt;
  }
}

std::optional<Map> map_of(const btf* types, const btf_type* variable) {
  const btf_type* const shape = btf__type_by_id(types, static_cast<std::uint32_t>(btf__resolve_type(types, variable->type)));
  const char* const name = btf__name_by_offset(types, variable->name_off);
  if (!shape || !name || !btf_is_composite(shape)) return std::nullopt;
  Map map;
  map.name = name;
  std::uint32_t type = 0;
  for (std::uint16_t n = 0; n < btf_vlen(shape); ++n) {
    const btf_member& member = btf_members(shape)[n];
    const char* const text = btf__name_by_offset(types, member.name_off);
    const std::string_view what = text ? text : "";
    if (what == "type") type = number_of(types, member);
    if (what == "max_entries") map.max_entries = number_of(types, member);
    if (what == "key_size") map.key_bytes = number_of(types, member);
    if (what == "value_size") map.value_bytes = number_of(types, member);
    if (what == "key") map.key_bytes = size_behind(types, member);
    if (what == "value") map.value_bytes = size_behind(types, member);
  }
  const auto kind = kind_of(type);
  if (!kind) return std::nullopt;
  map.kind = *kind;
  return map;
}

}  // namespace

std::vector<Map> maps_of(const std::vector<std::uint8_t>& bytes) {
  std::vector<Map> maps;
  const Quiet quiet;
  const Btf types(btf__new(bytes.data(), static_cast<std::uint32_t>(bytes.size())));
  if (!types) return maps;
  const auto section = btf__find_by_name_kind(types.get(), ".maps", BTF_KIND_DATASEC);
  const btf_type* const all = section > 0 ? btf__type_by_id(types.get(), static_cast<std::uint32_t>(section)) : nullptr;
  for (std::uint16_t n = 0; all && n < btf_vlen(all); ++n) {
    const btf_type* const variable = btf__type_by_id(types.get(), btf_var_secinfos(all)[n].type);
    if (!variable || !btf_is_var(variable)) continue;
    if (auto map = map_of(types.get(), variable)) maps.push_back(std::move(*map));
  }
  return maps;
}

}  // namespace weir::ebpf
