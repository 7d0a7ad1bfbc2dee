#include "lists.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

namespace weir::bench {
namespace {

/// Scatters numbers without letting two meet (Knuth's multiplicative hash is a bijection, for its factor is odd).
std::uint32_t scattered(std::size_t n) { return static_cast<std::uint32_t>(n) * 2654435761u; }

std::string host(std::size_t n) {
  const std::uint32_t a = scattered(n) & 0xffffff;
  return fmt::format("host 10.{}.{}.{}", a >> 16, a >> 8 & 255, a & 255);
}
std::string network(std::size_t n) {
  const std::uint32_t a = static_cast<std::uint32_t>(n) * 48611u & 0x1fffff;  // 21 bits of a /24 below 24.0.0.0/5
  return fmt::format("net {}.{}.{}.0/24", 24 + (a >> 16 & 31), a >> 8 & 255, a & 255);
}
std::string port(std::size_t n) { return fmt::format("port {}", (n * 40503u & 0xffff)); }
std::string host6(std::size_t n) {
  const std::uint32_t a = scattered(n);
  return fmt::format("ip6 host 2001:db8:{:x}::{:x}:{:x}", a >> 28, a >> 16 & 0xfff, a & 0xffff);
}
std::string station(std::size_t n) {
  const std::uint32_t a = scattered(n);
  return fmt::format("ether host 02:11:{:02x}:{:02x}:{:02x}:{:02x}", a & 255, a >> 8 & 255, a >> 16 & 255, a >> 24);
}

std::string pair(std::size_t n) { return fmt::format("({} and {})", host(2 * n), host(2 * n + 1)); }
std::string service(std::size_t n) { return fmt::format("({} and {})", host(n), port(n)); }
std::string of_one_port(std::size_t n) { return fmt::format("({} and port 80)", host(n)); }
std::string flow(std::size_t n) {
  return fmt::format("(src {} and src {} and dst {} and dst {})", host(2 * n), port(n), host(2 * n + 1), port(n + 1));
}

/// What is composed has to be asked one by one or by halving; nobody writes many thousands of it.
constexpr std::size_t most_composed = 2000;

constexpr ListKind kinds[] = {
    {"hosts", host, 1u << 24},
    {"networks", network, 1u << 21},
    {"ports", port, 1u << 16},
    {"IPv6 hosts", host6, 1u << 30},
    {"MAC addresses", station, 1u << 30},
    {"pairs of hosts", pair, most_composed},
    {"hosts with ports", service, most_composed},
    {"flows", flow, most_composed},
    {"hosts of one port", of_one_port, 1u << 24},
};

std::string join(const ListKind& kind, std::size_t n, std::size_t step) {
  std::string text;
  for (std::size_t i = 0; i < n; i += step) text += (i == 0 ? "" : " or ") + kind.element(i);
  return text;
}

}  // namespace

std::span<const ListKind> list_kinds() { return kinds; }
std::string list_filter(const ListKind& kind, std::size_t n) { return join(kind, n, 1); }
std::string part_of_list(const ListKind& kind, std::size_t n, std::size_t elements) {
  return join(kind, n, std::max<std::size_t>(1, n / elements));
}

}  // namespace weir::bench
