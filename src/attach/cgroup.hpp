// A program at the sockets of a control group: what its processes send or get. Tested by tests/kernel/hooks_test.cc.
#pragma once
#include <cstdint>
#include <string>

#include "attach/link.hpp"
#include "attach/load.hpp"

namespace weir::attach {

enum class Direction : std::uint8_t { Ingress, Egress };

/// `path` is the folder of a group of version 2. Others may have programs there, too: a packet passes when all let it.
/// Errors: Input (no such group), System.
Result<Link> attach_cgroup(const Loaded& program, const std::string& path, Direction direction);

}  // namespace weir::attach
