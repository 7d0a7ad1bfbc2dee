#include "capture/cooked.hpp"

#include <arpa/inet.h>

#include <cstring>

namespace weir::capture {
namespace {

/// Numbers are in network order in both headers. Addresses that are longer are cut (libpcap copies these 8 as well).
struct Sll {
  std::uint16_t packet_type, hardware_type, address_length;
  std::uint8_t address[8];
  std::uint16_t protocol;
};
struct Sll2 {
  std::uint16_t protocol, reserved;
  std::uint32_t interface;
  std::uint16_t hardware_type;
  std::uint8_t packet_type, address_length;
  std::uint8_t address[8];
};
static_assert(sizeof(Sll) == sll_header_size && sizeof(Sll2) == sll2_header_size);

Sll version_1(const sockaddr_ll& from) {
  Sll header = {.packet_type = htons(from.sll_pkttype),
                .hardware_type = htons(from.sll_hatype),
                .address_length = htons(from.sll_halen),
                .address = {},
                .protocol = from.sll_protocol};
  std::memcpy(header.address, from.sll_addr, sizeof header.address);
  return header;
}

Sll2 version_2(const sockaddr_ll& from) {
  Sll2 header = {.protocol = from.sll_protocol,
                 .reserved = 0,
                 .interface = htonl(static_cast<std::uint32_t>(from.sll_ifindex)),
                 .hardware_type = htons(from.sll_hatype),
                 .packet_type = from.sll_pkttype,
                 .address_length = from.sll_halen,
                 .address = {}};
  std::memcpy(header.address, from.sll_addr, sizeof header.address);
  return header;
}

template <class Header>
std::span<std::uint8_t> prepend(const Header& header, std::span<std::uint8_t> packet) {
  auto* start = packet.data() - sizeof header;
  std::memcpy(start, &header, sizeof header);
  return {start, packet.size() + sizeof header};
}

}  // namespace

std::span<std::uint8_t> with_cooked_header(int dlt, const sockaddr_ll& address, std::span<std::uint8_t> packet) {
  return dlt == dlt_sll ? prepend(version_1(address), packet) : prepend(version_2(address), packet);
}

}  // namespace weir::capture
