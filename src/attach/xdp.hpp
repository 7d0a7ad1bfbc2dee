// A program in front of an interface's stack: XDP.
#pragma once
#include <cstdint>

#include "attach/link.hpp"
#include "attach/load.hpp"
#include "attach/network_interface.hpp"

namespace weir::attach {

enum class XdpMode : std::uint8_t {
  Any,      ///< native where the driver can, otherwise generic: the kernel chooses
  Native,   ///< in the driver, before there is a socket buffer
  Generic,  ///< behind it: every interface can, at the price of a socket buffer
};

/// One program an interface: errors (System) say which is there. Programs are loaded for packets in several buffers, too.
/// Tested by tests/kernel/hooks_test.cc.
Result<Link> attach_xdp(const Loaded& program, const NetworkInterface& on, XdpMode mode);

/// The mode that a program runs in on the interface now; Any: there is none.
XdpMode running_mode(const NetworkInterface& on);

}  // namespace weir::attach
