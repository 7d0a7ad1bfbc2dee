// What the kernel asks of a map before it makes one (kernel/bpf/hashtab.c htab_map_alloc_check, arraymap.c array_map_alloc_check,
// lpm_trie.c trie_alloc).
#include <fmt/format.h>

#include "ebpf/program.hpp"

namespace weir::ebpf {
namespace {

constexpr std::uint64_t most_map_bytes = std::uint64_t{1} << 30;

std::string problem_with_key(const Map& map) {
  switch (map.kind) {
    case MapKind::Hash: return map.key_bytes == 0 || map.key_bytes > stack_bytes ? fmt::format("keys of 1 to {} bytes", stack_bytes) : "";
    case MapKind::LpmTrie: return map.key_bytes < 5 || map.key_bytes > 260 ? "keys of 5 to 260 bytes" : "";
    case MapKind::Array:
    case MapKind::PerCpuArray: return map.key_bytes != 4 ? "keys of 4 bytes" : "";
  }
  return "another kind";
}

}  // namespace

std::string problem_with(const Map& map) {
  if (const std::string wanted = problem_with_key(map); !wanted.empty())
    return fmt::format("has keys of {} bytes; it needs {}", map.key_bytes, wanted);
  if (map.value_bytes == 0) return "has values of 0 bytes";
  if (map.max_entries == 0) return "has room for no entry";
  if ((std::uint64_t{map.key_bytes} + map.value_bytes) * map.max_entries > most_map_bytes) return "is larger than 1 GiB";
  if (map.keys.size() % map.key_bytes != 0 || map.keys.size() / map.key_bytes > map.max_entries) return "has more keys than entries";
  const std::uint64_t values = std::uint64_t{map.value_bytes} * (map.keys.size() / map.key_bytes);
  if (!map.values.empty() && map.values.size() != values) return "has values for other keys than it has";
  return {};
}

}  // namespace weir::ebpf
