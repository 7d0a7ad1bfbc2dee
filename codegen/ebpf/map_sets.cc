// How membership in a set is asked of a map.
#include <algorithm>

#include <fmt/format.h>

#include "ebpf/address_list.hpp"
#include "ebpf/raw.hpp"
#include "ebpf/select.hpp"

namespace weir::ebpf {

using namespace ir;

namespace {

/// From so many intervals on a map is faster than comparisons, and needs less room in the caches.
constexpr std::size_t usual_threshold = 256;

}  // namespace

std::size_t Select::map_threshold() const { return options_.map_threshold.value_or(usual_threshold); }

/// The number of a map with these contents: one, however often it is asked. Nothing when there are as many as there may be.
std::optional<std::uint32_t> Select::map_number(Map map, Span words) {
  for (std::uint32_t i = 0; i < made_.maps.size(); ++i) {
    map.name = made_.maps[i].name;
    if (made_.maps[i] == map) return i;
  }
  if (made_.maps.size() == max_maps) return std::nullopt;
  map.name = fmt::format("weir_set_{}", made_.maps.size());
  map.span = words;
  made_.maps.push_back(std::move(map));
  return static_cast<std::uint32_t>(made_.maps.size() - 1);
}

std::optional<std::uint32_t> Select::map_number(std::uint32_t set, std::uint32_t bytes, Span words) {
  const std::uint64_t key = std::uint64_t{set} << 3 | bytes;
  if (const auto known = set_maps_.find(key); known != set_maps_.end()) return known->second;
  const Set elements = program_.set(set) & Set(Interval{0, highest(bytes)});
  const auto made = map_number(map_of(prefixes_of(elements, bytes), bytes), words);
  if (made) set_maps_[key] = *made;
  return made;
}

/// Whether the map has the key that lies in the slot from byte `at` on; a trie's begins four bytes before, with its length.
Condition Select::look_up(std::uint32_t map, Slot key, std::int32_t at) {
  const ebpf::Map& m = made_.maps[map];
  if (m.kind == MapKind::LpmTrie) {
    at -= 4;
    code_.set(1, 8 * (m.key_bytes - 4));
    code_.store(key, at, 1, 4);
  }
  code_.set_map(1, map);
  code_.address(2, key, at);
  call(helper::LookUp);
  return {.relation = op::JNE, .wide = true, .left = 0, .k = 0};
}

/// The value as it lies in a packet, in `bytes` bytes.
Condition Select::member_of_map(std::uint32_t map, ValueId v, std::uint32_t bytes) {
  const bool is_load = program_[v].kind == ValueKind::Load;
  Register r = is_load && !held(v, Machine::Form::Value) && !machine_.is_home(v) ? raw(v) : value(v);
  if (bytes != 1 && machine_.registers[r].is(v, Machine::Form::Value)) {
    r = take_over(r, v);
    code_.swap(r, bytes);
  }
  const Slot key = code_.slot();
  code_.store(key, 4, r, bytes);
  return look_up(map, key, 4);
}

/// How many bytes the keys for a value would have; nothing where a map is of no use.
std::optional<std::uint32_t> Select::key_bytes(ValueId v) const {
  const Value& value = program_[v];
  if (value.kind == ValueKind::Load) return value.size() == 1 ? std::nullopt : std::optional(value.size());
  return value.kind == ValueKind::Constant ? std::nullopt : std::optional(4u);
}

bool Select::map_member(Graph& g, const Node& n) {
  const auto bytes = key_bytes(n.a);
  if (!bytes || program_.set_of(n).intervals().size() < map_threshold()) return false;
  if ((program_.set_of(n) & Set(Interval{0, highest(*bytes)})).empty()) return false;
  const auto map = map_number(n.k, *bytes, code_.words());
  if (map) branch(g, member_of_map(*map, n.a, *bytes), n.t, n.f);
  return map.has_value();
}

/// A list of one address is a list, where all are to be maps.
bool Select::map_test(Graph& g, const Node& n) {
  if (map_threshold() > 1 || n.relation() != Relation::Equal) return false;
  const auto k = constant_of(program_, n.b);
  if (!k || program_[n.a].kind != ValueKind::Load || program_[n.a].size() != 4) return false;
  const auto map = map_number(map_of(prefixes_of(Set::of(*k), 4), 4), code_.words());
  if (map) branch(g, member_of_map(*map, n.a, 4), n.t, n.f);
  return map.has_value();
}

/// Tests for addresses of 16 bytes from a node on, where all ways to "accept" need the bytes that they look at.
bool Select::map_addresses(Graph& g, NodeId id) {
  if (g.join != nullptr) return false;
  const auto list = find_addresses(program_, id, address_work_);
  if (!list || list->size() < map_threshold() || made_.maps.size() + list->fields.size() > max_maps) return false;
  if (!machine_.has(list->base, list->end()) && needs_.end(id, list->base, 0) < list->end()) return false;
  if (sure_failure(list->base, list->end())) return false;
  if (!machine_.has(list->base, list->end())) {
    check(list->base, list->end());
    machine_.learn(list->base, list->end());
  }
  const NodeId in = follow(list->in), out = follow(list->out);
  for (std::size_t i = 0;; ++i) {
    const AddressList::Field& field = list->fields[i];
    const Slot key = code_.slot(8 + address_bytes);
    for (const std::uint32_t half : {0u, 8u}) code_.store(key, static_cast<std::int32_t>(8 + half), load_bytes(list->base, std::uint64_t{field.at} + half, 8), 8);
    const Condition c = look_up(*map_number(map_of(field.prefixes, address_bytes), code_.words()), key, 8);
    if (i + 1 == list->fields.size()) return branch_over(g, c, program_[id], in, out), true;
    arrive(g.places[static_cast<std::uint32_t>(in)]);
    code_.jump(c, way(g, in));
  }
}

}  // namespace weir::ebpf
