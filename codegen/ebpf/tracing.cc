// Programs that look on from a tracepoint: what is known of an sk_buff, read field by field.
#include <algorithm>

#include "ebpf/select.hpp"

namespace weir::ebpf {

using namespace ir;

namespace {

constexpr std::uint32_t no_mac_header = 0xffff;  ///< skb_mac_header_was_set (include/linux/skbuff.h)

}  // namespace

/// A field of a structure of the kernel, in r0; 0 where there is no such memory.
Register Select::read_field(Register structure, KernelField field, std::uint32_t bytes) {
  const Slot read = code_.slot();
  code_.move(3, structure);
  code_.add_field(3, field);
  code_.address(1, read);
  code_.set(2, bytes);
  call(helper::ProbeReadKernel);
  code_.load(0, read, 0, bytes);
  return 0;
}

/// r7: address of the frame; r8: bytes from there to the end of the linear part. The frame begins with its MAC header, which is
/// in front of the data when it is known.
void Select::begin_tracing() {
  const Register skb = context_;
  code_.load(skb, 1, static_cast<std::int32_t>(options_.argument * 8), 8);
  reach_ = Reach::Calls;
  code_.move(9, read_field(skb, KernelField::SkbData, 8));
  const Slot begin = code_.slot();
  code_.store(begin, 0, 9, 8);
  code_.move(7, read_field(skb, KernelField::SkbHead, 8));
  read_field(skb, KernelField::SkbMacHeader, 2);
  code_.alu64(op::ADD, 7, Register{0});
  const Label known = code_.label();
  code_.jump({.relation = op::JNE, .left = 0, .k = no_mac_header}, known);
  code_.move(7, 9);
  code_.bind(known);
  code_.alu64(op::SUB, 9, Register{7});  // bytes of the link layer's header that are in front of the data
  read_field(skb, KernelField::SkbLen, 4);
  code_.alu64(op::ADD, 9, Register{0});
  code_.alu64(op::LSH, 9, 32);
  code_.alu64(op::RSH, 9, 32);
  length_slot_ = code_.slot();
  code_.store(*length_slot_, 0, 9, 8);
  code_.move(length, 9);
  read_field(skb, KernelField::SkbDataLen, 4);
  code_.alu64(op::SUB, length, Register{0});
}

Register Select::traced_metadata(ValueId id, Register to) {
  switch (program_[id].meta()) {
    case Meta::Protocol:
      code_.move(to, read_field(context_, KernelField::SkbProtocol, 2));
      code_.swap(to, 2);
      break;
    case Meta::VlanTag: code_.move(to, read_field(context_, KernelField::SkbVlanTci, 2)); break;
    case Meta::VlanProtocol:
      code_.move(to, read_field(context_, KernelField::SkbVlanProto, 2));
      code_.swap(to, 2);
      break;
    case Meta::VlanTagPresent: {
      // skb_vlan_tag_present (include/linux/if_vlan.h): either is not 0.
      const Slot tci = code_.slot();
      code_.store(tci, 0, read_field(context_, KernelField::SkbVlanTci, 2), 8);
      code_.move(to, read_field(context_, KernelField::SkbVlanProto, 2));
      code_.load(1, tci, 0, 8);
      if (to == 1) {
        code_.load(1, tci, 0, 8);
        code_.alu64(op::OR, 1, Register{0});
      } else {
        code_.alu64(op::OR, to, Register{1});
      }
      const Label none = code_.label();
      code_.jump({.relation = op::JEQ, .left = to, .k = 0}, none);
      code_.set(to, 1);
      code_.bind(none);
      break;
    }
    case Meta::InterfaceIndex: {
      const Register device = read_field(context_, KernelField::SkbDevice, 8);
      code_.move(to, read_field(device, KernelField::DeviceIndex, 4));
      break;
    }
    case Meta::PacketType: refuse(id); break;
  }
  machine_.registers[to] = {};
  return to;
}

/// Counts in the map `weir_count`, and returns. A packet more that was rejected (0) or accepted (1).
void Select::count_and_end(bool accepted) {
  const Label uncounted = code_.label();
  const Slot key = code_.slot();
  // Behind the sets, which the program knows by their numbers.
  auto counters = std::ranges::find(made_.maps, MapKind::PerCpuArray, &Map::kind);
  if (counters == made_.maps.end())
    counters = made_.maps.insert(counters, {.name = "weir_count",
                                            .kind = MapKind::PerCpuArray,
                                            .key_bytes = 4,
                                            .value_bytes = 8,
                                            .max_entries = 2,
                                            .keys = {},
                                            .span = {}});
  const auto number = static_cast<std::uint32_t>(counters - made_.maps.begin());
  code_.set(1, accepted ? 1 : 0);
  code_.store(key, 0, 1, 4);
  code_.set_map(1, number);
  code_.address(2, key);
  code_.call(helper::LookUp);
  code_.jump({.relation = op::JEQ, .wide = true, .left = 0, .k = 0}, uncounted);
  code_.load(1, 0, 0, 8);
  code_.alu64(op::ADD, 1, 1);
  code_.store(Register{0}, 0, 1, 8);
  code_.bind(uncounted);
  code_.set(0, static_cast<std::uint32_t>(accepted ? *match_ : made_.no_match));
  code_.exit();
}

}  // namespace weir::ebpf
