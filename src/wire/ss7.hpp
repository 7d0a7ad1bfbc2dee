// SS7 message transfer part, levels 2 and 3 (ITU-T Q.703 and Q.704). Offsets are in bytes from the start of the message.
// Fields of level 3 are little-endian and begin at any bit; masks and values here are as a load in network order sees them.
#pragma once
#include <cstdint>

namespace weir::wire::ss7 {

/// The length indicator says what kind of message it is (Q.703 section 2.3.3): 0 fill-in, up to 2 link status, else
/// message signal units. High-speed links (Q.703 annex A) have longer sequence numbers and 9 bits of length.
inline constexpr std::uint32_t length = 2, length_mask = 0x3f, most_of_status = 2;
inline constexpr std::uint32_t high_speed_length = 4, high_speed_length_mask = 0xff80, high_speed_most_of_status = 0x0100;

/// By how much fields lie further back on high-speed links.
inline constexpr std::uint32_t high_speed_shift = 3;

/// Service information octet, originating and destination point codes (14 bits), signalling link selection (4 bits).
inline constexpr std::uint32_t service = 3, point_codes = 4, link_selection = 7;
inline constexpr std::uint32_t max_service = 255, max_point_code = 0x3fff, max_link_selection = 15;

}  // namespace weir::wire::ss7
