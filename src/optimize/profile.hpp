// How often tests hold, as data from outside: numbers of a width, and bits of a width.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "ir/program.hpp"
#include "ir/ranges.hpp"

namespace weir::optimize {

struct Question;

struct Profile {
  /// The usual network, and a different one: what is done for the first should not harm the second.
  static constexpr std::size_t networks = 2;
  /// Of a test that nothing can be said of.
  static constexpr double nothing_known = 0.5;
  struct Row {
    std::uint8_t size = 0;    ///< of the load, in bytes
    std::uint32_t mask = 0;   ///< 0: the share is that of the number k; otherwise, of packets with one of these bits
    std::uint32_t k = 0;
    std::array<std::uint16_t, networks> share{};  ///< of 10 000 packets for which the test is made
    bool is_behind = false;                       ///< of loads whose place depends on the packet; otherwise of those in a fixed one
  };
  std::span<const Row> rows;  ///< must outlive the profile

  /// How often the test holds in the first network, from 0 to 1; nothing where no row is about it.
  std::optional<double> share(const ir::Program& p, ir::Ranges& ranges, const ir::Node& test) const;
  std::optional<double> share(const ir::Program& p, const Question& question) const;
  /// The same, or what can be expected of a test of its kind.
  double likelihood(const ir::Program& p, ir::Ranges& ranges, const ir::Node& test, std::size_t network) const;

  /// The likelihood in all networks, and how often a test holds of which nothing is known: addresses and ports are seldom
  /// the one asked for; of a range or a bit nothing can be said.
  struct Likelihoods {
    std::array<double, networks> known{};
    double unknown = 0;
  };
  Likelihoods likelihoods(const ir::Program& p, ir::Ranges& ranges, const ir::Node& test) const;
};

}  // namespace weir::optimize
