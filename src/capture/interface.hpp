// The network interfaces of this host (of the network namespace of this process).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace weir::capture {

struct Interface {
  std::string name;
  int index = 0;                         ///< 0: all interfaces
  unsigned hardware_type = 0;            ///< ARPHRD_ of linux/if_arp.h
  std::optional<int> dlt;                ///< DLT_ number of its packets; nothing: they cannot be captured
  bool cooked = false;                   ///< they come without their header, under one of LINUX_SLL or LINUX_SLL2
  bool up = false;
  bool loopback = false;
  std::vector<std::string> addresses;    ///< IPv4 and IPv6, as 10.0.0.1/24
  std::optional<std::uint32_t> netmask;  ///< of its first IPv4 address, in host order
};

/// All interfaces, in the order of the kernel. Needs no rights. An error when the kernel does not tell.
Result<std::vector<Interface>> interfaces();

/// The one of this name, or of this alternative name (`ip link property add`); an error names those that there are.
Result<Interface> find_interface(const std::string& name);

/// `any`: all of them at once.
Interface all_interfaces();

/// For hints: `there are lo, eth0; …`.
std::string known_interfaces();

/// The DLT_ number of packets on interfaces of an ARPHRD_ kind. Tested by tests/unit/capture/interface_test.cc.
std::optional<int> dlt_of_hardware(unsigned hardware_type);

/// The same on an Ethernet port of a switch chip, by the protocol of its tags (/sys/class/net/…/dsa/tagging).
std::optional<int> dlt_of_tagging(std::string_view protocol);

}  // namespace weir::capture
