// What a classic BPF program executes in the networks that a profile tells of: to choose between programs for one filter. Tests of
// different values are taken to know nothing of each other. Tested by tests/unit/weir/expected_test.cc.
#pragma once
#include <array>

#include "cbpf/program.hpp"
#include "optimize/profile.hpp"

namespace weir {

/// Instructions for a packet on average, by network.
using Executed = std::array<double, optimize::Profile::networks>;

Executed expected(const cbpf::Program& program, const optimize::Profile& profile);

}  // namespace weir
