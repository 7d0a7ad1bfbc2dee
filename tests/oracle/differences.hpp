// Where libpcap 1.10.3 and weir differ on purpose: rows of differences.tsv. A row that excuses nothing is an error of
// its own, for then it says something that is no longer true.
#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace weir::oracle {

enum class Difference : std::uint8_t {
  Accept,   ///< libpcap refuses what weir accepts
  Reject,   ///< libpcap accepts what weir refuses
  Meaning,  ///< both accept, and mean different things
  Order,    ///< both mean the same of whole packets, but look at the bytes in another order, which a cut packet shows
};

class Differences {
 public:
  struct Row {
    Difference what{};
    std::string link_types;  ///< regular expressions, for the whole text
    std::string filter;
    std::string message;     ///< of who refuses; found anywhere in it
    std::string example_link_type, example;
    /// Meaning: what `filter` is replaced with to ask libpcap for the right meaning; `apart`: see repair.hpp; empty: nothing helps
    std::string instead;
    std::string reason;
    std::size_t line = 0;
    std::size_t used = 0;
  };

  /// Reads the file; the message says which line is no row.
  static std::expected<Differences, std::string> read(const std::string& path);

  /// The first row that excuses it, and notes that it did; null when there is none. Rows in `but` do not count.
  const Row* excuse(Difference what, std::string_view link_type, const std::string& filter, const std::string& message,
                    const std::vector<const Row*>& but = {});

  /// The filter in words that libpcap 1.10.3 gets right.
  std::string amended(const Row& row, const std::string& filter) const;

  const std::vector<Row>& rows() const { return rows_; }

 private:
  struct Patterns {
    std::regex link_types, filter, message;
  };
  std::vector<Row> rows_;
  std::vector<Patterns> patterns_;
};

}  // namespace weir::oracle
