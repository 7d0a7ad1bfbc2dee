#include "rows.hpp"

#include <fmt/format.h>

namespace weir::bench {
namespace {

void put(Bytes& to, std::uint64_t value, int bytes) {
  for (int i = bytes; i-- > 0;) to.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

/// A TCP or UDP packet with ten bytes of data.
Bytes packet(bool v6, std::uint32_t from, std::uint8_t protocol, std::uint16_t source, std::uint16_t destination) {
  Bytes b(12, 2);
  put(b, v6 ? 0x86dd : 0x0800, 2);
  if (v6) {
    put(b, 0x60000000, 4);
    put(b, 30, 2);
    put(b, protocol, 1);
    put(b, 64, 1);
    for (int i = 0; i < 8; ++i) put(b, 0x20010db8u + static_cast<std::uint32_t>(i), 4);
  } else {
    put(b, 0x45000032, 4);
    put(b, 0, 4);
    put(b, 64, 1);
    put(b, protocol, 1);
    put(b, 0, 2);
    put(b, from, 4);
    put(b, 0xc0000201, 4);
  }
  put(b, source, 2);
  put(b, destination, 2);
  put(b, 1, 4);
  put(b, 2, 4);
  put(b, 0x5002, 2);  // SYN
  put(b, 0, 6);
  b.resize(b.size() + 10);
  return b;
}

}  // namespace

std::uint32_t host(std::uint32_t i) { return 0x0a000000 | ((i * 2654435761u) & 0xffffff); }

std::string hosts(std::uint32_t count) {
  std::string text;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t a = host(i);
    text += fmt::format("{}{}.{}.{}.{}", i ? " or host " : "host ", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
  }
  return text;
}

Bytes packet(std::uint32_t from, std::uint8_t protocol, std::uint16_t source, std::uint16_t destination) {
  return packet(false, from, protocol, source, destination);
}

Bytes packet_over_ip6(std::uint8_t protocol, std::uint16_t source, std::uint16_t destination) {
  return packet(true, 0, protocol, source, destination);
}

std::vector<Row> rows() {
  constexpr std::uint32_t other = 0xc6336401;
  return {
      {"ip", "ip", "only_ip", packet(false, other, 6, 1000, 80)},
      {"tcp port 80", "tcp port 80", "tcp_port_80", packet(false, other, 6, 1000, 80)},
      {"host and port", "host 10.1.2.3 and tcp port 443", "host_and_port", packet(false, 0x0a010203, 6, 1000, 443)},
      {"tcp flags", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "tcp_flags", packet(false, other, 6, 1000, 80)},
      {"http payload", "tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)", "http_payload",
       packet(false, other, 6, 1000, 80)},
      {"ip6 dns", "ip6 and udp port 53", "dns_over_ip6", packet(true, 0, 17, 1000, 53)},
      {"some ports", "portrange 6000-6063 or port 53 or port 123", "some_ports", packet(false, other, 17, 1000, 123)},
      {"20 hosts", hosts(20), "hosts_20", packet(false, host(13), 6, 1000, 80)},
      {"100 hosts", hosts(100), "hosts_100", packet(false, host(77), 6, 1000, 80)},
      {"100000 hosts", hosts(100000), "", packet(false, host(77777), 6, 1000, 80)},
  };
}

}  // namespace weir::bench
