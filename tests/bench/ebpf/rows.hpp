// The filters whose programs are measured, each with a packet that it accepts, whose way is the longest.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace weir::bench {

using Bytes = std::vector<std::uint8_t>;

struct Row {
  std::string name, filter;
  std::string by_hand;  ///< the function in hand.bpf.c; empty: none
  Bytes matching;
};

std::vector<Row> rows();

/// `host A or host B or …`, so many; and one of them.
std::string hosts(std::uint32_t count);
std::uint32_t host(std::uint32_t i);
/// A TCP or UDP packet over IPv4 from an address, with ten bytes of data.
Bytes packet(std::uint32_t from, std::uint8_t protocol, std::uint16_t source, std::uint16_t destination);
Bytes packet_over_ip6(std::uint8_t protocol, std::uint16_t source, std::uint16_t destination);

}  // namespace weir::bench
