#include "capture/interface.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <string_view>

#include "capture/cooked.hpp"
#include "wire/link_type.hpp"

namespace weir::capture {
namespace {

struct HardwareType {
  unsigned number;
  std::string_view link_type;
};
constexpr HardwareType hardware_types[] = {
#define WEIR_HARDWARE_TYPE(number, kind, link_type) {number, #link_type},
#include "capture/hardware_types.def"
};

struct Tagging {
  std::string_view protocol;
  std::string_view link_type;
};
constexpr Tagging taggings[] = {
#define WEIR_SWITCH_TAGGING(protocol, link_type) {protocol, #link_type},
#include "capture/hardware_types.def"
};

std::optional<int> dlt_of_name(std::string_view name) {
  const auto* link_type = wire::find_link_type(name);
  return link_type ? std::optional(link_type->dlt) : std::nullopt;
}

struct Free {
  void operator()(ifaddrs* list) const { ::freeifaddrs(list); }
};

template <class Address>
Address as(const sockaddr* address) {
  Address result;
  std::memcpy(&result, address, sizeof result);
  return result;
}

/// How many bits of a mask are set.
int prefix_length(const void* mask, std::size_t size) {
  int bits = 0;
  for (std::size_t i = 0; i < size; ++i) bits += std::popcount(static_cast<const std::uint8_t*>(mask)[i]);
  return bits;
}

std::string with_prefix(int family, const void* address, const void* mask, std::size_t size) {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  ::inet_ntop(family, address, text.data(), text.size());
  return mask ? fmt::format("{}/{}", text.data(), prefix_length(mask, size)) : text.data();
}

void add_ipv4(Interface& to, const ifaddrs& entry) {
  const auto address = as<sockaddr_in>(entry.ifa_addr).sin_addr;
  const auto mask = entry.ifa_netmask ? std::optional(as<sockaddr_in>(entry.ifa_netmask).sin_addr) : std::nullopt;
  to.addresses.push_back(with_prefix(AF_INET, &address, mask ? &*mask : nullptr, sizeof address));
  if (mask && !to.netmask) to.netmask = ntohl(mask->s_addr);
}

void add_ipv6(Interface& to, const ifaddrs& entry) {
  const auto address = as<sockaddr_in6>(entry.ifa_addr).sin6_addr;
  const auto mask = entry.ifa_netmask ? std::optional(as<sockaddr_in6>(entry.ifa_netmask).sin6_addr) : std::nullopt;
  to.addresses.push_back(with_prefix(AF_INET6, &address, mask ? &*mask : nullptr, sizeof address));
}

struct Identity {
  int index = 0;  ///< 0: it has gone
  unsigned hardware_type = 0;
};

/// Where the link layer has no address, getifaddrs(3) does not tell. Any socket will do to ask with.
Identity ask_for_identity(int socket, const char* name) {
  ifreq request = {};
  std::strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
  if (::ioctl(socket, SIOCGIFHWADDR, &request) != 0) return {};
  const unsigned hardware_type = request.ifr_hwaddr.sa_family;
  if (::ioctl(socket, SIOCGIFINDEX, &request) != 0) return {};
  return {request.ifr_ifindex, hardware_type};
}

Identity identity_of(int socket, const ifaddrs& entry) {
  if (!entry.ifa_addr) return ask_for_identity(socket, entry.ifa_name);
  const auto address = as<sockaddr_ll>(entry.ifa_addr);
  return {address.sll_ifindex, address.sll_hatype};
}

/// What its driver or its name say of the packets where the kind does not; libpcap looks at the same.
std::optional<int> dlt_of(const char* name, unsigned hardware_type) {
  const auto dlt = dlt_of_hardware(hardware_type);
  if (dlt != dlt_ethernet) return dlt;
  // ISDN4Linux called its interfaces Ethernet, which they were not.
  if (std::string_view(name).starts_with("isdn") || std::string_view(name).starts_with("isdY")) return dlt_sll;
  std::ifstream file(fmt::format("/sys/class/net/{}/dsa/tagging", name));
  std::string protocol;
  return file >> protocol ? dlt_of_tagging(protocol) : dlt;
}

Interface interface_of(const Identity& identity, const ifaddrs& entry) {
  const auto dlt = dlt_of(entry.ifa_name, identity.hardware_type);
  return {.name = entry.ifa_name,
          .index = identity.index,
          .hardware_type = identity.hardware_type,
          .dlt = dlt,
          .cooked = dlt == dlt_sll,
          .up = (entry.ifa_flags & IFF_UP) != 0,
          .loopback = (entry.ifa_flags & IFF_LOOPBACK) != 0,
          .addresses = {},
          .netmask = {}};
}

/// An IPv4 address has a label, which getifaddrs(3) takes for the name of the interface. It begins with that name; behind
/// a colon, which no name has, may come more (ip-address(8)).
std::string_view name_of_owner(const ifaddrs& entry) {
  const std::string_view label = entry.ifa_name;
  return label.substr(0, label.find(':'));
}

/// getifaddrs(3) gives the interfaces first, one entry each (without an address where the link layer has none, as on
/// tunnels), then their network addresses. One that goes away meanwhile is left out: bind(2) would take its index, 0, for
/// that of all interfaces.
void add(std::vector<Interface>& all, int socket, const ifaddrs& entry) {
  const int family = entry.ifa_addr ? entry.ifa_addr->sa_family : AF_PACKET;
  if (family == AF_PACKET) {
    const auto identity = identity_of(socket, entry);
    if (identity.index > 0) all.push_back(interface_of(identity, entry));
    return;
  }
  const auto owner = std::ranges::find(all, name_of_owner(entry), &Interface::name);
  if (owner == all.end()) return;
  if (family == AF_INET) add_ipv4(*owner, entry);
  if (family == AF_INET6) add_ipv6(*owner, entry);
}

/// Whatever goes wrong in it, errno says why.
std::optional<std::vector<Interface>> list_interfaces() {
  ifaddrs* first = nullptr;
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return std::nullopt;
  const bool listed = ::getifaddrs(&first) == 0;
  const std::unique_ptr<ifaddrs, Free> list(first);
  std::vector<Interface> all;
  for (const auto* entry = list.get(); entry; entry = entry->ifa_next) add(all, socket, *entry);
  const int error = errno;
  ::close(socket);
  errno = error;
  return listed ? std::optional(std::move(all)) : std::nullopt;
}

}  // namespace

std::optional<int> dlt_of_hardware(unsigned hardware_type) {
  const auto row = std::ranges::find(hardware_types, hardware_type, &HardwareType::number);
  return dlt_of_name(row == std::end(hardware_types) ? "LINUX_SLL" : row->link_type);
}

Result<std::vector<Interface>> interfaces() {
  if (auto all = list_interfaces()) return std::move(*all);
  return fail(Code::System, {}, fmt::format("cannot list the network interfaces: {}", std::strerror(errno)));
}

std::optional<int> dlt_of_tagging(std::string_view protocol) {
  const auto row = std::ranges::find(taggings, protocol, &Tagging::protocol);
  return row == std::end(taggings) ? std::nullopt : dlt_of_name(row->link_type);
}

Result<Interface> find_interface(const std::string& name) {
  auto all = interfaces();
  if (!all) return std::unexpected(all.error());
  auto found = std::ranges::find(*all, name, &Interface::name);
  const int index = static_cast<int>(::if_nametoindex(name.c_str()));  // the kernel knows alternative names too
  if (found == all->end() && index > 0) found = std::ranges::find(*all, index, &Interface::index);
  if (found != all->end()) return *found;
  if (name == "any") return all_interfaces();
  return fail(Code::System, {}, fmt::format("there is no interface '{}'", name), known_interfaces());
}

Interface all_interfaces() {
  Interface any;
  any.name = "any";
  any.dlt = dlt_sll2;
  any.cooked = any.up = true;
  return any;
}

std::string known_interfaces() {
  const auto all = interfaces();
  if (!all || all->empty()) return "there are none here";
  std::vector<std::string_view> names;
  for (const auto& one : *all) names.push_back(one.name);
  return fmt::format("there are {}, or any; weir list interfaces tells more of them", fmt::join(names, ", "));
}

}  // namespace weir::capture
