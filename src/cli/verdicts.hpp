// Which packets of a batch are kept.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "weir/weir.hpp"

namespace weir::cli {

/// A bit for each packet.
class Verdicts {
 public:
  /// Of those that match; with `inverted`, of those that do not.
  void judge(const Filter& filter, std::span<const PacketView> packets, bool inverted);
  /// How many are kept.
  std::uint64_t kept() const { return kept_; }
  /// Keeps no more than the first `most`. How many packets there are up to the last of them, this included: all, when there are no more.
  std::size_t limit(std::uint64_t most);

  /// Packets side by side that are kept.
  struct Run {
    std::size_t first, end;  ///< `end` is the one behind the last
  };
  /// The first run that begins at `from` or behind it.
  std::optional<Run> run(std::size_t from) const;

 private:
  std::size_t next(std::size_t from, bool kept) const;

  std::vector<std::uint64_t> words_;  // no bit behind the last packet is set
  std::size_t count_ = 0;
  std::uint64_t kept_ = 0;
};

}  // namespace weir::cli
