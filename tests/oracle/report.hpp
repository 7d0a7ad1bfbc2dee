// What a run has covered, and the disagreements it found.
#pragma once
#include <array>
#include <map>
#include <cstdint>
#include <string>

#include "generate.hpp"
#include "setting.hpp"

namespace weir::oracle {

/// What came out for one filter.
enum class Outcome : std::uint8_t {
  Compared,        ///< both accept; compared on packets
  RefusedByBoth,
  OursAlone,       ///< nothing to compare with: our engines among themselves
  Excused,         ///< a row of differences.tsv says why they differ
  Disagreed,
};
inline constexpr std::size_t outcome_count = 5;

/// Numbers of one kind of filter, one link type, or all.
struct Tally {
  std::array<std::uint64_t, outcome_count> outcomes{};
  std::uint64_t ran = 0;              ///< filters that were tried on packets
  std::uint64_t packet_accepted = 0;  ///< filters that accepted some packet
  std::uint64_t packet_rejected = 0;  ///< filters that rejected some packet
  std::uint64_t ways = 0;             ///< ways out of the tests of libpcap's programs
  std::uint64_t ways_taken = 0;       ///< those that some packet took

  std::uint64_t filters() const;
};

class Report {
 public:
  Tally all;
  std::array<Tally, kind_count> by_kind;
  std::map<std::string, Tally> by_link_type;

  std::uint64_t packets = 0;    ///< packets made
  std::uint64_t verdicts = 0;   ///< packet and cut, judged on all engines
  std::uint64_t accepted = 0;
  std::uint64_t cut = 0;        ///< verdicts on packets cut short
  std::uint64_t inexact = 0;    ///< allowed differences from libpcap because of the cut
  std::uint64_t uncertain = 0;  ///< not compared with libpcap: longer chains of headers than we unroll
  std::uint64_t metadata = 0;   ///< filters that cannot run on a plain socket
  std::uint64_t not_lifted = 0; ///< filters with a program that is too large to be told what it stands for
  std::uint64_t failures = 0;

  /// One filter is done.
  void count(const Setting& setting, Kinds kinds, const Tally& one);
  /// One line that says what is wrong and one that runs it again.
  void fail(const std::string& what, const std::string& rerun);
  /// What is so rare that it is left out has to be rare.
  void check_rare();
  /// The tables.
  void print() const;

  std::uint64_t shown = 25;  ///< failures printed in full
};

/// A command line that runs one filter again, on one packet if there is one.
std::string rerun_line(const Setting& setting, const std::string& filter, const Sample* sample, std::size_t n);

std::string to_hex(const std::vector<std::uint8_t>& bytes);
std::vector<std::uint8_t> from_hex(std::string_view text);

}  // namespace weir::oracle
