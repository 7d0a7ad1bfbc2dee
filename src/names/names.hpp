// Names to numbers: the one door to the system's tables. `resolve` asks, nobody else.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace weir::names {

using Mac = std::array<std::uint8_t, 6>;
using Ipv6 = std::array<std::uint8_t, 16>;  ///< network order

/// The addresses of one host name, each list sorted and without repeats.
struct Addresses {
  std::vector<std::uint32_t> ipv4;  ///< host order
  std::vector<Ipv6> ipv6;
};

/// The ports of one service name by the transports whose services have names in filters; nothing where it is not listed.
struct Ports {
  std::optional<std::uint16_t> tcp, udp;
};

/// Look-ups. Thread safe. A name that is not known is an empty answer; a resolver that fails for another
/// reason (does not answer, no memory) is an error whose message says so, its span left empty.
class Names {
 public:
  virtual ~Names() = default;
  virtual Result<Addresses> host(const std::string& name) const = 0;
  virtual Result<std::optional<Mac>> ether(const std::string& name) const = 0;
  virtual Result<std::optional<std::uint32_t>> network(const std::string& name) const = 0;  ///< as getnetbyname gives it
  virtual Result<Ports> port(const std::string& name) const = 0;
  virtual Result<std::optional<std::uint32_t>> protocol(const std::string& name) const = 0;  ///< IP protocol number
};

/// The machine's own tables: getaddrinfo, /etc/services, /etc/protocols, /etc/networks, /etc/ethers.
std::unique_ptr<Names> system_names();

/// Lines in the shape of the files of /etc, for tests and for compiling the same everywhere.
struct FixedTables {
  std::vector<std::string> hosts;      ///< "10.0.0.1 name alias…"
  std::vector<std::string> ethers;     ///< "00:11:22:33:44:55 name"
  std::vector<std::string> networks;   ///< "name 10.0.0.0"
  std::vector<std::string> services;   ///< "http 80/tcp www"
  std::vector<std::string> protocols;  ///< "tcp 6 TCP"
};

/// Looks in the given lines; what is not found there is asked from `fallback` (may be null).
std::unique_ptr<Names> fixed_names(const FixedTables& tables, std::shared_ptr<const Names> fallback = nullptr);

/// Asks `source`, which must outlive it, for each name only once, failures too. For one compilation: not thread safe.
std::unique_ptr<Names> cached_names(const Names& source);

}  // namespace weir::names
