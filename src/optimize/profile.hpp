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
    std::uint8_t alike = 0;                       ///< so many of the next rows are of its group, where that is counted
    constexpr bool is_like(const Row& other) const { return size == other.size && mask == other.mask && is_behind == other.is_behind; }
  };
  std::span<const Row> rows;  ///< in groups: those of one size, mask and place side by side; must outlive the profile
  constexpr bool is_in_groups() const {
    for (std::size_t i = 1; i < rows.size(); ++i)
      for (std::size_t k = 0; k + 1 < i; ++k)
        if (rows[k].is_like(rows[i]) && !rows[i - 1].is_like(rows[i])) return false;
    return true;
  }

  /// The rows with those counted that are alike: then what no row is about is found out sooner.
  template <std::size_t count>
  static constexpr std::array<Row, count> counted(std::array<Row, count> rows) {
    for (std::size_t i = count; i-- > 1;)
      if (rows[i - 1].is_like(rows[i])) rows[i - 1].alike = static_cast<std::uint8_t>(rows[i].alike + 1);
    return rows;
  }

  /// How often the test holds in the first network, from 0 to 1; nothing where no row is about it.
  std::optional<double> share(const ir::Program& p, ir::Ranges& ranges, const ir::Node& test) const;
  std::optional<double> share(const ir::Program& p, const Question& question) const;
  /// The same, or what can be expected of a test of its kind.
  double likelihood(const ir::Program& p, ir::Ranges& ranges, const ir::Node& test, std::size_t network) const;

  /// The likelihood in all networks, and how often a test holds of which nothing is known: addresses and ports are seldom
  /// the one asked for; of a range or a bit, and where no question is known, nothing can be said.
  struct Likelihoods {
    std::array<double, networks> known{};
    double unknown = 0;
  };
  Likelihoods likelihoods(const ir::Program& p, const std::optional<Question>& question) const;
};

}  // namespace weir::optimize
