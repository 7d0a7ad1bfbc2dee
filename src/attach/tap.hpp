// Filters of tun and tap devices: on what the network stack sends to whoever has the device open. Tested by tests/kernel/sockets_test.cc.
#pragma once
#include "attach/load.hpp"
#include "base/result.hpp"
#include "cbpf/program.hpp"

namespace weir::attach {

/// Classic BPF on a tap device (TUNATTACHFILTER): `tap` is /dev/net/tun, open and set up. All queues of the device have it, also those
/// that come later; a tun device takes none. It replaces what is there. Errors: Unsupported (no tap device), TooLarge, System.
Result<void> attach_tap(const cbpf::Program& program, int tap);
Result<void> detach_tap(int tap);

/// eBPF on a tun or tap device, of Hook::Socket (TUNSETFILTEREBPF): what it returns is how many bytes of the packet are kept, 0
/// drops it. It comes after a classic filter that is there, and replaces one of its own kind. It stays as long as the device.
Result<void> attach_tun(const Loaded& program, int tun);
Result<void> detach_tun(int tun);

/// eBPF that chooses the queue of a device with several, by what it returns modulo their number (TUNSETSTEERINGEBPF).
Result<void> steer_tun(const Loaded& program, int tun);
Result<void> unsteer_tun(int tun);

}  // namespace weir::attach
