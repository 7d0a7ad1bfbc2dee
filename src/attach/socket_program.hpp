// An eBPF program on a socket, where SocketFilter puts classic BPF.
#pragma once
#include "attach/load.hpp"
#include "base/result.hpp"

namespace weir::attach {

/// As SocketFilter, of a program for Hook::Socket: the kernel keeps as many bytes of a packet as it returns. Replaces what is
/// there in one step. It has no limit of 4096 instructions, and takes nothing of net.core.optmem_max but for its handle.
/// Errors (System): as those of SocketFilter::attach().
Result<void> attach_socket(const Loaded& program, int socket);

/// Takes the program of either kind off. Errors (System): locked, no socket; none when there is no program.
Result<void> detach_socket(int socket);

/// From now on nobody, not even this process, can replace the program or take it off, until the socket is closed.
Result<void> lock_socket(int socket);

}  // namespace weir::attach
