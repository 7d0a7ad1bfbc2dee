#pragma once
#include <cstdint>
#include <optional>

#include "wire/link_type.hpp"

namespace weir::wire {

/// Byte order of the host that wrote the savefile a filter is for.
enum class Savefile : std::uint8_t { None, Native, Swapped };

/// What a filter is compiled for.
struct Target {
  const LinkType* link_type = nullptr;    ///< never null
  std::uint32_t snaplen = 262144;         ///< what a matching packet returns
  std::optional<std::uint32_t> netmask;   ///< host order; for `ip broadcast`
  bool linux_ext = false;                 ///< the kernel's metadata may be used (a live capture on Linux)
  Savefile savefile = Savefile::None;
  bool cooked = false;                    ///< the packet begins behind the cooked header; what that would hold is asked of the kernel
};

}  // namespace weir::wire
