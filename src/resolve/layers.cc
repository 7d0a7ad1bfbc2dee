#include "resolve/layers.hpp"

namespace weir::resolve {
namespace {

using pred::ExprId;
using pred::Filter;
using pred::ValueId;

/// Bytes 2 and 3, little-endian: the length of a radiotap header (radiotap.org, "Radiotap header") and of PPI's.
ValueId little_endian_length(Filter& f) {
  const ValueId high = f.binary(Arith::Lsh, f.load(1, pred::no_value, 3), f.constant(8));
  return f.binary(Arith::Or, f.load(1, pred::no_value, 2), high);
}

/// The header of AVS has its length in bytes 4 to 7, that of Prism is 144 bytes; drivers that promise the one may give the
/// other, which begins with 80211 and its version (linux-wlan-ng's p80211hdr.h).
ValueId prism_length(Filter& f) {
  const ValueId cookie = f.binary(Arith::And, f.load(4, pred::no_value, 0), f.constant(0xfffff000));
  const ExprId avs = f.compare(Relation::Equal, cookie, f.constant(0x80211000), {});
  return f.choice(avs, f.load(4, pred::no_value, 4), f.constant(144));
}

ValueId prefix_length(Filter& f, wire::Prefix prefix) {
  switch (prefix) {
    case wire::Prefix::None: break;
    case wire::Prefix::Radiotap:
    case wire::Prefix::Ppi: return little_endian_length(f);
    case wire::Prefix::Avs: return f.load(4, pred::no_value, 4);
    case wire::Prefix::Prism: return prism_length(f);
  }
  return pred::no_value;
}

/// The first byte is the length of the header, without the bytes that fill it up to a multiple of 4.
ValueId pf_payload(Filter& f) {
  return f.binary(Arith::And, f.binary(Arith::Add, f.load(1, pred::no_value, 0), f.constant(3)), f.constant(0xfffffffc));
}

ExprId bits_set(Filter& f, ValueId v, std::uint32_t bits) {
  return f.compare(Relation::Bits, v, f.constant(bits), {});
}

/// Whether the frame body of a data frame starts at a multiple of 4 (radiotap field "Flags", bit 0x20): only looked
/// for where the first word of presence bits is the last one. Presence bits are little-endian, loads are not.
ExprId radiotap_data_padding(Filter& f) {
  constexpr std::uint32_t flags_present = 0x02000000, more_words = 0x00000080, tsft_present = 0x01000000;
  const ValueId present = f.load(4, pred::no_value, 4);
  const ValueId flags = f.choice(bits_set(f, present, tsft_present), f.load(1, pred::no_value, 16),
                                 f.load(1, pred::no_value, 8));
  return f.all({bits_set(f, present, flags_present), f.negation(bits_set(f, present, more_words), {}),
                bits_set(f, flags, 0x20)}, {});
}

/// Where the LLC header of an 802.11 data frame starts: 24 bytes of MAC header, 2 more with QoS (IEEE 802.11-2020
/// §9.2.4.1, §9.3.2.1), then padding. Frames that are not data count as 24; a fourth address is not looked for.
ValueId wlan_payload(Filter& f, ValueId header, wire::Prefix prefix) {
  const ValueId frame_control = f.load(1, header, 0);
  const auto at = [&](std::uint32_t n) {
    return header == pred::no_value ? f.constant(n) : f.binary(Arith::Add, header, f.constant(n));
  };
  const ExprId data = f.all({bits_set(f, frame_control, 0x08), f.negation(bits_set(f, frame_control, 0x04), {})}, {});
  ValueId body = f.choice(bits_set(f, frame_control, 0x80), at(26), at(24));
  if (prefix == wire::Prefix::Radiotap) {
    const ValueId rounded = f.binary(Arith::And, f.binary(Arith::Add, body, f.constant(3)), f.constant(0xfffffffc));
    body = f.choice(radiotap_data_padding(f), rounded, body);
  }
  return f.choice(data, body, at(24));
}

}  // namespace

Layers outer_layers(Filter& f, const wire::LinkType& link, bool cooked) {
  const wire::Layout& layout = link.layout;
  Layers layers{.link = &link,
                .link_header = {prefix_length(f, layout.prefix), layout.header},
                .type = {pred::no_value, layout.type_offset},
                .payload = {pred::no_value, cooked ? 0 : layout.payload},
                .network = layout.network,
                .network_no_snap = layout.network_no_snap,
                .cooked = cooked};
  if (layout.addresses == wire::Addresses::Wlan)
    layers.payload.variable = wlan_payload(f, layers.link_header.variable, layout.prefix);
  if (layout.pf) layers.payload.variable = pf_payload(f);
  return layers;
}

}  // namespace weir::resolve
