// A piece of work in a process of its own, with a limit on its time: libpcap's optimizer may take minutes.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace weir::bench {

struct ChildResult {
  std::string text;                  ///< what the work returned
  std::uint64_t peak_kilobytes = 0;  ///< how much more memory the process had at its most than before the work
};

/// Runs `work` in a child; nothing when it does not end in time or dies.
std::optional<ChildResult> in_child(const std::function<std::string()>& work, double most_seconds);

}  // namespace weir::bench
