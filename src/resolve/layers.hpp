// Where the headers are that a primitive looks at. `vlan`, `mpls`, `pppoes`, `geneve` and `vxlan` move them for all that
// stands to their right; so Layers is a value that is handed from left to right.
#pragma once
#include <cstdint>

#include "pred/filter.hpp"
#include "wire/link_type.hpp"

namespace weir::resolve {

/// An offset in the packet: a part known at run time only (no_value: none) and a constant.
struct Offset {
  pred::ValueId variable = pred::no_value;
  std::uint32_t constant = 0;
};

struct Layers {
  const wire::LinkType* link = nullptr;  ///< of the innermost link-layer header so far
  Offset link_header;
  Offset type;     ///< the field that names the network protocol
  Offset payload;  ///< of the link layer
  std::uint32_t network = 0;          ///< from payload to the network header
  std::uint32_t network_no_snap = 0;  ///< the same where LLC stands without SNAP
  unsigned vlans = 0;
  unsigned mpls_labels = 0;
  bool encapsulated = false;  ///< directly inside Geneve or VXLAN
  bool cooked = false;        ///< there is no header: the kernel knows its fields
  bool lane = false;          ///< directly inside ATM LAN emulation

  const wire::Layout& layout() const { return link->layout; }
  /// Whether the link-layer header is still the one that the packet begins with.
  bool outermost() const { return link_header.variable == pred::no_value && link_header.constant == 0; }
};

/// The layers of a packet before any tunnel.
Layers outer_layers(pred::Filter& f, const wire::LinkType& link, bool cooked);

}  // namespace weir::resolve
