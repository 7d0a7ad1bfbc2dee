// How membership in a set is asked of a map.
#include <algorithm>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "ebpf/address_list.hpp"
#include "ebpf/places.hpp"
#include "ebpf/raw.hpp"
#include "ebpf/select.hpp"

namespace weir::ebpf {

using namespace ir;

namespace {

/// From so many intervals on a map takes about as long as comparisons, and less room in the caches (docs/benchmarks.md, lists): a
/// hash of single numbers, a trie of networks, which is slower the more there are. Addresses of 16 bytes take several comparisons
/// each.
constexpr std::size_t hash_threshold = 4096, trie_threshold = 8192, address_threshold = 256;
/// With more comparisons than this in all, programs come near to what the kernel's verifier takes, and lists are maps from `few` on.
constexpr std::size_t most_comparisons = 40'000, few = 256;

/// Numbers of two bytes, as ports and EtherTypes, that are a list of somebody's rather than a few protocols.
constexpr std::size_t fewest_short = 16;
/// Lists that are there twice, in a map and as tests.
constexpr std::size_t most_twice = 4096;
/// Sets that are maps. One map is left for counters: of a tracing program, and of `counted`.
constexpr std::size_t most_set_maps = max_maps - 1;

}  // namespace

MapThresholds thresholds_of(const ir::Program& p, const EmitOptions& options) {
  constexpr auto never = std::numeric_limits<std::size_t>::max();
  const std::size_t table = options.table_threshold.value_or(never);
  if (options.map_threshold) return {*options.map_threshold, *options.map_threshold, *options.map_threshold, table};
  const std::vector<bool> reached = ir::reachable(p);
  std::size_t comparisons = 0;
  for (std::uint32_t i = 0; i < p.node_count(); ++i)
    if (const Node& n = p[NodeId{i}]; reached[i] && n.kind == NodeKind::Member) comparisons += p.set_of(n).intervals().size();
  if (comparisons > most_comparisons) return {few, few, address_threshold, table};
  return {hash_threshold, trie_threshold, address_threshold, table};
}

bool is_for_table(const Set& set, std::uint32_t key_bytes, const MapThresholds& thresholds) {
  return key_bytes == 4 && are_nearly_points(set) && set.intervals().size() >= thresholds.table;
}

bool is_for_map(const Set& set, std::uint32_t key_bytes, const MapThresholds& thresholds) {
  const std::size_t threshold = are_nearly_points(set) ? thresholds.hash : thresholds.trie;
  return set.intervals().size() >= std::max(threshold, key_bytes == 4 ? 1 : fewest_short);
}

/// The number of a map with these contents: one, however often it is asked. Nothing when there are as many as there may be.
std::optional<std::uint32_t> Select::map_number(Map map, Span words) {
  for (std::uint32_t i = 0; i < made_.maps.size(); ++i) {
    map.name = made_.maps[i].name;
    if (made_.maps[i] == map) return i;
  }
  if (made_.maps.size() == most_set_maps) return std::nullopt;
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
Register Select::in_packet_order(ValueId v, std::uint32_t bytes) {
  const bool is_load = program_[v].kind == ValueKind::Load;
  Register r = is_load && !held(v, Machine::Form::Value) && !machine_.is_home(v) ? raw(v) : value(v);
  if (bytes != 1 && machine_.registers[r].is(v, Machine::Form::Value)) {
    r = take_over(r, v);
    code_.swap(r, bytes);
  }
  return r;
}

Condition Select::member_of_map(std::uint32_t map, ValueId v, std::uint32_t bytes) {
  const Register r = in_packet_order(v, bytes);
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

/// The number that a table has at a place of `number`, less that: 0 when it stands there.
Register Select::found_at(Register number, const TableUse& table, std::size_t which) {
  const Register place = take();
  ++pins_[place];
  const Register at = take();
  --pins_[place];
  code_.move32(place, number);
  code_.alu32(op::MUL, place, table.multipliers[which]);
  code_.alu32(op::RSH, place, 32 - table.bits);
  code_.alu64(op::LSH, place, 2);
  code_.set_map_value(at, table.map);
  code_.alu64(op::ADD, at, place);
  code_.load(place, at, 0, 4);
  code_.alu32(op::XOR, place, number);
  return place;
}

/// The table of a set, whose numbers lie there as in a packet; nothing when they find no places.
const Select::TableUse* Select::table_of(std::uint32_t set) {
  if (const auto known = tables_.find(set); known != tables_.end()) return &known->second;
  std::vector<std::uint32_t> members;
  for (const Interval in : program_.set(set).intervals())
    for (std::uint64_t x = in.low; x <= in.high; ++x) members.push_back(static_cast<std::uint32_t>(in_memory(x, 4)));
  const auto table = places_of(members);
  if (!table) return nullptr;
  Map map{.name = {},
          .kind = MapKind::Array,
          .key_bytes = 4,
          .value_bytes = static_cast<std::uint32_t>(4 * table->numbers.size()),
          .max_entries = 1,
          .keys = std::vector<std::uint8_t>(4),
          .span = {}};
  map.values.resize(map.value_bytes);
  std::memcpy(map.values.data(), table->numbers.data(), map.values.size());
  const auto number = map_number(std::move(map), code_.words());
  if (!number) return nullptr;
  return &(tables_[set] = {*number, table->bits, table->multipliers});
}

/// The product of two numbers of 32 bits is 0 when one of them is.
Condition Select::member_of_table(const TableUse& table, ValueId v) {
  const Register number = in_packet_order(v, 4);
  ++pins_[number];
  const Register first = found_at(number, table, 0);
  ++pins_[first];
  const Register second = found_at(number, table, 1);
  --pins_[first], --pins_[number];
  code_.alu64(op::MUL, first, second);
  return {.relation = op::JEQ, .wide = true, .left = first, .k = 0};
}

bool Select::table_member(Graph& g, const Node& n) {
  if (!is_for_table(program_.set_of(n), key_bytes(n.a).value_or(0), thresholds_)) return false;
  const TableUse* const table = table_of(n.k);
  if (table) branch(g, member_of_table(*table, n.a), n.t, n.f);
  return table != nullptr;
}

bool Select::map_member(Graph& g, const Node& n) {
  if (table_member(g, n)) return true;
  const auto bytes = key_bytes(n.a);
  if (!bytes || !is_for_map(program_.set_of(n), *bytes, thresholds_)) return false;
  if ((program_.set_of(n) & Set(Interval{0, highest(*bytes)})).empty()) return false;
  const auto map = map_number(n.k, *bytes, code_.words());
  if (map) branch(g, member_of_map(*map, n.a, *bytes), n.t, n.f);
  return map.has_value();
}

namespace {

/// Numbers of four bytes that lie in the packet.
struct OnePrefix {
  ValueId load;
  Interval numbers;
};

/// What a test for an address or for a network says, if it is one.
std::optional<OnePrefix> one_prefix(const ir::Program& p, const Node& n) {
  const auto k = constant_of(p, n.b);
  if (!k || n.relation() != Relation::Equal) return std::nullopt;
  const Value& v = p[n.a];
  const bool is_masked = v.kind == ValueKind::Binary && v.arith() == Arith::And;
  const auto mask = is_masked ? constant_of(p, v.b) : std::nullopt;
  if (is_masked && !mask) return std::nullopt;
  const std::uint32_t free = mask ? ~*mask : 0;
  if ((free & (free + 1)) != 0 || (*k & free) != 0) return std::nullopt;  // no prefix, or a test that nothing meets
  const ValueId load = is_masked ? v.a : n.a;
  if (p[load].kind != ValueKind::Load || p[load].size() != 4) return std::nullopt;
  return OnePrefix{load, {*k, *k | free}};
}

}  // namespace

/// A list of one address or network is a list, where all are to be maps.
bool Select::map_test(Graph& g, const Node& n) {
  if (thresholds_.hash > 1) return false;
  const auto one = one_prefix(program_, n);
  if (!one) return false;
  const auto map = map_number(map_of(prefixes_of(Set(one->numbers), 4), 4), code_.words());
  if (map) branch(g, member_of_map(*map, one->load, 4), n.t, n.f);
  return map.has_value();
}

/// Whether a map is to be asked there for addresses of 16 bytes.
bool Select::begins_list(NodeId id) {
  const auto list = find_addresses(program_, id, address_work_);
  return list && list->size() >= thresholds_.addresses;
}

/// Tests for addresses of 16 bytes from a node on. A packet that ends within them is left to the tests as they are written,
/// unless all ways to "accept" need the bytes: a network wants fewer than an address has.
bool Select::map_addresses(Graph& g, NodeId id) {
  if (g.join != nullptr || is_settled(id)) return false;
  const auto list = find_addresses(program_, id, address_work_);
  if (!list || list->size() < thresholds_.addresses || made_.maps.size() + list->fields.size() > most_set_maps) return false;
  if (sure_failure(list->base, list->end())) return false;
  const bool is_there = machine_.captured.has(list->base, list->end());
  const bool is_needed = is_there || needs_.end(id, list->base, 0) >= list->end();
  if (is_needed) {
    if (!is_there) check(list->base, list->end());
    machine_.captured.learn(list->base, list->end());
    const Condition c = look_up(g, *list);
    branch_over(g, c, program_[id], follow(list->in), follow(list->out));
    return true;
  }
  if (list->size() > most_twice) return false;
  const Label too_short = code_.label();
  Machine before = check_or(too_short, list->base, list->end());
  machine_.captured.learn(list->base, list->end());
  const Condition c = look_up(g, *list);
  Place &in = g.places[static_cast<std::uint32_t>(list->in)], &out = g.places[static_cast<std::uint32_t>(list->out)];
  arrive(in);
  arrive(out);
  code_.jump(c, label_of(in));
  code_.jump(label_of(out));
  code_.bind(too_short);
  machine_ = std::move(before);
  settle(*list, id);
  return false;
}

/// Goes on with a list's last lookup; for the others it has jumped where an address was found.
Condition Select::look_up(Graph& g, const AddressList& list) {
  for (std::size_t i = 0;; ++i) {
    const AddressList::Field& field = list.fields[i];
    const Slot key = code_.slot(8 + address_bytes);
    code_.words(program_.span(field.first));
    copy_to_stack(list.base, field.at, key, 8);
    const Condition c = look_up(*map_number(map_of(field.prefixes, address_bytes), code_.words()), key, 8);
    if (i + 1 == list.fields.size()) return c;
    arrive(g.places[static_cast<std::uint32_t>(list.in)]);
    code_.jump(c, way(g, list.in));
  }
}

/// An address, as it lies in the packet.
void Select::copy_to_stack(ValueId base, std::uint32_t from, Slot to, std::int32_t at) {
  const std::uint32_t part = reach_ == Reach::Absolute ? 4 : 8;
  for (std::uint32_t i = 0; i < address_bytes; i += part) {
    const Register r = part == 8 ? load_bytes(base, std::uint64_t{from} + i, part) : load_in_order(base, std::uint64_t{from} + i, part);
    if (part != 8) code_.swap(r, part);
    code_.store(to, at + static_cast<std::int32_t>(i), r, part);
  }
}

/// A check that leads elsewhere when it fails, and what holds there.
Machine Select::check_or(Label fails, ValueId base, std::uint64_t end) {
  const std::array labels{reject_, rejects_if_linear_, elsewhere_};
  reject_ = rejects_if_linear_ = elsewhere_ = fails;
  check(base, end);
  reject_ = labels[0], rejects_if_linear_ = labels[1], elsewhere_ = labels[2];
  Machine there = machine_;
  for (Machine::Held& h : there.registers)
    if (h.form == Machine::Form::Pointer) h = {};
  return there;
}

/// The tests of a list are asked as they are written.
void Select::settle(const AddressList& list, NodeId from) {
  settled_.resize(program_.node_count());
  std::vector<NodeId> left{from};
  while (!left.empty()) {
    const NodeId id = left.back();
    left.pop_back();
    if (id == list.in || id == list.out || settled_[static_cast<std::size_t>(id)]) continue;
    settled_[static_cast<std::size_t>(id)] = true;
    left.push_back(program_[id].t);
    if (program_[id].forks()) left.push_back(program_[id].f);
  }
}

bool Select::is_settled(NodeId id) const { return !settled_.empty() && settled_[static_cast<std::size_t>(id)]; }

}  // namespace weir::ebpf
