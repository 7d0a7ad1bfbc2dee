// As net/core/filter.c (bpf_skb_load_bytes, bpf_skb_load_bytes_relative, bpf_skb_pull_data, __bpf_xdp_load_bytes), kernel/bpf/helpers.c and
// kernel/trace/bpf_trace.c have them.
#include "vm/ebpf_helpers.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace weir::vm {
namespace {

using ebpf::Access;

constexpr std::uint64_t most_relative = 0xffff, most_xdp = 0xffff, most_offset = 0x7fffffff;
constexpr std::uint64_t from_link = 0, from_network = 1;  // BPF_HDR_START_MAC, BPF_HDR_START_NET

std::uint64_t error(int number) { return static_cast<std::uint64_t>(std::int64_t{-number}); }
std::uint64_t lower(std::uint64_t v) { return static_cast<std::uint32_t>(v); }

}  // namespace

/// Bytes [offset, offset + size) of the packet, when they lie before `end`.
const std::uint8_t* EbpfHelpers::packet_bytes(std::uint64_t offset, std::uint64_t size, std::uint64_t end) const {
  return offset <= end && size <= end - offset ? memory_.packet().data() + offset : nullptr;
}

/// Copies to memory of the program; without bytes to copy, -EFAULT, and the memory is cleared where the helper does so. A failing probe
/// clears, too, and leaves it written.
Called EbpfHelpers::copy_out(std::uint64_t to, std::uint64_t size, const std::uint8_t* from, bool clears) {
  if (size > most_offset) return {0, "asks a helper for more bytes than there can be"};
  const Place place = memory_.at(to, static_cast<std::uint32_t>(size), Access::Write);
  if (!place.bytes) return {0, place.problem};
  if (from) std::memcpy(place.bytes, from, size);
  else if (clears) std::memset(place.bytes, 0, size);
  return {from ? 0 : error(EFAULT)};
}

const std::uint8_t* EbpfHelpers::relative_bytes(Arguments a) const {
  if (lower(a[1]) > most_relative || lower(a[4]) > from_network) return nullptr;
  const std::int32_t start = lower(a[4]) == from_link ? setting_.link_header : setting_.network_header;
  const std::int64_t offset = start + static_cast<std::int64_t>(lower(a[1]));
  return offset < 0 ? nullptr : packet_bytes(static_cast<std::uint64_t>(offset), lower(a[3]), memory_.linear());
}

Called EbpfHelpers::look_up(Arguments a) {
  EbpfMap* const map = memory_.map_of(a[0]);
  if (!map) return {0, "wants a map in r1"};
  const Place key = memory_.at(a[1], map->key_bytes(), Access::Read);
  if (!key.bytes) return {0, key.problem};
  const auto slot = map->find({key.bytes, map->key_bytes()});
  return {slot ? memory_.value_address(a[0], *slot) : 0};
}

Called EbpfHelpers::update(Arguments a) {
  EbpfMap* const map = memory_.map_of(a[0]);
  if (!map) return {0, "wants a map in r1"};
  const Place key = memory_.at(a[1], map->key_bytes(), Access::Read);
  if (!key.bytes) return {0, key.problem};
  const Place value = memory_.at(a[2], map->value_bytes(), Access::Read);
  if (!value.bytes) return {0, value.problem};
  const std::vector<std::uint8_t> copy(value.bytes, value.bytes + map->value_bytes());  // it may lie in the map, which grows
  return {static_cast<std::uint64_t>(std::int64_t{map->update({key.bytes, map->key_bytes()}, copy, a[3])})};
}

Called EbpfHelpers::remove(Arguments a) {
  EbpfMap* const map = memory_.map_of(a[0]);
  if (!map) return {0, "wants a map in r1"};
  const Place key = memory_.at(a[1], map->key_bytes(), Access::Read);
  if (!key.bytes) return {0, key.problem};
  return {static_cast<std::uint64_t>(std::int64_t{map->remove({key.bytes, map->key_bytes()})})};
}

Called EbpfHelpers::random() {
  if (!random_) random_.emplace(setting_.seed);
  return {(*random_)()};
}

Called EbpfHelpers::call(ebpf::Helper helper, Arguments a) {
  using enum ebpf::Helper;
  const auto is_context = [&] { return a[0] == address::context; };
  const std::uint64_t whole = memory_.packet().size();
  switch (helper) {
    case LookUp: return look_up(a);
    case Update: return update(a);
    case Delete: return remove(a);
    case Nanoseconds: return {setting_.nanoseconds};
    case Random: return random();
    case Processor: return {0};
    case LoadBytes:
      if (!is_context()) break;
      return copy_out(a[2], lower(a[3]), lower(a[1]) > most_offset ? nullptr : packet_bytes(lower(a[1]), lower(a[3]), whole), true);
    case PullData: {
      if (!is_context()) break;
      const std::uint64_t wanted = lower(a[1]) ? lower(a[1]) : memory_.linear();
      if (wanted > whole) return {error(ENOMEM)};
      memory_.make_linear(std::max<std::size_t>(memory_.linear(), wanted));
      return {0};
    }
    case LoadBytesRelative:
      if (!is_context()) break;
      return copy_out(a[2], lower(a[3]), relative_bytes(a), true);
    case ProbeReadKernel:
      return copy_out(a[0], lower(a[1]),
                      lower(a[1]) > most_offset ? nullptr : memory_.kernel_at(a[2], static_cast<std::uint32_t>(a[1])), true);
    case BuffLength:
      if (!is_context()) break;
      return {memory_.length()};
    case LoadBytesXdp:
      if (!is_context()) break;
      if (lower(a[1]) > most_xdp || lower(a[3]) > most_xdp) return copy_out(a[2], lower(a[3]), nullptr, false);
      if (const auto* const bytes = packet_bytes(lower(a[1]), lower(a[3]), whole)) return copy_out(a[2], lower(a[3]), bytes, false);
      if (const Called failed = copy_out(a[2], lower(a[3]), nullptr, false); !failed.problem.empty()) return failed;
      return {error(EINVAL)};
  }
  return {0, "wants the context in r1"};
}

}  // namespace weir::vm
