// Tables of corpus/traffic: how often packets of which kind pass. Comes in as a file, goes out as weights to draw from;
// a row with an unknown section or value, and a section without rows, are errors. Tested by traffic_test.cc.
#pragma once
#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "random.hpp"

namespace weir::bench {

enum class Section : std::uint8_t {
#define WEIR_SECTION(name, ...) name,
#include "traffic_sections.def"
#undef WEIR_SECTION
};
inline constexpr std::size_t section_count = 0
#define WEIR_SECTION(name, ...) +1
#include "traffic_sections.def"
#undef WEIR_SECTION
    ;

/// What the nth word of a section is as a value: numbers of the file are below.
inline constexpr std::uint32_t first_word = 0x10000;
constexpr std::uint32_t word(std::uint32_t n) { return first_word + n; }

/// `10.0.0.0/8`, `2001:db8::/32`; the value of a row with a prefix is its number among all prefixes.
struct Prefix {
  std::vector<std::uint8_t> bytes;  ///< 4 or 16
  std::uint32_t length = 0;
};

class TrafficModel {
 public:
  static std::expected<TrafficModel, std::string> read(const std::string& path);

  /// A value of the section, as often as its weight says.
  std::uint32_t draw(Section section, oracle::Random& random) const;
  /// The same among those values that are `allowed`, of which there must be one.
  std::uint32_t draw(Section section, std::initializer_list<std::uint32_t> allowed, oracle::Random& random) const;
  const Prefix& prefix(std::uint32_t value) const { return prefixes_[value]; }
  /// How many packets in a hundred are aimed at the filter.
  std::uint32_t aimed_percent() const { return rows_[0].front().weight; }

 private:
  struct Row {
    std::uint32_t value, weight;
  };
  std::expected<void, std::string> add(const std::string& line);
  std::array<std::vector<Row>, section_count> rows_;
  std::array<std::uint32_t, section_count> sums_{};
  std::vector<Prefix> prefixes_;
};

}  // namespace weir::bench
