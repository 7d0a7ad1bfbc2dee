#include "vm/ebpf_memory.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace weir::vm {
namespace {

using ebpf::Access;
using ebpf::ContextField;
using ebpf::KernelField;

// Kernel memory: an sk_buff, its net_device, and the bytes from its `head` on. The offsets of fields are made up, and all different.
constexpr std::uint32_t skb_at = 0, device_at = 0x400, head_at = 0x800, headroom = 64, first_field = 16, field_distance = 24;

/// Loads through structures that are not there give 0 (arch/x86/mm/extable.c, ex_handler_bpf).
constexpr std::uint64_t null_page = 0x10000;

constexpr std::uint32_t usual_tag_protocol = 0x8100;

std::uint32_t field_bytes(KernelField field) {
  constexpr std::uint32_t sizes[] = {
#define WEIR_KERNEL_FIELD(field, structure, member, bytes) bytes,
#include "ebpf/kernel_fields.def"
#undef WEIR_KERNEL_FIELD
  };
  return sizes[static_cast<std::size_t>(field)];
}

std::uint64_t exchanged(std::uint32_t half) { return static_cast<std::uint16_t>(half << 8 | (half >> 8 & 0xff)); }

}  // namespace

std::uint32_t offset_of(KernelField field) { return first_field + static_cast<std::uint32_t>(field) * field_distance; }

EbpfMemory::EbpfMemory(const ebpf::Program& program, std::span<EbpfMap> maps, const Packet& packet, const EbpfSetting& setting)
    : hook_(program.hook), maps_(maps), packet_(packet.bytes.begin(), packet.bytes.end()),
      linear_(std::min(setting.linear.value_or(packet_.size()), packet_.size())), length_(packet.length) {
  if (context_of(hook_) == ebpf::ContextKind::RawArgs) describe_kernel(packet, setting);
  else describe_packet(packet, setting);
}

void EbpfMemory::describe_packet(const Packet& packet, const EbpfSetting&) {
  const auto set = [&](ContextField field, std::uint64_t value) { context_[static_cast<std::size_t>(field)] = value; };
  const Metadata& meta = packet.meta;
  set(ContextField::Length, packet.length);
  set(ContextField::WireLength, packet.length);
  set(ContextField::PacketType, meta.packet_type);
  set(ContextField::Protocol, exchanged(meta.protocol));  // network order, in the low half
  set(ContextField::VlanPresent, meta.vlan_tag_present);
  set(ContextField::VlanTci, meta.vlan_tag);
  set(ContextField::VlanProtocol, exchanged(meta.vlan_protocol));
  set(ContextField::Interface, meta.interface_index);
  set(ContextField::IngressInterface, meta.interface_index);
  set(ContextField::XdpInterface, meta.interface_index);
}

void EbpfMemory::describe_kernel(const Packet& packet, const EbpfSetting& setting) {
  kernel_.resize(head_at + headroom + linear_);
  const auto put = [&](std::uint32_t structure, KernelField field, std::uint64_t value) {
    std::memcpy(kernel_.data() + structure + offset_of(field), &value, field_bytes(field));
  };
  const auto header = [](std::int32_t at) { return std::uint64_t{headroom + static_cast<std::uint32_t>(at)}; };
  const std::uint64_t head = address::kernel + head_at;
  const Metadata& meta = packet.meta;
  put(skb_at, KernelField::SkbLen, packet.length - std::min(setting.pulled, packet.length));
  put(skb_at, KernelField::SkbDataLen, packet.length - std::min<std::uint64_t>(linear_, packet.length));
  put(skb_at, KernelField::SkbHead, head);
  put(skb_at, KernelField::SkbData, head + headroom + setting.pulled);
  put(skb_at, KernelField::SkbMacHeader, header(setting.link_header));
  put(skb_at, KernelField::SkbNetworkHeader, header(setting.network_header));
  put(skb_at, KernelField::SkbProtocol, exchanged(meta.protocol));
  // In an sk_buff a tag is there when its protocol or its bits are not 0 (skb_vlan_tag_present).
  put(skb_at, KernelField::SkbVlanTci, meta.vlan_tag_present ? meta.vlan_tag : 0);
  put(skb_at, KernelField::SkbVlanProto,
      meta.vlan_tag_present ? exchanged(meta.vlan_protocol ? meta.vlan_protocol : usual_tag_protocol) : 0);
  put(skb_at, KernelField::SkbDevice, address::kernel + device_at);
  put(device_at, KernelField::DeviceIndex, meta.interface_index);
  std::copy_n(packet_.begin(), linear_, kernel_.begin() + head_at + headroom);
  if (setting.argument < arguments_.size()) arguments_[setting.argument] = address::kernel + skb_at;
}

