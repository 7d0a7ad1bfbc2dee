#include "attach/map.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "attach/options.hpp"
#include "attach/rights.hpp"

namespace weir::attach {
namespace {

constexpr int kernel_enotsupp = 524;  // ENOTSUPP of include/linux/errno.h, which the kernel should not show and does

bpf_map_type type_of(ebpf::MapKind kind) {
  switch (kind) {
    case ebpf::MapKind::Hash: return BPF_MAP_TYPE_HASH;
    case ebpf::MapKind::LpmTrie: return BPF_MAP_TYPE_LPM_TRIE;
    case ebpf::MapKind::Array: return BPF_MAP_TYPE_ARRAY;
    case ebpf::MapKind::PerCpuArray: return BPF_MAP_TYPE_PERCPU_ARRAY;
  }
  return BPF_MAP_TYPE_UNSPEC;
}

bool is_set(ebpf::MapKind kind) { return kind == ebpf::MapKind::Hash || kind == ebpf::MapKind::LpmTrie; }

/// What a set has for a key: 1 in the first byte.
std::vector<std::uint8_t> member_values(std::size_t count, std::uint32_t bytes) {
  std::vector<std::uint8_t> values(count * bytes);
  for (std::size_t i = 0; i < count; ++i) values[i * bytes] = 1;
  return values;
}

std::unexpected<Diagnostic> not_made(int error, const ebpf::Map& map, std::uint64_t capacity, ebpf::Hook hook) {
  if (error == EPERM)
    return std::unexpected(not_permitted(
        is_set(map.kind) || !map.values.empty() ? "make a map for a list" : "make a map for counters", hook, true, rights()));
  const std::uint64_t bytes = capacity * (std::uint64_t{map.key_bytes} + map.value_bytes);
  if (error == E2BIG || error == EINVAL) {
    return fail(Code::TooLarge, map.span, fmt::format("the kernel takes no map of {} entries ({} bytes)", capacity, bytes),
                "a shorter list, or one joined to larger networks, fits");
  }
  if (error == ENOMEM) {
    return fail(Code::TooLarge, map.span, fmt::format("the kernel has no memory for a map of {} entries ({} bytes)", capacity, bytes),
                "the memory limit of the control group counts, too");
  }
  return fail(Code::System, map.span, fmt::format("cannot make a map of {} entries: {}", capacity, std::strerror(error)));
}

std::unexpected<Diagnostic> not_changed(const char* doing, int error, std::uint32_t capacity) {
  // A full hash says E2BIG, a full trie ENOSPC (kernel/bpf/hashtab.c, lpm_trie.c).
  if (error == E2BIG || error == ENOSPC) {
    return fail(Code::TooLarge, {}, fmt::format("the list is full: it has room for {} entries", capacity),
                "the room for more is said when the filter is attached");
  }
  if (error == ENOMEM) return fail(Code::TooLarge, {}, fmt::format("cannot {} the list: the kernel has no memory left", doing));
  return fail(Code::System, {}, fmt::format("cannot {} the list: {}", doing, std::strerror(error)));
}

}  // namespace

Result<Map> Map::make(const ebpf::Map& map, std::uint32_t room, ebpf::Hook hook) {
  const std::uint64_t capacity = std::uint64_t{map.max_entries} + (is_set(map.kind) ? room : 0);
  if (capacity > 0xffffffff) return not_made(E2BIG, map, capacity, hook);
  auto options = no_options<bpf_map_create_opts>();
  if (map.kind == ebpf::MapKind::LpmTrie) options.map_flags = BPF_F_NO_PREALLOC;  // the kernel wants it said
  Descriptor made(bpf_map_create(type_of(map.kind), map.name.c_str(), map.key_bytes, map.value_bytes,
                                 static_cast<std::uint32_t>(capacity), &options));
  if (!made) return not_made(errno, map, capacity, hook);
  Map result(std::move(made), map, static_cast<std::uint32_t>(capacity));
  if (auto filled = result.fill(map); !filled) return std::unexpected(filled.error());
  return result;
}

/// All at once since Linux 5.6, one by one before.
Result<void> Map::fill(const ebpf::Map& map) {
  const std::size_t count = map.key_bytes ? map.keys.size() / map.key_bytes : 0;
  if (count == 0) return {};
  if (!map.values.empty() && map.values.size() != count * map.value_bytes)
    return fail(Code::Input, map.span, fmt::format("map '{}' has values for other keys than it has", map.name));
  const auto values = map.values.empty() ? member_values(count, map.value_bytes) : map.values;
  auto done = static_cast<std::uint32_t>(count);
  auto options = no_options<bpf_map_batch_opts>();
  if (bpf_map_update_batch(descriptor(), map.keys.data(), values.data(), &done, &options) == 0) return {};
  if (errno != EINVAL && errno != kernel_enotsupp) return not_changed("fill", errno, capacity_);
  for (std::size_t i = 0; i < count; ++i) {
    if (bpf_map_update_elem(descriptor(), &map.keys[i * map.key_bytes], &values[i * map.value_bytes], BPF_ANY) != 0)
      return not_changed("fill", errno, capacity_);
  }
  return {};
}

Result<void> Map::add(std::span<const std::uint8_t> key) {
  const auto value = member_values(1, value_bytes_);
  if (bpf_map_update_elem(descriptor(), key.data(), value.data(), BPF_ANY) == 0) return {};
  return not_changed("add to", errno, capacity_);
}

Result<bool> Map::remove(std::span<const std::uint8_t> key) {
  if (bpf_map_delete_elem(descriptor(), key.data()) == 0) return true;
  if (errno == ENOENT) return false;
  return not_changed("remove from", errno, capacity_);
}

Result<bool> Map::contains(std::span<const std::uint8_t> key) const {
  std::vector<std::uint8_t> value(value_bytes_);
  if (bpf_map_lookup_elem(descriptor(), key.data(), value.data()) == 0) return true;
  if (errno == ENOENT) return false;
  return not_changed("read", errno, capacity_);
}

Result<std::vector<std::uint64_t>> Map::counts(std::uint32_t index) const {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus <= 0) return fail(Code::System, {}, "cannot find out how many CPUs there are");
  const std::size_t numbers = value_bytes_ / sizeof(std::uint64_t);
  std::vector<std::uint64_t> all(static_cast<std::size_t>(cpus) * numbers), sums(numbers);
  if (bpf_map_lookup_elem(descriptor(), &index, all.data()) != 0) return not_changed("read the counters beside", errno, capacity_);
  for (std::size_t i = 0; i < all.size(); ++i) sums[i % numbers] += all[i];
  return sums;
}

}  // namespace weir::attach
