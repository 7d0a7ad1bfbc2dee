// Words that the printer writes and the reader takes.
#pragma once
#include <string_view>

#include "base/packet.hpp"

namespace weir::ir {

struct MetaWord {
  Meta meta;
  std::string_view word;
};

inline constexpr MetaWord meta_words[] = {
    {Meta::Protocol, "protocol"},
    {Meta::PacketType, "packet_type"},
    {Meta::InterfaceIndex, "interface_index"},
    {Meta::VlanTag, "vlan_tag"},
    {Meta::VlanTagPresent, "vlan_tag_present"},
    {Meta::VlanProtocol, "vlan_protocol"},
};

/// The word of a Meta; empty for a number that is none.
constexpr std::string_view word_of(Meta m) {
  for (const MetaWord& w : meta_words)
    if (w.meta == m) return w.word;
  return {};
}

}  // namespace weir::ir
