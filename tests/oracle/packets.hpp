// Realistic packets of a link type, as starting points: what is on real wires, in all the shapes that the language
// tells apart. Their fields take values from values.hpp.
#pragma once
#include <string_view>

#include "random.hpp"
#include "setting.hpp"

namespace weir::oracle {

/// A network-layer packet and what link layers call it.
struct Payload {
  std::uint16_t type = 0;  ///< EtherType; below 1536: nothing but an 802.2 frame
  std::vector<std::uint8_t> bytes;
};

/// The payload behind headers of a link type, their other fields drawn evenly from what they can hold.
std::vector<std::uint8_t> framed(std::string_view link_type, const Payload& payload, Random& random);

/// Radio information of the kind that stands before 802.11 frames; empty for Prefix::None.
std::vector<std::uint8_t> radio_header(wire::Prefix prefix, Random& random);

Sample realistic_packet(std::string_view link_type, Random& random);

}  // namespace weir::oracle
