// A filter as eBPF for each hook, on our machine.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/packet.hpp"
#include "base/result.hpp"
#include "ebpf/program.hpp"
#include "ir/program.hpp"
#include "vm/ebpf.hpp"

namespace weir::oracle {

struct EbpfForm {
  ebpf::Hook hook = ebpf::Hook::Socket;
  bool has_maps = false;                     ///< each set that can be one is a map
  std::unique_ptr<vm::EbpfMachine> machine;  ///< null: the hook does not know what the filter asks
};

/// All hooks, and maps at one of them.
Result<std::vector<EbpfForm>> ebpf_forms(const ir::Program& graph);

/// Why our checker does not take one of them; each has to pass.
std::optional<std::string> defect(const std::vector<EbpfForm>& forms);

/// What a form returns for a packet: `accepting` when it accepts. The packet is seen in one piece, and, where the hook has
/// packets of several pieces, with a part of it elsewhere, which must make no difference: `split_differs` is returned where it
/// does, and where the program is stopped.
inline constexpr std::uint32_t split_differs = 0xbad0bad0;
std::uint32_t run(const EbpfForm& form, const Packet& packet, std::uint32_t accepting);

}  // namespace weir::oracle
