#include <fmt/format.h>

#include "resolve/families.hpp"
#include "wire/ieee802.hpp"
#include "wire/protocol.hpp"

namespace weir::resolve {
namespace {

/// Whether an LLC header follows at all.
Test llc_frame(const Site& s) {
  const wire::Layout& layout = s.layers.layout();
  if (!layout.llc) return not_on_link_type(s, "llc");
  if (layout.addresses == wire::Addresses::Wlan) return wlan_data_frame(s);
  if (layout.atm) return atm_llc(s);
  if (layout.type_field == wire::TypeField::Llc) return truth(s, true);
  // A length, and not Novell's raw 802.3, which has ff ff where the two SAPs would be.
  return all(s, {at_most(s, in_type_field(s, 0, 2), wire::max_ethernet_length), no(s, equals(s, in_llc(s, 0, 2), 0xffff))});
}

}  // namespace

Test llc(const Site& s, const ast::Llc& l) {
  const auto kind = wire::llc_kind(l.kind);
  if (!l.kind.empty() && !kind)
    return fail(Code::Name, l.kind_span, fmt::format("unknown LLC type name \"{}\"", l.kind),
                "the formats are i, s and u; their kinds rr, rnr, rej and ui, ua, disc, dm, sabme, test, xid, frmr");
  WEIR_TRY(frame, llc_frame(s));
  if (!kind) return frame;
  return all(s, {frame, masked(s, in_llc(s, 2, 1), kind->mask, kind->value)});
}

/// DSAP and SSAP say SNAP, the control field UI, then organization and EtherType (IEEE 802-2014 §9.5).
ExprId snap(const Site& s, std::uint32_t organization, std::uint16_t ethertype) {
  const auto byte = [](std::uint32_t v, unsigned shift) { return static_cast<std::uint8_t>(v >> shift); };
  const std::uint8_t header[] = {wire::llc_sap::Snap,   wire::llc_sap::Snap,   0x03,
                                 byte(organization, 16), byte(organization, 8), byte(organization, 0),
                                 byte(ethertype, 8),     byte(ethertype, 0)};
  return bytes_equal(s, s.layers.payload, 0, header);
}

}  // namespace weir::resolve
