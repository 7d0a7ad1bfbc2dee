// Maps of eBPF programs, on one CPU.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "ebpf/program.hpp"

namespace weir::vm {

using Bytes = std::span<const std::uint8_t>;

/// How an update and a delete end: 0, or a negative error of the kernel (BPF_NOEXIST and BPF_EXIST are flags 1 and 2).
using MapStatus = int;

/// One map. Values lie in slots, at places that stay; a deleted one keeps its bytes until the slot is used again, as in the kernel.
class EbpfMap {
 public:
  explicit EbpfMap(const ebpf::Map& map);

  std::uint32_t key_bytes() const { return kind_.key_bytes; }
  std::uint32_t value_bytes() const { return kind_.value_bytes; }
  bool is_array() const { return kind_.kind == ebpf::MapKind::Array || kind_.kind == ebpf::MapKind::PerCpuArray; }

  /// The slot of the value for a key.
  std::optional<std::size_t> find(Bytes key) const;
  MapStatus update(Bytes key, Bytes value, std::uint64_t flags);
  MapStatus remove(Bytes key);

  /// All slots, one behind the other, `value_bytes` each.
  std::span<std::uint8_t> values() { return values_; }
  std::span<const std::uint8_t> values() const { return values_; }

 private:
  std::string entry_key(Bytes key) const;
  std::optional<std::size_t> find_longest(Bytes key) const;
  std::size_t take_slot();

  ebpf::Map kind_;  ///< without its keys
  std::unordered_map<std::string, std::size_t> slots_;
  std::map<std::uint32_t, std::size_t, std::greater<>> prefix_lengths_;  ///< of an LPM trie: how many entries have each
  std::vector<std::size_t> free_;
  std::vector<std::uint8_t> values_;
};

}  // namespace weir::vm
