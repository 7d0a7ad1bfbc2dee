// The header that stands before packets which a packet socket of type SOCK_DGRAM gives, from their network header on.
#pragma once
#include <linux/if_packet.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace weir::capture {

inline constexpr int dlt_ethernet = 1, dlt_sll = 113, dlt_sll2 = 276;  // DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2
inline constexpr std::size_t sll_header_size = 16, sll2_header_size = 20;

/// Writes the header of LINUX_SLL (dlt_sll) or LINUX_SLL2 into the room before the packet, of `address` what the kernel
/// said of it; header and packet. https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html and …_SLL2.html.
std::span<std::uint8_t> with_cooked_header(int dlt, const sockaddr_ll& address, std::span<std::uint8_t> packet);

}  // namespace weir::capture
