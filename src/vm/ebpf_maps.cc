// As kernel/bpf/hashtab.c, arraymap.c and lpm_trie.c answer. Tested by tests/unit/vm/ebpf_test.cc.
#include "vm/ebpf_maps.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace weir::vm {
namespace {

constexpr std::uint64_t no_exist = 1, exist = 2;  // BPF_NOEXIST, BPF_EXIST
constexpr std::size_t length_bytes = 4;           // of a prefix, before its address

std::uint32_t number_at(Bytes bytes) {
  std::uint32_t n = 0;
  std::memcpy(&n, bytes.data(), sizeof n);
  return n;
}

/// The key with all bits behind the prefix cleared, so that equal prefixes are equal strings.
std::string prefix(Bytes address, std::uint32_t bits) {
  std::string key(length_bytes + address.size(), '\0');
  std::memcpy(key.data(), &bits, length_bytes);
  for (std::size_t i = 0; i < address.size() && i * 8 < bits; ++i) {
    const auto left = static_cast<std::uint32_t>(bits - i * 8);
    const std::uint32_t mask = left >= 8 ? 0xff : 0xff00u >> left;
    key[length_bytes + i] = static_cast<char>(address[i] & mask);
  }
  return key;
}

std::string text(Bytes key) { return {key.begin(), key.end()}; }

}  // namespace

EbpfMap::EbpfMap(const ebpf::Map& map) : kind_(map) {
  kind_.keys.clear();
  kind_.values.clear();
  if (is_array()) values_.resize(std::size_t{kind_.max_entries} * kind_.value_bytes);
  std::vector<std::uint8_t> one(kind_.value_bytes);
  if (!one.empty()) one[0] = 1;
  for (std::size_t n = 0; n < map.keys.size() / kind_.key_bytes; ++n) {
    const Bytes value = map.values.empty() ? Bytes(one) : Bytes(map.values).subspan(n * kind_.value_bytes, kind_.value_bytes);
    update(Bytes(map.keys).subspan(n * kind_.key_bytes, kind_.key_bytes), value, 0);
  }
}

std::string EbpfMap::entry_key(Bytes key) const {
  return kind_.kind == ebpf::MapKind::LpmTrie ? prefix(key.subspan(length_bytes), number_at(key)) : text(key);
}

std::optional<std::size_t> EbpfMap::find_longest(Bytes key) const {
  const std::uint32_t most = number_at(key);
  if (most > (kind_.key_bytes - length_bytes) * 8) return std::nullopt;  // trie_lookup_elem: no such prefix
  for (auto length = prefix_lengths_.lower_bound(most); length != prefix_lengths_.end(); ++length) {
    const auto entry = slots_.find(prefix(key.subspan(length_bytes), length->first));
    if (entry != slots_.end()) return entry->second;
  }
  return std::nullopt;
}

std::optional<std::size_t> EbpfMap::find(Bytes key) const {
  if (is_array()) {
    const std::uint32_t index = number_at(key);
    return index < kind_.max_entries ? std::optional<std::size_t>(index) : std::nullopt;
  }
  if (kind_.kind == ebpf::MapKind::LpmTrie) return find_longest(key);
  const auto entry = slots_.find(text(key));
  return entry != slots_.end() ? std::optional(entry->second) : std::nullopt;
}

std::size_t EbpfMap::take_slot() {
  if (!free_.empty()) {
    const std::size_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  values_.resize(values_.size() + kind_.value_bytes);
  return values_.size() / kind_.value_bytes - 1;
}

MapStatus EbpfMap::update(Bytes key, Bytes value, std::uint64_t flags) {
  if (flags > exist) return -EINVAL;
  const auto put = [&](std::size_t slot) {
    std::ranges::copy(value, values_.begin() + static_cast<std::ptrdiff_t>(slot * kind_.value_bytes));
  };
  if (is_array()) {
    const auto slot = find(key);
    if (!slot) return -E2BIG;
    if (flags == no_exist) return -EEXIST;
    put(*slot);
    return 0;
  }
  const bool is_trie = kind_.kind == ebpf::MapKind::LpmTrie;
  if (is_trie && number_at(key) > (kind_.key_bytes - length_bytes) * 8) return -EINVAL;
  const std::string wanted = entry_key(key);
  if (const auto entry = slots_.find(wanted); entry != slots_.end()) {
    if (flags == no_exist) return -EEXIST;
    put(entry->second);
    return 0;
  }
  if (flags == exist) return -ENOENT;
  if (slots_.size() >= kind_.max_entries) return is_trie ? -ENOSPC : -E2BIG;
  const std::size_t slot = take_slot();
  slots_.emplace(wanted, slot);
  if (is_trie) ++prefix_lengths_[number_at(key)];
  put(slot);
  return 0;
}

MapStatus EbpfMap::remove(Bytes key) {
  if (is_array()) return -EINVAL;
  const bool is_trie = kind_.kind == ebpf::MapKind::LpmTrie;
  if (is_trie && number_at(key) > (kind_.key_bytes - length_bytes) * 8) return -EINVAL;
  const auto entry = slots_.find(entry_key(key));
  if (entry == slots_.end()) return -ENOENT;
  free_.push_back(entry->second);
  slots_.erase(entry);
  if (is_trie && --prefix_lengths_[number_at(key)] == 0) prefix_lengths_.erase(number_at(key));
  return 0;
}

}  // namespace weir::vm
