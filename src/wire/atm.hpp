// ATM as SunATM devices give it (LINKTYPE_SUNATM): four bytes before the packet.
#pragma once
#include <cstdint>

namespace weir::wire::atm {

/// Offsets: the kind of traffic (low four bits), VPI (1 byte), VCI (2 bytes), the packet.
inline constexpr std::uint32_t kind = 0, vpi = 1, vci = 2, packet = 4;
inline constexpr std::uint32_t kind_mask = 0x0f, lane = 1, llc = 2;

/// Well-known channels on path 0 (ITU-T I.361, ATM Forum UNI 3.1 section 4): numbers of their VCI.
inline constexpr std::uint32_t meta_signalling = 1, broadcast = 2, oam_segment = 3, oam_end_to_end = 4, signalling = 5, ilmi = 16;

/// Q.2931 section 4.4: the type of a signalling message is its sixth byte.
inline constexpr std::uint32_t message_type = 5;
inline constexpr std::uint8_t call_proceeding = 0x02, setup = 0x05, connect = 0x07, connect_ack = 0x0f, release = 0x4d,
                              release_complete = 0x5a;

/// LAN emulation: a frame begins with the 2 bytes of its client; ff00 there is a control message (ATM Forum LANE 1.0).
inline constexpr std::uint32_t lane_header = 2, lane_control = 0xff00;

}  // namespace weir::wire::atm
