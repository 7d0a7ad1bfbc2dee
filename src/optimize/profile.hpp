// How often tests hold, as data from outside: numbers of a width, and bits of a width.
#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include "ir/program.hpp"
#include "ir/ranges.hpp"

namespace weir::optimize {

struct Profile {
  struct Row {
    std::uint8_t size = 0;    ///< of the load, in bytes
    std::uint32_t mask = 0;   ///< 0: the share is that of the number k; otherwise, of packets with one of these bits
    std::uint32_t k = 0;
    std::uint16_t share = 0;  ///< of 10 000 packets for which the test is made
  };
  std::span<const Row> rows;  ///< must outlive the profile

  /// How often the test holds, from 0 to 1; nothing where no row is about it.
  std::optional<double> share(const ir::Program& p, ir::Ranges& ranges, const ir::Node& test) const;
};

}  // namespace weir::optimize