Place EbpfMemory::stack_at(std::uint64_t offset, std::uint32_t size, Access access) {
  if (offset + size > (depth_ + 1) * ebpf::stack_bytes) return {nullptr, "is outside the stack"};
  for (std::uint64_t i = offset; i < offset + size; ++i) {
    if (access == Access::Write) written_.set(i);
    else if (!written_.test(i)) return {nullptr, "reads a part of the stack that nothing was written to"};
  }
  return {stack_.data() + offset, {}};
}

Place EbpfMemory::at(std::uint64_t address, std::uint32_t size, Access access) {
  const auto inside = [&](std::uint64_t begin, std::uint64_t bytes) {
    return address >= begin && address - begin <= bytes && size <= bytes - (address - begin);
  };
  if (inside(address::stack, stack_.size())) return stack_at(address - address::stack, size, access);
  if (inside(address::packet, linear_)) {
    if (access == Access::Write && !may_write_packet(hook_)) return {nullptr, "writes into the packet, which this hook does not permit"};
    return {packet_.data() + (address - address::packet), {}};
  }
  if (address >= address::values && (address - address::values) / address::apart < maps_.size()) {
    const auto values = maps_[(address - address::values) / address::apart].values();
    const std::uint64_t offset = (address - address::values) % address::apart;
    if (offset <= values.size() && size <= values.size() - offset) return {values.data() + offset, {}};
    return {nullptr, "is outside the values of the map"};
  }
  if (hook_ == ebpf::Hook::TracingBtf && access == Access::Read) {
    if (inside(address::kernel, kernel_.size())) return {kernel_.data() + (address - address::kernel), {}};
    if (address < null_page || address >> 32 == address::kernel >> 32) return {(nothing_ = {}).data(), {}};
  }
  if (address >= address::packet && address < address::kernel) return {nullptr, "is outside the packet"};
  return {nullptr, "is outside everything that the program may reach"};
}

const std::uint8_t* EbpfMemory::kernel_at(std::uint64_t address, std::uint32_t size) const {
  if (address < address::kernel || address - address::kernel > kernel_.size() ||
      size > kernel_.size() - (address - address::kernel))
    return nullptr;
  return kernel_.data() + (address - address::kernel);
}

std::optional<std::uint64_t> EbpfMemory::load_context(std::int64_t offset, std::uint32_t size) const {
  if (context_of(hook_) == ebpf::ContextKind::RawArgs) {
    if (offset < 0 || offset % size != 0 || offset + size > static_cast<std::int64_t>(sizeof arguments_)) return std::nullopt;
    std::uint64_t value = 0;
    std::memcpy(&value, reinterpret_cast<const char*>(arguments_.data()) + offset, size);
    return value;
  }
  const auto* const row = find_context(hook_, offset, size, Access::Read);
  if (!row) return std::nullopt;
  switch (row->kind) {
    case ebpf::FieldKind::Data: return address::packet;
    case ebpf::FieldKind::DataEnd: return address::packet + linear_;
    case ebpf::FieldKind::Number: break;
  }
  const std::uint64_t value = context_[static_cast<std::size_t>(row->field)] >> (offset - row->offset) * 8;
  return size == 8 ? value : value & ((std::uint64_t{1} << size * 8) - 1);
}

bool EbpfMemory::store_context(std::int64_t offset, std::uint32_t size, std::uint64_t value) {
  if (context_of(hook_) == ebpf::ContextKind::RawArgs) return false;
  const auto* const row = find_context(hook_, offset, size, Access::Write);
  if (!row) return false;
  std::memcpy(reinterpret_cast<char*>(&context_[static_cast<std::size_t>(row->field)]) + (offset - row->offset), &value, size);
  return true;
}

EbpfMap* EbpfMemory::map_of(std::uint64_t address) const {
  const std::uint64_t number = (address - address::maps) / address::apart;
  return address >= address::maps && number < maps_.size() && address % address::apart == 0 ? &maps_[number] : nullptr;
}

std::uint64_t EbpfMemory::value_address(std::uint64_t map, std::size_t slot) const {
  const std::uint64_t number = (map - address::maps) / address::apart;
  return address::values + number * address::apart + slot * maps_[number].value_bytes();
}

bool EbpfMemory::enter() {
  if (depth_ + 1 == ebpf::call_depth) return false;
  ++depth_;
  return true;
}

void EbpfMemory::leave() {
  for (std::size_t i = 0; i < ebpf::stack_bytes; ++i) written_.reset(depth_ * ebpf::stack_bytes + i);
  --depth_;
}

}  // namespace weir::vm
