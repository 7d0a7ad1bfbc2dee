// A program that says which of several packet sockets gets a packet. Tested by tests/kernel/sockets_test.cc.
#pragma once
#include <cstdint>

#include "attach/load.hpp"
#include "base/result.hpp"
#include "cbpf/program.hpp"

namespace weir::attach {

enum class FanoutKind : std::uint8_t { Classic, Extended };

/// Makes an AF_PACKET socket, which has to be bound, a member of a group (PACKET_FANOUT), whose packets a program deals out: what it
/// returns, modulo the number of members, counted in the order in which they came. Members are on the same interface.
/// Without a program all packets are for the first. Errors (System).
Result<void> join_fanout(int socket, std::uint16_t group, FanoutKind kind);

/// Gives the socket's group its program (PACKET_FANOUT_DATA), instead of the one that is there; once this returns, that one runs no
/// more. The kernel keeps it for as long as the group has members. The program sees a packet that comes in from its network header
/// on, with the link-layer header cut off (packet_rcv_fanout() in net/packet/af_packet.c): it is one for link type RAW.
/// Errors: TooLarge, System.
Result<void> set_fanout(const cbpf::Program& program, int socket);
Result<void> set_fanout(const Loaded& program, int socket);

}  // namespace weir::attach
