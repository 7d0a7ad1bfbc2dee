// What loads, stores and helpers do.
#include "prove/ebpf_step.hpp"

#include <algorithm>

#include "ebpf/context.hpp"
#include "ebpf/decode.hpp"
#include "ebpf/helpers.hpp"

namespace weir::prove {
namespace {

namespace op = ebpf::op;
using ebpf::bytes_of;

constexpr std::int32_t bad_address = -14;  ///< EFAULT: what helpers return for bytes that are not there

/// A map's keys in ascending order; prefixes count their bits, others have all.
std::vector<Stepper::Key> keys_of(const ebpf::Map& m) {
  const bool is_trie = m.kind == ebpf::MapKind::LpmTrie;
  const std::uint32_t head = is_trie ? 4 : 0, bytes = m.key_bytes - head, step = std::min(bytes, 4u);
  std::vector<Stepper::Key> keys;
  for (std::size_t at = 0; at < m.keys.size(); at += m.key_bytes) {
    // The length of a prefix is little endian, as this machine; none is longer than 128.
    Stepper::Key key{is_trie ? m.keys[at] : 8 * bytes, {}};
    for (std::uint32_t from = 0; from < bytes; from += step) {
      std::uint32_t number = 0;
      for (std::uint32_t n = 0; n < step; ++n) number = number << 8 | m.keys[at + head + from + n];
      key.words.push_back(number);
    }
    keys.push_back(std::move(key));
  }
  std::ranges::sort(keys, {}, &Stepper::Key::words);
  return keys;
}

}  // namespace

Ref Stepper::address(const PacketPlace& at, std::int64_t offset) {
  const std::int64_t k = at.displacement + offset;
  return k == 0 ? at.index : algebra_.binary(Arith::Add, at.index, algebra_.constant(static_cast<std::uint32_t>(k)));
}

Content Stepper::load(const Instruction& i, const State& s) {
  if (ebpf::mode(i) != op::MEM) throw NotUnderstood{};
  const Content& from = s.registers[i.src];
  if (const auto* place = std::get_if<PacketPlace>(&from)) return words_.loaded(address(*place, i.offset), bytes_of(i));
  if (const auto* place = std::get_if<StackPlace>(&from)) {
    if (const auto known = s.stack.read(place->offset + i.offset, bytes_of(i), algebra_)) return *known;
    throw NotUnderstood{};
  }
  if (const auto* place = std::get_if<TablePlace>(&from); place && place->at && i.offset == 0 && bytes_of(i) == 4)
    return Entry{place->map, *place->at};
  if (!std::holds_alternative<Context>(from)) throw NotUnderstood{};
  const ebpf::ContextRow* row = ebpf::find_context(p_.hook, i.offset, bytes_of(i), ebpf::Access::Read);
  if (row && row->kind == ebpf::FieldKind::Data) return PacketPlace{algebra_.constant(0), 0};
  if (row && row->kind == ebpf::FieldKind::DataEnd) return PacketEnd{};
  return field(i.offset, bytes_of(i));
}

/// What the kernel tells of the packet; network order where its structure has that (include/linux/skbuff.h).
Scalar Stepper::field(std::int64_t offset, std::uint32_t bytes) {
  using ebpf::ContextField;
  const ebpf::ContextRow* row = ebpf::find_context(p_.hook, offset, bytes, ebpf::Access::Read);
  if (!row || row->bytes != bytes || row->offset != offset) throw NotUnderstood{};
  const auto meta = [&](Meta m, std::uint8_t swapped = 0) { return words_.extended({algebra_.meta(m), swapped, {}}); };
  switch (row->field) {
    case ContextField::Length: return words_.extended({algebra_.length(), 0, {}});
    case ContextField::PacketType: return meta(Meta::PacketType);
    case ContextField::Protocol: return meta(Meta::Protocol, 2);
    case ContextField::VlanPresent: return meta(Meta::VlanTagPresent);
    case ContextField::VlanTci: return meta(Meta::VlanTag);
    case ContextField::VlanProtocol: return meta(Meta::VlanProtocol, 2);
    case ContextField::Interface:
    case ContextField::XdpInterface: return meta(Meta::InterfaceIndex);
    default: throw NotUnderstood{};
  }
}

void Stepper::store(const Instruction& i, State& s) {
  if (ebpf::mode(i) != op::MEM) throw NotUnderstood{};
  const Content& to = s.registers[i.dst];
  if (std::holds_alternative<Found>(to)) return;  // values of maps are counters, which nothing here reads
  const auto* place = std::get_if<StackPlace>(&to);
  if (!place) throw NotUnderstood{};
  const Scalar value = ebpf::class_of(i) == op::ST ? words_.number(extended(i.imm)) : scalar(s, i.src);
  const Word low = words_.low_bytes(value.low, bytes_of(i));
  s.stack.put({place->offset + i.offset, bytes_of(i), bytes_of(i) == 8 ? value : words_.extended(low)}, algebra_);
}

/// LD_ABS and LD_IND: in host order; beyond the packet, the program ends and returns 0.
Partial Stepper::load_packet(const Instruction& i, State& s) {
  if (!std::holds_alternative<Context>(s.registers[6]) || i.imm < 0) throw NotUnderstood{};
  const auto k = static_cast<std::uint32_t>(i.imm), size = bytes_of(i);
  Ref index = algebra_.constant(0);
  if (ebpf::mode(i) == op::IND) index = words_.plain(scalar(s, i.src).low);
  const Partial there = partials_.guard(index, std::uint64_t{k} + size);
  const Ref at = algebra_.binary(Arith::Add, index, algebra_.constant(k));
  for (std::size_t r = 0; r <= 5; ++r) s.registers[r] = std::monostate{};
  s.registers[0] = words_.extended({algebra_.load(size, at), 0, {}});
  return there;
}

// ---- helpers ------------------------------------------------------------------------------------------------

void Stepper::call(const Instruction& i, State& s) {
  const ebpf::HelperRow* row = ebpf::find_helper(i.imm);
  if (!row || i.src != 0) throw NotUnderstood{};
  Content result;
  switch (row->helper) {
    case ebpf::Helper::LoadBytes:
    case ebpf::Helper::LoadBytesXdp: {
      const Ref copied = copy(s).there;
      const Word zero = words_.constant(0);
      result = Scalar{words_.choose(copied, zero, words_.constant(static_cast<std::uint32_t>(bad_address))),
                      words_.choose(copied, zero, words_.constant(0xffffffff)), {}};
      break;
    }
    case ebpf::Helper::BuffLength: result = words_.extended({algebra_.length(), 0, {}}); break;
    case ebpf::Helper::LookUp: result = Found{look_up(s)}; break;
    default: throw NotUnderstood{};
  }
  for (std::size_t r = 1; r <= 5; ++r) s.registers[r] = std::monostate{};
  s.registers[0] = result;
}

/// (context, offset, to, count): bytes of the whole packet onto the stack. That XDP's helper takes no offset beyond 0xffff
/// (net/core/filter.c, bpf_xdp_load_bytes) is not modelled: packets so long are taken not to come there. Where they are not there
/// nobody looks at them: the stack then has zeros, which the verifier lets a program read, but none is to depend on it.
Partial Stepper::copy(State& s) {
  const Scalar offset = scalar(s, 2), count = scalar(s, 4);
  const auto* to = std::get_if<StackPlace>(&s.registers[3]);
  if (!std::holds_alternative<Context>(s.registers[1]) || !to || !count.low.known) throw NotUnderstood{};
  const Ref from = words_.plain(offset.low);
  s.stack.put({to->offset, *count.low.known, Copied{from}}, algebra_);
  return partials_.guard(from, *count.low.known);
}

/// Whether the key on the stack is one of the map's, or begins with one of its prefixes.
Ref Stepper::look_up(const State& s) {
  const auto* map = std::get_if<MapReference>(&s.registers[1]);
  const auto* place = std::get_if<StackPlace>(&s.registers[2]);
  if (!map || !place || map->number >= p_.maps.size()) throw NotUnderstood{};
  const ebpf::Map& m = p_.maps[map->number];
  if (m.kind == ebpf::MapKind::Array || m.kind == ebpf::MapKind::PerCpuArray) {
    const auto index = s.stack.read(place->offset, 4, algebra_);
    if (!index || !index->low.known || *index->low.known >= m.max_entries) throw NotUnderstood{};
    return partials_.yes();
  }
  const std::uint32_t head = m.kind == ebpf::MapKind::LpmTrie ? 4 : 0, bytes = m.key_bytes - head, step = std::min(bytes, 4u);
  if (step == 3 || bytes % step != 0) throw NotUnderstood{};
  std::vector<Ref> asked;
  for (std::uint32_t at = 0; at < bytes; at += step) {
    const auto part = s.stack.read(place->offset + head + at, step, algebra_);
    if (!part) throw NotUnderstood{};
    asked.push_back(words_.plain(step == 1 ? part->low : words_.swap(part->low, step)));
  }
  return in_keys(asked, step, keys_of(m));
}

/// Keys in order, by words: with an end inside one of them, or behind the last.
Ref Stepper::in_keys(std::span<const Ref> asked, std::uint32_t bytes, std::span<const Key> keys) {
  std::vector<Interval> ends;
  Ref deeper = algebra_.truth(false);
  for (std::size_t i = 0; i < keys.size();) {
    const std::uint32_t number = keys[i].words.front();
    if (keys[i].bits <= 8 * bytes) {
      const auto rest = static_cast<std::uint32_t>((std::uint64_t{1} << (8 * bytes - keys[i].bits)) - 1);
      ends.push_back({number & ~rest, number | rest});
      ++i;
      continue;
    }
    std::vector<Key> below;
    for (; i < keys.size() && keys[i].bits > 8 * bytes && keys[i].words.front() == number; ++i)
      below.push_back({keys[i].bits - 8 * bytes, {keys[i].words.begin() + 1, keys[i].words.end()}});
    const Ref here = algebra_.member(asked.front(), Set::of(number));
    deeper = algebra_.either(algebra_.both(here, in_keys(asked.subspan(1), bytes, below)), deeper);
  }
  return algebra_.either(algebra_.member(asked.front(), Set::join(std::move(ends))), deeper);
}

}  // namespace weir::prove
